"""Are the sensors' records on a ledger what their log says? An inspector for whoever has the log.

The log is learned from and replayed as the market's sensors did it, so every root, every hash and
every hold must come out the same. Without the log the audit says only what a ledger shows by itself
(`ledger.audit.verdicts`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridpact.crypto.eip712 import Domain
from gridpact.cycle.permits import DURING
from gridpact.cycle.rejudged import Rejudged
from gridpact.cycle.watch import SKY, Watch
from gridpact.errors import Corrupt, ScenarioError, SettlementError
from gridpact.ledger.audit.audit import AuditedBlock, View
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import Role
from gridpact.model.record import Commitment, Found, R, Record, Verdicts, decode_any
from gridpact.model.watch import WatchTerms
from gridpact.safety.sensors import Sensors, Tick
from gridpact.sense import replay
from gridpact.sense.log import Log, read
from gridpact.sense.meta import Meta, read_meta

_READ = (Phase.FOUND, Phase.COMMIT, Phase.DELIVER)


@dataclass
class _Chain:
    """The records of one chain that sensors have to do with (`cycle.result.Reads`)."""

    name: str
    domain: Domain
    records: dict[Key, Record] = field(default_factory=dict)

    def read(self, key: Key, kind: type[R]) -> R | None:
        found = self.records.get(key)
        return found if isinstance(found, kind) else None


@dataclass(frozen=True)
class _Feed:
    """A log as a feed (`cycle.watch.Feed`)."""

    log: Log

    def sky(self, time: int) -> NDArray[np.float64]:
        return replay.sky(self.log, time)

    def warned(self, time: int) -> NDArray[np.bool_]:
        return replay.warned(self.log, time)

    def tick(self, time: int) -> Tick:
        return replay.quarter(self.log, time)


class SensorAudit:
    """Compares the sensors' records with a log (`audit.Inspector`); `judged` counts intervals."""

    def __init__(self, folder: Path) -> None:
        self._log, self._path = read(folder), folder / "meta.json"
        self._meta = read_meta(self._path)
        self._chains: dict[str, _Chain] = {}
        self.judged = 0

    def with_log(self, folder: Path) -> "SensorAudit":
        """Return one that has seen the same blocks and judges them by another log."""
        other = SensorAudit(folder)
        other._chains = self._chains
        return other

    def block(self, block: AuditedBlock, _view: View) -> None:
        """Remember what the sensors said, and of which fills."""
        if block.key.phase not in _READ:
            return
        domain = Suite(block.chain.operator).domain(block.chain.chain_id)
        chain = self._chains.setdefault(block.chain.name, _Chain(block.chain.name, domain))
        record = decode_any(block.body)
        if isinstance(record, Found | Commitment | Verdicts):
            chain.records[block.key] = record

    def finish(self) -> None:
        """Replay the log interval by interval, as far as the ledgers go."""
        regions, zones = self._sorted(region=True), self._sorted(region=False)
        if len(regions) != 1 or len(zones) != 1:
            raise Corrupt(str(self._path), "log: of one region and its zone, not of these chains")
        (local, here), (zonal, there) = regions[0], zones[0]
        places = (here.region, there.region)
        again = Rejudged.of(self._watch(here.watch), local, zonal, places)
        interval = 0
        while all(
            chain.read(Key(where, interval, Phase.DELIVER, DURING), Verdicts) is not None
            for chain, where in ((local, here.region), (zonal, there.region))
        ):
            try:
                again.held(interval)
            except SettlementError as error:
                raise Corrupt(str(self._path.parent), f"log: {error}") from error
            interval += 1
        self.judged = interval

    def _sorted(self, region: bool) -> list[tuple[_Chain, Found]]:
        found = [
            (chain, record)
            for chain in self._chains.values()
            for record in chain.records.values()
            if isinstance(record, Found)
        ]
        return [
            (chain, one)
            for chain, one in found
            if region != any(Role.REGION in who.roles for who in one.participants)
        ]

    def _watch(self, terms: WatchTerms) -> Watch:
        learned, names = replay.learned(self._log), self._log.layout.meters
        if learned.version != terms.model:
            raise Corrupt(
                str(self._path.parent),
                f"log: its clean days teach {learned.version}, the chain was founded with "
                f"{terms.model or 'no sensors'}",
            )
        place = {name: n for n, name in enumerate(names)}
        meters, salt, first = _secrets(self._path, self._meta)
        feeders = {name: n for n, name in enumerate(self._log.layout.feeders)}
        watch = Watch(
            sensors=Sensors.of(learned),
            feed=_Feed(self._log),
            meters={who: tuple(place[name] for name in own) for who, own in meters.items()},
            terms=terms,
            salt=salt,
            now=first,
            above=_above(self._path, self._meta, feeders),
        )
        watch.warm_up(self._log.trained)
        return watch


def _secrets(path: Path, meta: Meta) -> tuple[dict[bytes, list[str]], bytes, int]:
    """Return whose meters are whose, the salt, and when the log begins."""
    try:
        meters = {
            bytes.fromhex(who): [str(name) for name in own]
            for who, own in meta["participants"].items()
        }
        salt, first = bytes.fromhex(meta["salt"]), int(meta["first"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problem = "expected participants, salt and first, as `gridpact run` writes them"
        raise ScenarioError(path, str(error), problem) from error
    if first % SKY:
        raise ScenarioError(path, "first", f"expected a multiple of {SKY} s, not {first}")
    return meters, salt, first


def _above(path: Path, meta: Meta, place: Mapping[str, int]) -> tuple[int, ...]:
    """Return by feeder the one that it hangs on."""
    try:
        rows = {place[one["feeder"]]: place[one["above"]] for one in meta["feeders"]}
        return tuple(rows[feeder] for feeder in range(len(place)))
    except (KeyError, TypeError) as error:
        problem = "expected each feeder with the one above it, as `gridpact run` writes them"
        raise ScenarioError(path, "feeders", problem) from error
