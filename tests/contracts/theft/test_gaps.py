"""A meter that was silent: its leaf binds an older reading, and none may have been posted since."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from tests.contracts.harness import REGION, World, decoded, refused
from tests.contracts.parts import CHALLENGER, INTERVAL, TERMS, NetWorld, Settled
from tests.contracts.reading import Contract

from gridpact.crypto.keys import Key as Device
from gridpact.ledger.onchain import roots
from gridpact.ledger.proving import proofs
from gridpact.ledger.proving.leaf import meter_digest
from gridpact.ledger.proving.part import Part
from gridpact.ledger.proving.recorded import NEVER
from gridpact.model.delivery import Reading, SignedReading
from gridpact.model.interval import Phase

CANCELLED = 5
SILENT = INTERVAL - 2
"""The interval of which the meter's word is asked for."""
AT = 3


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=INTERVAL + 1)


def signed(market: NetWorld, reading: Reading) -> SignedReading:
    device = next(one for one in market.people if one.address == reading.meter)
    return SignedReading(reading, device.sign(reading.digest(market.world.domain)))


def with_older(market: NetWorld, interval: int, energy: int = 0) -> tuple[Settled, Part]:
    """Return a posted part in which one seller's reading before is that of an older interval."""
    settled = market.market(trades=8)
    seller = settled.trades[AT][1].seller
    before, now = settled.readings[seller]
    first = changed(before.reading, interval=interval)
    if interval == NEVER:
        first = changed(first, import_wh=energy, export_wh=energy)
    pair = signed(market, first), now
    digest = meter_digest(*(one.reading.digest(market.world.domain) for one in pair))
    settled = replace(
        settled,
        readings={**settled.readings, seller: pair},
        meters={**settled.meters, seller: digest},
    )
    return settled, market.posted(settled)


def heard(market: NetWorld, interval: int) -> list[SignedReading]:
    """Post readings of everybody at the end of an interval before, and return them."""
    read = [
        signed(market, Reading(one.address, REGION, interval, 5_000, 7_000))
        for one in market.people
    ]
    write = decoded(market.world.write(Phase.DELIVER, interval))
    root = roots.reading_root(read)
    market.world.send(Contract.CLEARING, "deliver", write, root, (0, 1, 0))
    return read


def place(read: list[SignedReading], who: bytes) -> int:
    return next(n for n, one in enumerate(read) if one.reading.meter == who)


def pair_of(settled: Settled) -> tuple[Reading, Reading]:
    before, now = settled.readings[settled.trades[AT][1].seller]
    return before.reading, now.reading


def test_a_meter_that_was_silent_may_bind_an_older_reading(market: NetWorld) -> None:
    settled, part = with_older(market, INTERVAL - 4)
    fill = settled.trades[AT][1]
    with refused("evidence: nothing wrong"):
        market.prove(proofs.reading(part, fill, AT, True, settled.readings[fill.seller]))
    market.demand(part, AT)
    market.answer(settled, part, AT)


def test_a_reading_that_was_posted_between_proves_energy_counted_twice(market: NetWorld) -> None:
    settled, part = with_older(market, INTERVAL - 4)
    fill, read = settled.trades[AT][1], heard(market, SILENT)
    at = place(read, fill.seller)
    market.prove(proofs.between(part, fill, AT, True, pair_of(settled), read, at))
    assert market.state(part)[0] == CANCELLED
    assert market.world.view(Contract.COUNCIL, "pledged", CHALLENGER.address)[0] == 0


def test_a_reading_that_was_not_posted_between_proves_nothing(market: NetWorld) -> None:
    settled, part = with_older(market, SILENT)
    fill = settled.trades[AT][1]
    bound = pair_of(settled)
    same, late = heard(market, SILENT), heard(market, SILENT - 1)
    at = place(same, fill.seller)
    for read in (same, late):
        with refused("fraud: not read between"):
            market.prove(proofs.between(part, fill, AT, True, bound, read, at))
    with refused("fraud: not read between"):
        market.prove(proofs.between(part, fill, AT, True, bound, same, (at + 1) % len(same)))
    with refused("fraud: other readings"):
        market.prove(proofs.between(part, fill, AT, True, bound[::-1], same, at))
    # the meter's own word, kept back until now
    kept = [signed(market, Reading(fill.seller, REGION, INTERVAL - 1, 5_000, 7_000))]
    with refused("fraud: not a posted reading"):
        market.prove(proofs.between(part, fill, AT, True, bound, kept, 0))
    forged = [changed(one, signature=Device.derive(b"a", "thief").sign(b"\1" * 32)) for one in same]
    older = [changed(one, reading=changed(one.reading, interval=INTERVAL - 1)) for one in forged]
    with refused("fraud: not a posted reading"):
        market.prove(proofs.between(part, fill, AT, True, bound, older, at))
    assert market.state(part)[0] != CANCELLED


@pytest.mark.parametrize("energy", [0, 1])
def test_before_its_first_reading_a_meter_stands_at_zero(market: NetWorld, energy: int) -> None:
    settled, part = with_older(market, NEVER, energy)
    fill = settled.trades[AT][1]
    fault = proofs.reading(part, fill, AT, True, settled.readings[fill.seller])
    if energy:
        market.prove(fault)
        assert market.state(part)[0] == CANCELLED
        return
    with refused("evidence: nothing wrong"):
        market.prove(fault)
    unsigned = tuple(changed(one, signature=bytes(65)) for one in settled.readings[fill.seller][:1])
    pair = (*unsigned, settled.readings[fill.seller][1])
    market.demand(part, AT)
    shown = replace(settled, readings={**settled.readings, fill.seller: pair})
    market.answer(shown, part, AT)
    market.world.go_to(INTERVAL + TERMS.window + TERMS.proving + 3)
    market.finalise(part)
