"""What does a day's local trade cost in gas, settled fill by fill and net?

    python -m bench net_run

The 56-bus day is run signed on embedded chains in both ways; then every transaction of the region's
chain is executed again by py-evm, which counts gas as Ethereum charges it. Counted is what differs:
locks, settlement and ratings of local fills. Collecting and closing orders, meters, bills and the
council's word on them cost the same in both.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bench.rows import Row
from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import embedded_ledgers
from gridpact.ledger.audit.audit import AuditedBlock, View, audit
from gridpact.ledger.chain import Call
from gridpact.ledger.evm.engine import EvmEngine, Execution, Moment
from gridpact.ledger.evm.pyevm import PyEvm
from gridpact.ledger.evm.state_hash import State
from gridpact.ledger.evm.transactions import Transaction
from gridpact.ledger.onchain.decode import Decoder
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario

SCENARIO = Path(__file__).parents[1] / "scenarios" / "sce56-day.toml"
INTERVALS = 14
BATCHES = ("settlement.commit", "settlement.settle", "reputation.rate")
NET = ("net.reserve", "net.commit", "net.post", "net.finalise", "reputation.rate_part")
NOTES = f"""
The first {INTERVALS} hours of `scenarios/sce56-day.toml`, region's chain only, a council of four of
which three sign. Net brings nine signatures per interval (reserve, commit, post) at about 6,000 gas
each, and its accounts are written twice (reserve, finalise), whoever trades once or ten times: the
more trades over the same accounts, the less each costs net
([gas.md](gas.md) has 1,000 trades over 80 accounts). Call data of lists is counted.
"""


class Counting(PyEvm):
    """py-evm that keeps the gas of every transaction."""

    def __init__(self, chain_id: int, state: State, gas: list[int]) -> None:
        super().__init__(chain_id, state)
        self._gas = gas

    def execute(self, transaction: Transaction, sender: bytes, moment: Moment) -> Execution:
        done = super().execute(transaction, sender, moment)
        self._gas.append(self.gas_used)
        return done


class Meter:
    """Adds up gas by function on one chain (`audit.Inspector`)."""

    def __init__(self, chain: str, gas: list[int]) -> None:
        self._chain, self._gas, self._at = chain, gas, 0
        self.spent: Counter[str] = Counter()

    def block(self, block: AuditedBlock, _view: View) -> None:
        first, self._at = self._at, self._at + len(block.calls)
        if block.chain.name == self._chain:
            decoder = Decoder(block.chain.operator)
            for call, gas in zip(block.calls, self._gas[first : self._at], strict=True):
                self.spent[_name(decoder, call)] += gas

    def finish(self) -> None:
        assert self._at == len(self._gas), "a transaction was counted for no block"


class Spent(NamedTuple):
    """Gas by function, and how many local trades it settled."""

    gas: Mapping[str, int]
    trades: int


def _name(decoder: Decoder, call: Call) -> str:
    said = decoder.call(call.to, call.data)
    return f"{said.contract}.{said.name}" if said else "unknown"


def measured(scenario: Scenario, folder: Path) -> Spent:
    """Run a scenario and count its gas."""
    file = folder / f"{'net' if scenario.net else 'batches'}.db"
    ledgers = embedded_ledgers(scenario, file)
    day = run_day(scenario, ledgers, lambda _interval, _phase: None)
    ledgers.close()
    gas: list[int] = []
    meter = Meter(scenario.region, gas)

    def counting(chain_id: int, state: State) -> EvmEngine:
        return Counting(chain_id, state, gas)

    audit(file, {}, (meter,), counting)
    return Spent(meter.spent, sum(len(one.settlement.fills) for one in day.intervals))


def run() -> tuple[Row, ...]:
    """Return the gas per trade of either way."""
    whole = load(SCENARIO)
    scenario = replace(whole, time=replace(whole.time, intervals=INTERVALS))
    with tempfile.TemporaryDirectory() as folder:
        ways = [measured(replace(scenario, net=net), Path(folder)) for net in (False, True)]
    batches, net = ways
    assert batches.trades == net.trades
    totals = [_total(one, names) for one, names in zip(ways, (BATCHES, NET), strict=True)]
    return (
        Row("local trades", batches.trades, "trades"),
        *(Row(f"batches: {name}", _each(batches, name), "gas per trade") for name in BATCHES),
        Row("batches: in all", totals[0], "gas per trade"),
        *(Row(f"net: {name}", _each(net, name), "gas per trade") for name in NET),
        Row("net: in all", totals[1], "gas per trade", "batches", totals[1] / totals[0]),
    )


def _each(spent: Spent, name: str) -> float:
    return round(spent.gas[name] / spent.trades)


def _total(spent: Spent, names: tuple[str, ...]) -> float:
    return round(sum(spent.gas[name] for name in names) / spent.trades)
