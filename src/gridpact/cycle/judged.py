"""What an aggregator finds out for itself before it signs a settlement, or a hold.

It reads both ledgers and nothing else: who takes part and the rules from the founding, prices,
fills that are committed, and the meters' signed readings, each of which it verifies. From these it
works out region balance, deliveries, statements, bills and losses, and compares.

Where sensors watch, it has the same measurements, and every hold must be what they say.

What it leaves to others: incentives (the contract bounds them; how steady a plant was stands in no
signed word), and energy that the network operator says it stopped during delivery.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeAlias

from msgspec.structs import replace

from gridpact.crypto.recovery import signed_by
from gridpact.cycle.crossing import homeward
from gridpact.cycle.deliver import Listening, Parties, allocated, balanced
from gridpact.cycle.disputes import PART, at_home, in_dispute, resolved
from gridpact.cycle.net import after_dispute, locks, set_aside, with_part
from gridpact.cycle.past import Past
from gridpact.cycle.ports import Delivered
from gridpact.cycle.rejudged import Rejudged
from gridpact.cycle.result import cumulative, metered, read
from gridpact.cycle.settle import free_money, local, refunds, zonal
from gridpact.cycle.watch import Watch
from gridpact.errors import SettlementError
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.attest import Signed
from gridpact.model.council import Word
from gridpact.model.delivery import Metered
from gridpact.model.interval import Key, Phase
from gridpact.model.net import NetPart
from gridpact.model.record import (
    Commitment,
    Found,
    Meters,
    Prices,
    Rotation,
    Settlement,
    Verdicts,
)
from gridpact.model.trade import Fill
from gridpact.quantities import Wh
from gridpact.settlement.allocation import Allocation

Fills: TypeAlias = tuple[Fill, ...]


@dataclass
class Judge:
    """One aggregator's view of a region and its zone; it keeps the registers it has verified."""

    local: Ledger
    zonal: Ledger
    region: bytes
    zone: bytes
    watch: Watch | None = None
    _next: int = 0
    _registers: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    _carried: int = 0
    _committed: tuple[Fills, Fills] = ((), ())
    _homes: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    _shared: Allocation = field(default_factory=lambda: Allocation((), (), 0))

    def require(self, ledger: Ledger, key: Key, record: Signed) -> None:
        """Refuse a settlement that is not what it comes to, a hold that sensors did not give.

        Raises
        ------
        SettlementError
            With the first row that differs, or the reading that does not count.
        """
        if isinstance(record, Verdicts):
            self._listen(key.interval - 1)
            self._sensors(key.interval).require(key, record)
        else:
            self._require_settled(ledger, key, record)

    def _require_settled(self, ledger: Ledger, key: Key, settlement: Settlement) -> None:
        if key.part == PART:
            due = self._ended(ledger, key)
        else:
            self._listen(key.interval)
            if key.interval != self._next - 1:
                raise SettlementError(f"{key}: heard up to interval {self._next - 1} already")
            due = self._zonal(key) if key.region == self.zone else self._local(key)
        stated = unsigned(replace(settlement, incentives=()))
        if stated != due:
            raise SettlementError(_difference(stated, due))

    def require_locks(self, key: Key, commitment: Commitment) -> None:
        """Refuse locks of a part that are not what the posted clearing's fills can cost.

        Raises
        ------
        SettlementError
            With what differs.
        """
        due = locks(self.local, key, commitment.fills)
        if commitment.net != due:
            raise SettlementError(f"{key}: other locks than its fills can cost")

    def require_held(self, key: Key, settlement: Settlement) -> None:
        """Refuse a settlement of what a part held that is not what its leaves come to.

        Raises
        ------
        SettlementError
            With the first row that differs.
        """
        due = after_dispute(self.local, replace(key, part=0))
        if due is None:
            raise SettlementError(f"{key}: nothing was held")
        if unsigned(settlement) != due:
            raise SettlementError(_difference(unsigned(settlement), due))

    # readings

    def _listen(self, interval: int) -> None:
        """Verify the readings of all intervals up to this one that were not verified before."""
        while self._next <= interval:
            here = read(self.local, self.region, self._next, Phase.DELIVER, Meters)
            there = read(self.zonal, self.zone, self._next, Phase.DELIVER, Meters)
            self._verify(self._next, here, there)
            energy = metered((*here.readings, *there.readings), self._registers)
            self._committed = self._fills(self._next)
            holds = self._held(self._next)
            self._shared = self._allocated(self._next, here, there, energy, holds)
            self._registers |= cumulative(here, there)
            self._carried = here.carried_wh
            self._next += 1

    def _verify(self, interval: int, here: Meters, there: Meters) -> None:
        parties = self._parties(interval)
        chains = (
            (self.local, self.region, here, (*parties.homes, parties.substation)),
            (self.zonal, self.zone, there, parties.plants),
        )
        for ledger, region, meters, known in chains:
            listening = Listening(region, interval, ledger.domain, self._registers, signed_by)
            heard = listening.heard(meters.readings, known)
            if heard != list(meters.readings):
                bad = next(one for one in meters.readings if one not in heard)
                raise SettlementError(
                    f"reading of {bad.reading.meter.hex()}: not what its meter signed for "
                    f"interval {interval}"
                )
        past = Past(0, self._registers, carried_wh=self._carried)
        prices = read(self.local, self.region, interval, Phase.PRICE, Prices)
        signed = Delivered(here.readings, there.readings, here.curtailed)
        if balanced(parties, signed, past, prices.loss_share) != here:
            raise SettlementError(f"interval {interval}: another balance than its readings give")

    @cached_property
    def _found(self) -> Found:
        return read(self.local, self.region, 0, Phase.FOUND, Found)

    def _parties(self, interval: int) -> Parties:
        """Return whose meters count in an interval: those of the households of its period."""
        period = self._found.period
        begins = interval - interval % period if period else 0
        if begins not in self._homes:
            here: Found | Rotation = self._found
            if begins:
                here = read(self.local, self.region, begins, Phase.FOUND, Rotation)
            self._homes[begins] = tuple(p.address for p in here.participants if p.is_metered)
        return Parties(self._homes[begins], self._plants, self._found.substation)

    @cached_property
    def _plants(self) -> tuple[bytes, ...]:
        there = read(self.zonal, self.zone, 0, Phase.FOUND, Found)
        return tuple(p.address for p in there.participants if p.is_metered)

    # settlements

    def _fills(self, interval: int) -> tuple[Fills, Fills]:
        """Return the fills that are committed: local ones, and those whose money crossed."""
        here = read(self.local, self.region, interval, Phase.COMMIT, Commitment)
        there = read(self.zonal, self.zone, interval, Phase.COMMIT, Commitment)
        return here.fills, () if there.refused is not None else here.crossed

    def _held(self, interval: int) -> Mapping[bytes, Wh]:
        if not self._found.watch.on:
            return {}
        return self._sensors(interval).held(interval)

    def _sensors(self, interval: int) -> Rejudged:
        if self._rejudged is None:
            raise SettlementError(f"interval {interval}: no measurements to judge its holds by")
        return self._rejudged

    @cached_property
    def _rejudged(self) -> Rejudged | None:
        if self.watch is None:
            return None
        return Rejudged.of(self.watch, self.local, self.zonal, (self.region, self.zone))

    def _allocated(
        self,
        interval: int,
        here: Meters,
        there: Meters,
        energy: Mapping[bytes, Metered],
        holds: Mapping[bytes, Wh],
    ) -> Allocation:
        own, crossed = self._committed
        fills = (*own, *crossed)
        shared = allocated(self._parties(interval), fills, here, there.curtailed, energy, holds)
        if there.before_wh != sum(one.sent for one in shared.deliveries[: len(own)]):
            raise SettlementError(f"interval {interval}: the zone's running sum begins elsewhere")
        return shared

    def _local(self, key: Key) -> Settlement:
        found, prices = self._rules(key)
        (own, crossed), shared = self._committed, self._shared
        there = read(self.zonal, self.zone, key.interval, Phase.SETTLE, Settlement)
        made = (own, shared.deliveries[: len(own)], shared, crossed, there)
        homes = set(self._parties(key.interval).homes)
        free, aside = free_money(self.local), set_aside(self.local, key)
        due = local(found.settlement, prices, free, homes, *made, aside)
        return with_part(self.local, key, due)

    def _zonal(self, key: Key) -> Settlement:
        found, prices = self._rules(key)
        (own, _), shared = self._committed, self._shared
        committed = read(self.zonal, self.zone, key.interval, Phase.COMMIT, Commitment)
        return zonal(
            found.settlement,
            prices,
            free_money(self.zonal),
            set(self._plants),
            committed.fills,
            shared.deliveries[len(own) :],
            shared,
            partial(homeward, self.zonal.name, self.local.name, self._at_home(key)),
        )

    def _ended(self, ledger: Ledger, key: Key) -> Settlement:
        """Return what disputes of an interval come to when their window is over."""
        found, prices = self._rules(key)
        first = read(ledger, key.region, key.interval, Phase.SETTLE, Settlement)
        due = resolved(found.settlement, ledger, in_dispute(first), prices)
        if key.region == self.zone:
            back = sum(one.refund + one.claim for one in due.statements)
            home = homeward(self.zonal.name, self.local.name, self._at_home(key), back)
            return replace(due, departed=home)
        there = self.zonal.read(replace(key, region=self.zone), Settlement)
        if there is None:
            raise SettlementError(f"{key}: the zone has not settled its disputes yet")
        own = at_home(self.local, self.region, key.interval, there.fills)
        return replace(due, refunds=refunds(own, there.statements), arrived=there.departed)

    def _rules(self, key: Key) -> tuple[Found, Prices]:
        return self._found, read(self.local, self.region, key.interval, Phase.PRICE, Prices)

    def _at_home(self, key: Key) -> Key:
        return replace(key, region=self.region)


def unsigned(settlement: Settlement) -> Settlement:
    """Return a settlement without the council's words."""
    part = settlement.net and replace(settlement.net, word=Word())
    return replace(settlement, word=Word(), net=part)


def _difference(stated: Settlement, due: Settlement) -> str:
    """Return in words where two settlements differ first."""
    for name in Settlement.__struct_fields__:
        said, owed = getattr(stated, name), getattr(due, name)
        if said == owed:
            continue
        if isinstance(said, NetPart) and isinstance(owed, NetPart):
            other = [
                one for one in NetPart.__struct_fields__ if getattr(said, one) != getattr(owed, one)
            ]
            return f"net: other {', '.join(other)} stated than by the signed readings"
        if not isinstance(said, tuple) or len(said) != len(owed):
            return f"{name}: {said} stated, {owed} by the signed readings"
        row = next(n for n, pair in enumerate(zip(said, owed, strict=True)) if pair[0] != pair[1])
        return f"{name} {row}: {said[row]} stated, {owed[row]} by the signed readings"
    raise AssertionError("two settlements that do not differ")
