"""What the chains of a zone must be together: energy, crossings and anchors.

Energy is exact, to the watt-hour: what each meter took is what its fills and its grid supply
brought it; the region's loss is what the substation's meter leaves open, and where meters are
missing the expected loss, with the rest carried on (`model.balance`). Money that left one chain
arrived on the other under the same id. Intervals that a stopped run left unfinished are judged as
far as they go.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from gridpact.errors import Corrupt
from gridpact.ledger.audit.seen import Seen
from gridpact.ledger.ledger import Head
from gridpact.model.balance import close
from gridpact.model.interval import Key, Phase
from gridpact.model.record import (
    Anchor,
    Commitment,
    Confirmed,
    Crossing,
    Meters,
    Prices,
    Returned,
    Settlement,
)
from gridpact.quantities import Wh


def check_zones(chains: Mapping[str, Seen]) -> None:
    """Raise `Corrupt` where chains contradict each other."""
    zones = [chain for chain in chains.values() if chain.is_zone]
    regions = [chain for chain in chains.values() if not chain.is_zone]
    _crossings(chains)
    for zone in zones:
        _anchors(zone, regions)
    for interval in _intervals(regions):
        _energy(interval, regions, zones)


def _intervals(regions: Sequence[Seen]) -> Iterator[int]:
    yield from sorted({key.interval for region in regions for key, _ in region.of(Settlement)})


# crossings


def _crossings(chains: Mapping[str, Seen]) -> None:
    sent: dict[bytes, Crossing] = {}
    received: dict[bytes, Key] = {}
    for chain, key, departed, arrived in _ends(chains):
        if departed is not None:
            if departed.id in sent:
                raise Corrupt(chain.place(key), f"crossing {_name(departed)}: left twice")
            sent[departed.id] = departed
        if arrived is not None:
            received[arrived.id] = key
    for chain, key, _, arrived in _ends(chains):
        if arrived is not None and sent.get(arrived.id) != arrived:
            problem = f"crossing {_name(arrived)}: not what left {arrived.source}"
            raise Corrupt(chain.place(key), problem)
    for chain in chains.values():
        for key, commitment in chain.of(Commitment):
            _refused(chain, key, commitment.refused, sent, received)
    for chain in chains.values():
        for key, confirmed in chain.of(Confirmed):
            _confirmed(chain, key, confirmed, chains, received)
        for key, returned in chain.of(Returned):
            _returned(chain, key, returned, chains, received)
        _ended(chain)


def _confirmed(
    chain: Seen,
    key: Key,
    confirmed: Confirmed,
    chains: Mapping[str, Seen],
    received: Mapping[bytes, Key],
) -> None:
    crossing = confirmed.crossing
    target = chains.get(crossing.target)
    taken = received.get(crossing.id)
    if target is None or taken is None or target.heads[taken].hash != confirmed.receipt:
        problem = f"crossing {_name(crossing)}: confirmed by no block of {crossing.target}"
        raise Corrupt(chain.place(key), problem)


def _refused(
    chain: Seen,
    key: Key,
    refused: Crossing | None,
    sent: Mapping[bytes, Crossing],
    received: Mapping[bytes, Key],
) -> None:
    if refused is None:
        return
    if sent.get(refused.id) != refused:
        problem = f"crossing {_name(refused)}: refused, and is not what left {refused.source}"
        raise Corrupt(chain.place(key), problem)
    if refused.id in received:
        raise Corrupt(chain.place(key), f"crossing {_name(refused)}: refused and taken in")


def _returned(
    chain: Seen,
    key: Key,
    returned: Returned,
    chains: Mapping[str, Seen],
    received: Mapping[bytes, Key],
) -> None:
    """Money comes back only when the other chain refused it: never minted and returned."""
    crossing = returned.crossing
    if crossing.id in received:
        raise Corrupt(chain.place(key), f"crossing {_name(crossing)}: taken in and returned")
    target = chains.get(crossing.target)
    blocks = {
        target.heads[where].hash
        for where, commitment in (target.of(Commitment) if target else ())
        if target and commitment.refused == crossing
    }
    if returned.receipt not in blocks:
        problem = f"crossing {_name(crossing)}: refused by no block of {crossing.target}"
        raise Corrupt(chain.place(key), problem)


def _ended(chain: Seen) -> None:
    """Delivery never starts on money that is still on its way."""
    done = {record.crossing.id for _, record in chain.of(Confirmed)}
    done |= {record.crossing.id for _, record in chain.of(Returned)}
    for key, commitment in chain.of(Commitment):
        crossing = commitment.departed
        if crossing is None or crossing.id in done:
            continue
        if chain.get(key.interval, Phase.DELIVER, Meters) is not None:
            problem = f"crossing {_name(crossing)}: delivered before it was taken in or returned"
            raise Corrupt(chain.place(key), problem)


def _ends(
    chains: Mapping[str, Seen],
) -> Iterator[tuple[Seen, Key, Crossing | None, Crossing | None]]:
    for chain in chains.values():
        for key, commitment in chain.of(Commitment):
            yield chain, key, commitment.departed, commitment.arrived
        for key, settlement in chain.of(Settlement):
            yield chain, key, settlement.departed, settlement.arrived


def _name(crossing: Crossing) -> str:
    return crossing.id.hex()[:16]


# anchors


def _anchors(zone: Seen, regions: Sequence[Seen]) -> None:
    by_region = {region.found.region: region for region in regions}
    last: dict[bytes, bytes] = {}
    for key, anchor in zone.of(Anchor):
        region = by_region.get(anchor.region)
        heads = {*region.heads.values(), *region.blocks} if region else set()
        if Head(anchor.number, anchor.head) not in heads:
            raise Corrupt(zone.place(key), f"anchor: region has no such block {anchor.number}")
        if anchor.previous != last.get(anchor.region, bytes(32)):
            raise Corrupt(zone.place(key), "anchor: names another predecessor")
        last[anchor.region] = anchor.head


# energy


def _energy(interval: int, regions: Sequence[Seen], zones: Sequence[Seen]) -> None:
    chains = (*regions, *zones)
    settled = [chain.get(interval, Phase.SETTLE, Settlement) for chain in chains]
    meters = [chain.get(interval, Phase.DELIVER, Meters) for chain in chains]
    if any(record is None for record in (*settled, *meters)):
        return  # a stopped run: the interval is not settled on every chain yet
    place = f"interval {interval}"
    metered = _metered(interval, chains)
    _balance(place, interval, chains, metered)
    _same_prices(place, interval, chains)
    received, sent = _traded(place, interval, chains)
    bought, sold = _grid_tier([record for record in settled if record is not None])
    for meter, (imported, exported) in metered.items():
        if any(meter == region.substation for region in regions):
            continue
        if received[meter] + bought[meter] != imported:
            raise Corrupt(
                place,
                f"energy of {meter.hex()}: imported {imported} Wh, fills brought "
                f"{received[meter]} and grid supply {bought[meter]}",
            )
        if sent[meter] + sold[meter] != exported:
            raise Corrupt(
                place,
                f"energy of {meter.hex()}: exported {exported} Wh, fills took "
                f"{sent[meter]} and grid supply {sold[meter]}",
            )


def _metered(interval: int, chains: Sequence[Seen]) -> dict[bytes, tuple[Wh, Wh]]:
    """Return what each meter that was heard took and gave since it last was."""
    energy = {}
    for chain in chains:
        now = chain.get(interval, Phase.DELIVER, Meters)
        for signed in now.readings if now else ():
            reading = signed.reading
            imported, exported = chain.earlier(reading.meter, interval)
            energy[reading.meter] = (reading.import_wh - imported, reading.export_wh - exported)
    return energy


def _balance(
    place: str,
    interval: int,
    chains: Sequence[Seen],
    metered: Mapping[bytes, tuple[Wh, Wh]],
) -> None:
    """Check that the regions' losses are what their substations' meters leave open.

    While a meter is missing they are the expected ones and the rest is carried: exactly that.
    """
    regions = [chain for chain in chains if not chain.is_zone]
    above = {region.substation for region in regions}
    from_above = sum(metered[meter][0] - metered[meter][1] for meter in above if meter in metered)
    people = [energy for meter, energy in metered.items() if meter not in above]
    imports, exports = sum(row[0] for row in people), sum(row[1] for row in people)
    posted = _posted(interval, regions)
    carried = sum(record.carried_wh for record in _posted(interval - 1, regions))
    loss = sum(record.loss_wh for record in posted)
    weighed = sum(record.weighed_wh for record in posted)
    rest = sum(record.carried_wh for record in posted)
    prices = [region.get(interval, Phase.PRICE, Prices) for region in regions]
    expected = max((one.loss_share for one in prices if one), default=0)
    due = close(
        from_above + exports - imports + carried,
        imports,
        expected,
        complete=_registered(chains, interval) <= metered.keys(),
    )
    if loss != due.loss_wh:
        raise Corrupt(place, f"loss: {loss} Wh posted, the meters leave {due.loss_wh}")
    if rest != due.carried_wh:
        raise Corrupt(place, f"loss: {rest} Wh carried on, the meters leave {due.carried_wh}")
    if weighed != imports + loss:
        raise Corrupt(place, f"loss: shared over {weighed} Wh, not over {imports + loss}")


def _posted(interval: int, regions: Sequence[Seen]) -> list[Meters]:
    found = (region.get(interval, Phase.DELIVER, Meters) for region in regions)
    return [record for record in found if record is not None]


def _registered(chains: Sequence[Seen], interval: int) -> set[bytes]:
    """Return every meter that a complete interval hears: people, plants and substations."""
    meters = {chain.substation for chain in chains if not chain.is_zone}
    for chain in chains:
        meters |= {one.address for one in chain.people(interval) if one.is_metered}
    return meters


def _same_prices(place: str, interval: int, chains: Sequence[Seen]) -> None:
    posted = [chain.get(interval, Phase.PRICE, Prices) for chain in chains]
    if any(prices != posted[0] for prices in posted):
        raise Corrupt(place, "prices: not the same on all chains")


def _traded(
    place: str, interval: int, chains: Sequence[Seen]
) -> tuple[Mapping[bytes, Wh], Mapping[bytes, Wh]]:
    """Return what fills brought to each buyer and took from each seller, across the chains.

    A zonal fill's buyer on the zonal chain is the region; at home it is the one whose money
    crossed for it. Also holds the network operator to the loss that no fill carries.
    """
    received: dict[bytes, Wh] = defaultdict(int)
    sent: dict[bytes, Wh] = defaultdict(int)
    carried, bought, posted = 0, 0, 0
    buyers = _home_buyers(interval, chains)
    for chain in chains:
        settlement = chain.get(interval, Phase.SETTLE, Settlement)
        meters = chain.get(interval, Phase.DELIVER, Meters)
        if settlement is None or meters is None:
            continue
        for fill, delivery in zip(settlement.fills, settlement.deliveries, strict=True):
            buyer = buyers.get((fill.offer, fill.index)) if chain.is_zone else fill.buyer
            if buyer is None:
                raise Corrupt(place, f"fill {delivery.fill.hex()[:16]}: nobody's money crossed")
            received[buyer] += delivery.received
            sent[fill.seller] += delivery.sent
            carried += delivery.sent - delivery.received
        bought += settlement.network_loss_wh
        posted += 0 if chain.is_zone else meters.loss_wh
    if carried + bought != posted:
        raise Corrupt(place, f"loss: fills carry {carried} Wh and the network operator {bought}")
    return received, sent


def _home_buyers(interval: int, chains: Sequence[Seen]) -> dict[tuple[bytes, int], bytes]:
    """Return who at home stands behind each zonal fill, by offer and index."""
    buyers = {}
    for chain in chains:
        commitment = chain.get(interval, Phase.COMMIT, Commitment)
        for fill in commitment.crossed if commitment else ():
            buyers[fill.offer, fill.index] = fill.buyer
    return buyers


def _grid_tier(
    settled: Sequence[Settlement],
) -> tuple[Mapping[bytes, Wh], Mapping[bytes, Wh]]:
    bought: dict[bytes, Wh] = defaultdict(int)
    sold: dict[bytes, Wh] = defaultdict(int)
    for settlement in settled:
        for bill in settlement.bills:
            bought[bill.participant] += bill.bought_wh
            sold[bill.participant] += bill.sold_wh
    return bought, sold
