"""The contracts' pure rules on a bare EVM, asked one at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest
from vyper.compiler import compile_code
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import OptimizationLevel, Settings

from gridpact.crypto.keccak import name_hash
from gridpact.ledger.evm.engine import Moment, default_engine
from gridpact.ledger.evm.transactions import Transaction
from gridpact.ledger.onchain.abi import Rows, arguments, numbers, pack

HERE = Path(__file__).parent
CONTRACTS = HERE.parents[1] / "src" / "gridpact" / "contracts"
SENDER = bytes([1]) * 20

Ask = Callable[..., tuple[int, ...]]
"""Call a rule by name with words and lists; returns the words of its output."""


@pytest.fixture(scope="session")
def rule() -> Ask:
    compiled = compile_code(
        (HERE / "rules.vy").read_text(),
        contract_path="rules.vy",
        input_bundle=FilesystemInputBundle([CONTRACTS]),
        settings=Settings(evm_version="london", optimize=OptimizationLevel.GAS),
        output_formats=["bytecode", "method_identifiers"],
    )
    selectors = {
        signature.split("(")[0]: bytes.fromhex(selector.removeprefix("0x").rjust(8, "0"))
        for signature, selector in compiled["method_identifiers"].items()
    }
    engine = default_engine()(1, {})
    code = bytes.fromhex(compiled["bytecode"].removeprefix("0x"))
    deploy = Transaction(1, 0, 10**9, b"", code, b"", b"")
    address = engine.execute(deploy, SENDER, Moment(1, 0)).outcome.output
    engine.keep()
    assert len(address) == 20
    assert selectors.keys() >= {"amount", "settle"}
    assert name_hash("amount(uint256,uint256)")[:4] == selectors["amount"]

    def ask(name: str, *given: int | bytes | Rows) -> tuple[int, ...]:
        packed = (one if isinstance(one, Rows) else pack(one) for one in given)
        data = selectors[name] + arguments(*packed)
        done = engine.view(SENDER, address, data, Moment(1, 0))
        assert not done.failure, done.failure
        return numbers(done.outcome.output)

    return ask
