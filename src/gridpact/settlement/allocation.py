"""Which metered energy belongs to which trade: from meters to one delivery per fill.

5-decisions, section 7. Energy counts at the connection point; nothing is invented and nothing is
lost: for each interval and region, exactly,

    sum received + sum bought = sum of imports
    sum sent     + sum sold   = sum of exports
    bought + network loss - sold = substation import - substation export

`settlement.split` turns a delivery into money, `settlement.bills` what no fill covers.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from gridpact.errors import SettlementError
from gridpact.model.delivery import Delivery, Metered
from gridpact.model.record import Curtailed
from gridpact.model.trade import Fill
from gridpact.quantities import Wh


class Balance(msgspec.Struct, frozen=True):
    """What no fill covers of a participant's energy: grid supply sells and buys it. [Wh]"""

    participant: bytes
    bought_wh: Wh
    sold_wh: Wh


class Allocation(msgspec.Struct, frozen=True):
    """One delivery per fill, one balance per meter, each in the order given.

    `network_loss_wh` is the loss that no fill carries: the network operator buys it.
    """

    deliveries: tuple[Delivery, ...]
    balances: tuple[Balance, ...]
    network_loss_wh: Wh


def allocate(
    fills: Sequence[Fill],
    metered: Sequence[Metered],
    loss_wh: Wh,
    weighed_wh: Wh,
    before_wh: Wh = 0,
    curtailed: Iterable[Curtailed] = (),
    disputed: Collection[bytes] = (),
    stopped: Mapping[bytes, Wh] = MappingProxyType({}),
) -> Allocation:
    """Give the metered energy of one interval to its fills.

    Parameters
    ----------
    fills
        In order of priority: local by index, then zonal by index.
    metered
        One row per participant, plants included.
    loss_wh, weighed_wh
        Loss L of the region, and S = sum of imports + L over which it is shared.
    before_wh
        Energy sent by fills settled before these in the interval: where the running sum C starts.
    curtailed
        What the network operator stopped during delivery.
    disputed
        Participants without a usable reading; their rows are bounded by what they last signed.
    stopped
        What sensors hold, by fill: nobody owes it, whatever the meters show.

    Raises
    ------
    SettlementError
        A party without meter row, two rows for one, or a loss that does not fit S.

    Notes
    -----
    1. held: what sensors stopped; then curtailed energy, as far as the export misses what was still
       sold, off the seller's fills from the last backwards. 2. A buyer owes at most its import: the
       rest of its fills, from the last backwards, is unused. 3. sent: the seller's export, to its
       fills in order; then what it exported beyond goes to its unused parts in order (unused_sent,
       still sold to grid supply).
    4. Loss share of fill i = floor(L C_i / S) - floor(L C_(i-1) / S), C the running sum of sent.
    """
    imports, exports = _rows(metered)
    _check(fills, imports, loss_wh, weighed_wh, before_wh)
    held = _held(fills, exports, curtailed, stopped)
    owed = [fill.energy_wh - cut for fill, cut in zip(fills, held, strict=True)]
    agreed = _served([fill.buyer for fill in fills], owed, dict(imports))
    left = dict(exports)
    sent = _served([fill.seller for fill in fills], agreed, left)
    unused = [due - used for due, used in zip(owed, agreed, strict=True)]
    unused_sent = _served([fill.seller for fill in fills], unused, left)
    shares = _loss_shares(sent, loss_wh, weighed_wh, before_wh)
    deliveries = tuple(
        Delivery(
            fill=fill.hash,
            agreed=agreed[i],
            sent=sent[i],
            received=sent[i] - shares[i],
            unused=unused[i],
            unused_sent=unused_sent[i],
            held=held[i],
            # a trade that was held as a whole needs no reading
            disputed=owed[i] > 0 and (fill.seller in disputed or fill.buyer in disputed),
        )
        for i, fill in enumerate(fills)
    )
    balances = _balances(fills, deliveries, metered)
    return Allocation(deliveries, balances, loss_wh - sum(shares))


def _rows(metered: Sequence[Metered]) -> tuple[dict[bytes, Wh], dict[bytes, Wh]]:
    imports = {row.participant: row.import_wh for row in metered}
    exports = {row.participant: row.export_wh for row in metered}
    if len(imports) != len(metered):
        raise SettlementError("two meter rows for one participant")
    if min([*imports.values(), *exports.values()], default=0) < 0:
        raise SettlementError("a meter row below zero")
    return imports, exports


def _check(
    fills: Sequence[Fill], imports: dict[bytes, Wh], loss_wh: Wh, weighed_wh: Wh, before_wh: Wh
) -> None:
    for party in (party for fill in fills for party in (fill.buyer, fill.seller)):
        if party not in imports:
            raise SettlementError(f"no meter row of {party.hex()}, a party to a fill")
    if loss_wh < 0 or before_wh < 0 or weighed_wh < before_wh + sum(imports.values()) + loss_wh:
        raise SettlementError(
            f"loss {loss_wh} Wh is shared over {weighed_wh} Wh, less than imports "
            f"{sum(imports.values())} + loss + {before_wh} Wh settled before"
        )


def _held(
    fills: Sequence[Fill],
    exports: dict[bytes, Wh],
    curtailed: Iterable[Curtailed],
    stopped: Mapping[bytes, Wh],
) -> list[Wh]:
    """Return what nobody owes of each fill: first what sensors stopped, then the curtailed energy,
    taken from each seller's last fills first.
    """
    held = [stopped.get(fill.hash, 0) if stopped else 0 for fill in fills]
    flowing = [fill.energy_wh - cut for fill, cut in zip(fills, held, strict=True)]
    if min(flowing, default=0) < 0:
        raise SettlementError("sensors hold more of a fill than its energy")
    sold: Counter[bytes] = Counter()
    for fill, energy in zip(fills, flowing, strict=True):
        sold[fill.seller] += energy
    cut_off: Counter[bytes] = Counter()
    for row in curtailed:
        cut_off[row.participant] += row.energy_wh
    left = {seller: min(cut_off[seller], max(sold[seller] - exports[seller], 0)) for seller in sold}
    sellers = [fill.seller for fill in reversed(fills)]
    backwards = _served(sellers, flowing[::-1], left)
    return [before + cut for before, cut in zip(held, backwards[::-1], strict=True)]


def _served(parties: Sequence[bytes], wanted: Sequence[Wh], left: dict[bytes, Wh]) -> list[Wh]:
    """Serve each wish in order from what its party has `left`, which shrinks."""
    served = []
    for party, wish in zip(parties, wanted, strict=True):
        given = min(wish, left[party])
        left[party] -= given
        served.append(given)
    return served


def _loss_shares(sent: Sequence[Wh], loss_wh: Wh, weighed_wh: Wh, before_wh: Wh) -> list[Wh]:
    if weighed_wh == 0:
        return [0] * len(sent)
    shares = []
    running, shared = before_wh, loss_wh * before_wh // weighed_wh
    for energy in sent:
        running += energy
        upto = loss_wh * running // weighed_wh
        shares.append(upto - shared)
        shared = upto
    return shares


def _balances(
    fills: Sequence[Fill], deliveries: Sequence[Delivery], metered: Sequence[Metered]
) -> tuple[Balance, ...]:
    received: defaultdict[bytes, Wh] = defaultdict(int)
    sent: defaultdict[bytes, Wh] = defaultdict(int)
    for fill, delivery in zip(fills, deliveries, strict=True):
        received[fill.buyer] += delivery.received
        sent[fill.seller] += delivery.sent
    return tuple(
        Balance(
            row.participant,
            row.import_wh - received[row.participant],
            row.export_wh - sent[row.participant],
        )
        for row in metered
    )
