"""What is shipped is what the sources compile to, small enough for every chain."""

import json
import re
from pathlib import Path

import pytest
from tests.contracts.harness import World
from tests.contracts.reading import Contract, artefact

SOURCES = Path(__file__).parents[2] / "src" / "gridpact" / "contracts"
CLOCKS_AND_CHANCE = re.compile(
    r"\bblock\.(number|timestamp|prevhash|coinbase|difficulty|prevrandao|gaslimit|basefee)\b"
    r"|\bmsg\.gas\b|\bblockhash\b|\btx\.origin\b|\braw_call\b|\bselfdestruct\b|delegate_?call"
)


@pytest.mark.parametrize("contract", Contract)
def test_contract_fits_every_chain(contract: Contract) -> None:
    content = json.loads((SOURCES / "artefacts" / f"{contract.value}.json").read_text())
    assert content["size"] < 24_576
    assert (content["compiler"], content["evm"]) == ("vyper 0.4.3", "london")
    assert artefact(contract).bytecode


def test_stated_size_is_the_deployed_code_s(world: World) -> None:
    """Immutables are part of the code that a chain limits."""
    for contract, address in world.at.items():
        content = json.loads((SOURCES / "artefacts" / f"{contract.value}.json").read_text())
        assert len(world.engine.state()[address].code) == content["size"], contract


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.vy")), ids=lambda path: path.stem)
def test_contract_knows_no_chance_and_one_clock(source: Path) -> None:
    found = CLOCKS_AND_CHANCE.findall(source.read_text())
    assert set(found) == ({"timestamp"} if source.stem == "clock" else set())


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.vy")), ids=lambda path: path.stem)
def test_every_refusal_says_which_contract_and_why(source: Path) -> None:
    text = source.read_text()
    asserts = len(re.findall(r"^\s+assert ", text, re.MULTILINE))
    reasons = re.findall(r', "(\w+): [a-z][^"]+"$', text, re.MULTILINE)
    assert len(reasons) == asserts
    assert set(reasons) <= {source.stem}


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.vy")), ids=lambda path: path.stem)
def test_every_external_function_is_described(source: Path) -> None:
    functions = re.findall(
        r"^@external\n(?:@\w+\n)*def (\w+)\([^\"]*?:\n    \"\"\"\n    @(?:notice|return)",
        source.read_text(),
        re.MULTILINE,
    )
    assert len(functions) == source.read_text().count("@external\n")
