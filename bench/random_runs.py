"""A random market, run: in memory, on the embedded chains, with meters that fail and power cuts."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from bench.promises import hold, require_promises
from bench.random_markets import Case, Fault
from gridpact.assembly.day import DayResult, Stopwatch, run_parts
from gridpact.assembly.ledgers import (
    Ledgers,
    audit_ledger,
    chain_id,
    embedded_ledgers,
    memory_ledgers,
    operator_key,
)
from gridpact.assembly.parts import Assembled, assemble
from gridpact.crypto.eip712 import Domain
from gridpact.cycle.ports import Delivered, Expected, Field, Submitted
from gridpact.cycle.result import IntervalResult
from gridpact.ledger.ledger import Head, Ledger
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.delivery import Reading, SignedReading
from gridpact.model.interval import Key
from gridpact.model.record import Limit, Record
from gridpact.simulation.people import Party


class FaultyField:
    """A field whose meters fail as a case says; everything else is the field's own."""

    def __init__(self, inner: Field, parts: Assembled, faults: Sequence[Fault]) -> None:
        self._inner, self._parts, self._faults = inner, parts, faults

    def expected(self, interval: int) -> Expected:
        return self._inner.expected(interval)

    def orders(self, interval: int) -> Submitted:
        return self._inner.orders(interval)

    def deliver(
        self, interval: int, limits: Sequence[Limit], reactive_var: Mapping[bytes, int]
    ) -> Delivered:
        delivered = self._inner.deliver(interval, limits, reactive_var)
        people, market = self._parts.people, self._parts.market
        parties = (*people.sites, *people.plants, people.substation)
        for fault in self._faults:
            if fault.interval == interval:
                party = parties[fault.meter]
                delivered = replace(
                    delivered,
                    local=self._spoilt(delivered.local, fault, party, market.local.domain),
                    zonal=self._spoilt(delivered.zonal, fault, party, market.zonal.domain),
                )
        return delivered

    def _spoilt(
        self, readings: Sequence[SignedReading], fault: Fault, party: Party, domain: Domain
    ) -> list[SignedReading]:
        spoilt: list[SignedReading] = []
        for one in readings:
            if one.reading.meter == party.address:
                spoilt.extend(self._instead(one, fault.kind, party, domain))
            else:
                spoilt.append(one)
        return spoilt

    def _instead(
        self, one: SignedReading, kind: str, party: Party, domain: Domain
    ) -> Sequence[SignedReading]:
        """Return what arrives of a meter in place of its honest reading."""
        now, change = one.reading, msgspec.structs.replace
        other = change(now, export_wh=now.export_wh + 5_000)

        def signed(reading: Reading) -> SignedReading:
            key = party.key
            return SignedReading(
                reading, key.sign(reading.digest(domain)) if one.signature else b""
            )

        if not one.signature and kind == "forged":
            return [one]  # a study without signatures cannot tell
        stranger = change(now, meter=b"\x99" * 20)
        return {
            "silent": list,
            "forged": lambda: [SignedReading(other, one.signature)],
            "backwards": lambda: [signed(change(now, import_wh=now.import_wh // 2))],
            "more export": lambda: [signed(other)],
            "more import": lambda: [signed(change(now, import_wh=now.import_wh + 5_000))],
            "too large": lambda: [signed(change(now, import_wh=2**40 + now.import_wh))],
            "twice": lambda: [one, signed(other)],
            "stranger": lambda: [one, SignedReading(stranger, one.signature)],
            "of another interval": lambda: [signed(change(now, interval=now.interval + 1))],
            "of another region": lambda: [signed(change(now, region=b"\x77" * 32))],
        }[kind]()


def play(case: Case, ledgers: Ledgers | None = None, signed: bool = False) -> DayResult:
    """Run a case, or what is left of it, on the given ledgers or in memory."""
    used = memory_ledgers(case.scenario) if ledgers is None else ledgers
    stopwatch = Stopwatch(lambda _interval, _phase: None)
    parts = assemble(case.scenario, used, signed, case.conduct)
    market = replace(parts.market, field=FaultyField(parts.market.field, parts, case.faults))
    return run_parts(replace(parts, market=market), used, stopwatch)


class PowerCut(Exception):
    """The machine is gone."""


class Failing:
    """A ledger on a machine whose power fails around the n-th write of both chains together."""

    def __init__(self, ledger: Ledger, left: list[int], after: bool) -> None:
        self._ledger, self._left, self._after = ledger, left, after

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    def write(self, key: Key, record: Record) -> Head:
        self._left[0] -= 1
        if self._left[0] == 0 and not self._after:
            raise PowerCut
        head = self._ledger.write(key, record)
        if self._left[0] == 0:
            raise PowerCut
        return head


def require_chains(case: Case, folder: Path) -> DayResult:
    """Run a case with signatures on the embedded chains, and once more with a power cut.

    Raises AssertionError when the chains settle otherwise than the rules in memory, or when the run
    that was cut ends in another state; `Corrupt` when the audit does not pass.
    """
    whole = _embedded(case, folder / "whole.db")
    require_promises(whole)
    plain = play(case, _twins(case), signed=True)
    for there, here in zip(whole.intervals, plain.intervals, strict=True):
        hold(_decided(there) == _decided(here), "other records than in memory", there.interval)
    chance = random.Random(case.seed)
    writes = sum(end.head.number for end in whole.chains)
    cut = (chance.randrange(2, writes), chance.random() < 0.5)
    try:
        _embedded(case, folder / "cut.db", cut)
    except PowerCut:
        resumed = _embedded(case, folder / "cut.db")
        hold(_ends(resumed) == _ends(whole), "another end after a power cut at write", cut)
    else:
        raise AssertionError(f"no power cut at write {cut} of {writes}")
    for name in ("whole.db", "cut.db"):
        audit_ledger(folder / name, {})
    return whole


def _embedded(case: Case, path: Path, cut: tuple[int, bool] | None = None) -> DayResult:
    ledgers = embedded_ledgers(case.scenario, path)
    try:
        if cut is None:
            return play(case, ledgers, signed=True)
        left = [cut[0]]
        failing = Ledgers(
            Failing(ledgers.local, left, cut[1]), Failing(ledgers.zonal, left, cut[1])
        )
        return play(case, failing, signed=True)
    finally:
        ledgers.close()


def _ends(day: DayResult) -> list[tuple[bytes, bytes]]:
    return [(end.state_hash, end.head.hash) for end in day.chains]


def _decided(result: IntervalResult) -> tuple[object, ...]:
    """Return what an interval decided: all but the heads that chains name to each other."""
    return (
        (result.prices, result.book, result.plant_book, result.cleared),
        (result.meters, result.plant_meters),
        (result.settlement, result.zonal_settlement),
        (result.rating, result.plant_rating),
    )


class Twin(MemoryLedger):
    """A ledger in memory under a chain's own domain: orders have the same names on both."""

    def __init__(self, name: str, domain: Domain) -> None:
        super().__init__(name)
        self._domain = domain


def _twins(case: Case) -> Ledgers:
    scenario = case.scenario

    def twin(name: str) -> Twin:
        suite = Suite(operator_key(scenario, f"operator of {name}").address)
        return Twin(name, suite.domain(chain_id(scenario, name)))

    return Ledgers(twin(scenario.region), twin(scenario.zone))
