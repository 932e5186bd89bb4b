"""The market on an Ethereum client comes to the same as on the embedded chain."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.anvil import anvil, rpc
from tests.cycle.conftest import SCENARIOS, quietly

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import Ledgers, operator_key
from gridpact.assembly.nodes import Network, audit_nodes, node_ledgers, read_keys
from gridpact.cli import app
from gridpact.crypto.keccak import name_hash
from gridpact.errors import BadInput
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.ledger.jsonrpc.companion import read_companion
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.model.order import Tier
from gridpact.model.record import Anchor, Confirmed, Record, Returned, decode_any
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario

CHAIN_ID = 31_337


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with anvil(CHAIN_ID) as address:
        yield address


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Return half the day in three intervals; in the last both tiers trade, and one is fined."""
    text = (SCENARIOS / "sce56-day.toml").read_text()
    strict = "[reputation]\ndeposit_share = 0.2\nfine_per_kwh = 0.1"
    text = text.replace("[reputation]", strict)
    for key, value in (("intervals = 24", "intervals = 3"), ("minutes = 60", "minutes = 240")):
        assert key in text
        text = text.replace(key, value)
    file = tmp_path_factory.mktemp("short") / "short.toml"
    file.write_text(text)
    return load(file)


def _embedded(scenario: Scenario, path: Path) -> Ledgers:
    """Return embedded chains under the node's chain id: then every order has the same hash."""
    store = open_store(path)

    def ledger(name: str) -> MarketLedger:
        key = operator_key(scenario, f"operator of {name}")
        chain = EmbeddedChain(store, name, CHAIN_ID, key, lambda _: 0)
        return MarketLedger(chain, name_hash(name))

    return Ledgers(ledger(scenario.region), ledger(scenario.zone), store.close)


def _without_blocks(record: Record) -> Record:
    """Return a record without the block hashes that it names: they are the chain's own."""
    if isinstance(record, Anchor):
        return replace(record, number=0, head=b"", previous=b"")
    if isinstance(record, Confirmed | Returned):
        return replace(record, receipt=b"")
    return record


def test_a_run_on_a_node_writes_what_a_run_on_the_embedded_chain_writes(
    url: str, short: Scenario, tmp_path: Path
) -> None:
    file, companion = tmp_path / "ledger.db", tmp_path / "companion.db"
    ends = []
    for ledgers in (_embedded(short, file), node_ledgers(short, Network((url,)), companion)):
        day = run_day(short, ledgers, quietly)
        ends.append([(end.name, end.totals, end.accounts) for end in day.chains])
        assert {fill.tier for fill in day.intervals[-1].cleared.fills} == {Tier.LOCAL, Tier.ZONAL}
        assert all(day.put_down)
        assert any(rows for one in day.intervals for rows in one.fines)
        ledgers.close()
    assert ends[0] == ends[1]
    embedded, on_node = dict(_in_file(file)), dict(_in_companion(companion))
    assert embedded == on_node
    assert len(embedded) > 30
    audited = audit_nodes((url,), companion, {}).report
    assert [(one.name, one.state_hash) for one in audited.chains] == [
        (end.name, end.state_hash) for end in day.chains
    ]


def _in_file(path: Path) -> Iterator[tuple[object, Record]]:
    """Yield what stands in a ledger file, by chain and key."""
    with open_store(path) as store:
        for chain in store.chains():
            for block in store.blocks(chain.id):
                body = block.bodies[0]
                name = (chain.name, body.region, body.interval, body.phase, body.part)
                yield name, _without_blocks(decode_any(body.content))


def _in_companion(path: Path) -> Iterator[tuple[object, Record]]:
    """Yield what stands in a companion file, by chain and key."""
    companion = read_companion(path)
    for chain in companion.chains():
        for plan in companion.plans(chain.id):
            key = plan.key
            name = (chain.name, key.region, key.interval, int(key.phase), key.part)
            yield name, _without_blocks(decode_any(plan.body))
    companion.close()


def test_a_run_goes_on_where_it_was_stopped_and_a_finished_one_sends_nothing(
    short: Scenario, tmp_path: Path
) -> None:
    class Stopped(Exception):
        pass

    def stop(interval: int, phase: str) -> None:
        if interval == 2 and phase == "commit":
            raise Stopped

    with anvil(CHAIN_ID) as url:
        path, network = tmp_path / "companion.db", Network((url,))
        ledgers = node_ledgers(short, network, path)
        with pytest.raises(Stopped):
            run_day(short, ledgers, stop)
        ledgers.close()
        ledgers = node_ledgers(short, network, path)
        first = run_day(short, ledgers, quietly)
        ledgers.close()
        height = rpc(url, "eth_blockNumber")
        ledgers = node_ledgers(short, network, path)
        second = run_day(short, ledgers, quietly)
        ledgers.close()
        assert rpc(url, "eth_blockNumber") == height
    assert first.chains == second.chains
    assert all(end.totals.holds for end in first.chains)


def test_the_command_line_runs_and_audits_on_a_node(
    url: str, short: Scenario, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operators' keys come from a file: those of the scenario have written here already."""
    keys, out = tmp_path / "keys.toml", tmp_path / "out"
    keys.write_text(f'[operators]\nsce56 = "0x{"11" * 32}"\nzone = "{"22" * 32}"\n')
    keys.chmod(0o600)
    options = ["--ledger", url, "--keys", str(keys), "--out", str(out)]
    app(["run", str(short.file), *options], standalone_mode=False)
    said = capsys.readouterr().out
    heads = re.findall(r"--head (\w+=[0-9a-f]{64})", said)
    assert len(heads) == 2
    assert "seed" not in said
    audit = [
        "audit",
        url,
        "--bodies",
        str(out / "companion.db"),
        *(f"--head={one}" for one in heads),
    ]
    app(audit, standalone_mode=False)
    assert capsys.readouterr().out.endswith("holds\n")
    with pytest.raises(BadInput, match="its chains are on nodes"):
        app(["audit", str(out / "companion.db")], standalone_mode=False)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("", 0o600, "expected a table"),
        ("[operators]\nsce56 = '1'", 0o600, "operators.sce56: expected a private key"),
        (f"[operators]\nsce56 = '{'00' * 32}'", 0o600, "operators.sce56: expected a private key"),
        (f"[operators]\nsce56 = '{'11' * 32}'", 0o644, "may be read by others"),
        (f"[operators]\nsce56 = '{'11' * 32}'", 0o600, "operators.zone: expected a private key"),
    ],
)
def test_a_key_file_that_is_none_is_bad_input(
    tmp_path: Path, text: str, mode: int, words: str
) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(text)
    keys.chmod(mode)
    with pytest.raises(BadInput, match=words) as caught:
        read_keys(keys, ("sce56", "zone"))
    assert "11" * 32 not in str(caught.value)
