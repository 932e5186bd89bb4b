"""What has to hold of every market that was run, whatever was drawn: nothing lost, nothing made."""

from collections import Counter

from gridpact.assembly.day import DayResult
from gridpact.cycle.result import IntervalResult
from gridpact.model.order import Side, Tier
from gridpact.model.participant import Named
from gridpact.model.statement import Case as Verdict
from gridpact.quantities import PPM, amount
from gridpact.report.money import require_booked
from gridpact.settlement.split import split


def require_promises(day: DayResult) -> None:
    """Raise AssertionError when a run lost or made energy or money."""
    for result in day.intervals:
        _clearing(result)
        _energy(day, result)
        _money(day, result)
        _caps(result)
    _chains(day)
    require_booked(day)


def hold(fact: bool, what: str, *values: object) -> None:
    """Raise AssertionError with the values when a fact does not hold."""
    if not fact:
        raise AssertionError(" ".join(map(str, (what, *values))))


def _clearing(result: IntervalResult) -> None:
    """Sold = bought per tier; no order filled above its energy; bids are served or unmet."""
    orders = {one.hash: one.order for one in (*result.book.orders, *result.plant_book.orders)}
    used: Counter[bytes] = Counter()
    for fill in result.cleared.fills:
        used[fill.bid] += fill.energy_wh
        used[fill.offer] += fill.energy_wh
        bid, offer = orders[fill.bid], orders[fill.offer]
        hold((bid.side, offer.side) == (Side.BID, Side.OFFER), "sides of a fill", fill)
        hold((bid.tier, offer.tier) == (fill.tier, fill.tier), "tiers of a fill", fill)
    for name, energy in used.items():
        hold(energy <= orders[name].energy_wh, "over-fill", name.hex())
    wanted = sum(
        one.energy_wh for one in orders.values() if (one.side, one.tier) == (Side.BID, Tier.LOCAL)
    )
    served = sum(fill.energy_wh for fill in result.cleared.fills)
    unmet = sum(one.energy_wh for one in result.cleared.unmet)
    hold(served + unmet == wanted, "bids", wanted, "served", served, "unmet", unmet)
    zonal = [fill for fill in result.cleared.fills if fill.tier is Tier.ZONAL]
    there = result.zonal_settlement.fills
    hold(
        [(f.offer, f.energy_wh, f.lock) for f in zonal]
        == [(f.offer, f.energy_wh, f.lock) for f in there],
        "zonal fills differ between the chains",
    )


def _energy(day: DayResult, result: IntervalResult) -> None:
    """Deliveries and bills are what each meter that was heard measured, to the watt-hour."""
    received: Counter[bytes] = Counter()
    sent: Counter[bytes] = Counter()
    settlements = (result.settlement, result.zonal_settlement)
    crossed = [fill for fill in result.cleared.fills if fill.tier is Tier.ZONAL]
    for fills, settlement in zip((settlements[0].fills, crossed), settlements, strict=True):
        for fill, delivery in zip(fills, settlement.deliveries, strict=True):
            received[fill.buyer] += delivery.received
            sent[fill.seller] += delivery.sent
    carried = sum(sent.values()) - sum(received.values())
    for settlement in settlements:
        for bill in settlement.bills:
            received[bill.participant] += bill.bought_wh
            sent[bill.participant] += bill.sold_wh
    substation = day.people.substation.address
    for meter, row in result.metered.items():
        if meter != substation:
            hold(received[meter] == row.import_wh, "import of", meter.hex(), received[meter], row)
            hold(sent[meter] == row.export_wh, "export of", meter.hex(), sent[meter], row)
    loss = carried + result.settlement.network_loss_wh
    hold(loss == result.meters.loss_wh, "loss", loss, result.meters.loss_wh)
    hold(loss >= 0, "negative loss", loss)


def _money(day: DayResult, result: IntervalResult) -> None:
    """Each lock is shared out to the micro-unit, by the rule."""
    terms = day.scenario.settlement
    for settlement in (result.settlement, result.zonal_settlement):
        rows = zip(settlement.fills, settlement.deliveries, settlement.statements, strict=True)
        for fill, delivery, one in rows:
            rule = split(fill, delivery, terms, result.prices.loss_share)
            hold(
                (one.case, one.paid, one.charge, one.refund, one.fee_seller, one.fee_network)
                == (rule.case, rule.paid, rule.charge, rule.refund, rule.fee_seller,
                    rule.fee_network),
                "statement", one, rule,
            )  # fmt: skip
            hold(
                (one.reward + one.unpaid_reward, one.claim + one.unpaid_claim)
                == (rule.reward, rule.claim),
                "reward or claim", one, rule,
            )  # fmt: skip
            if one.case is Verdict.DISPUTE:
                continue
            shared = one.paid + one.charge + one.fee_seller + one.fee_network + one.refund
            hold(shared == fill.lock, "lock", fill.lock, "shared out", shared)
            hold(min(one.paid, one.charge, one.fee_seller, one.fee_network, one.refund,
                      one.reward, one.claim) >= 0, "below zero", one)  # fmt: skip


def _caps(result: IntervalResult) -> None:
    """No buyer pays above retail for what a trade brings it, whatever it bid."""
    for fill in result.cleared.fills:
        hold(fill.price + fill.charge <= result.prices.retail, "above retail", fill)


def _deposits(day: DayResult, pick: str) -> Counter[bytes]:
    """Return what the fines of one chain left of its deposits, fine by fine."""
    at = 1 if pick == "zonal_settlement" else 0
    left = Counter(dict(day.put_down[at]))
    for result in day.intervals:
        for fine in result.fines[at]:
            left[fine.participant] -= fine.amount
            hold(fine.amount > 0, "a fine of nothing", fine)
            hold(left[fine.participant] == fine.left, "deposit", left[fine.participant], fine)
            hold(fine.left >= 0, "fined beyond the deposit", fine)
    return left


def _fined(day: DayResult) -> None:
    """Every breach costs what it should, and what was taken lies with the market's fines."""
    for at, chain in enumerate(day.chains):
        fines = [row for result in day.intervals for row in result.fines[at]]
        total = sum(row.amount for row in fines)
        there = chain.accounts[Named.FINES.address].free
        hold(there == total, "fines on", chain.name, there, "taken", total)
    review = day.scenario.sanctions.review
    tolerances = (review.tolerance, review.plant_tolerance)
    for result in day.intervals:
        for tolerance, rating in zip(tolerances, (result.rating, result.plant_rating), strict=True):
            taken = {row.participant: row for row in rating.fines}
            for row in rating.rated:
                missing = row.agreed_wh - row.sent_wh
                breach = missing * PPM > row.agreed_wh * tolerance
                due = amount(review.fine, missing) if breach else 0
                fine = taken.pop(row.participant, None)
                fits = fine is None or fine.amount == min(due, fine.amount + fine.left)
                hold(fits, "fine", fine, "due", due)
            hold(not taken, "fined and not rated", taken)


def _chains(day: DayResult) -> None:
    """Both chains' money adds up, crossings meet, nobody is below zero."""
    local, zonal = day.chains
    for chain in day.chains:
        hold(chain.totals.holds, "money of", chain.name, chain.totals)
        hold(chain.totals.reserved == 0, "reserved after the end", chain.name, chain.totals)
        for account in chain.accounts.values():
            hold(min(account.free, account.reserved, account.locked) >= 0, "below zero", account)
    entered = sum(day.founding[1].values())
    there = zonal.totals.minted - entered - zonal.totals.burned
    hold(local.totals.transit == there, "transit", local.totals, "is not what is on", zonal.totals)
    for chain, pick in ((local, "settlement"), (zonal, "zonal_settlement")):
        held = sum(
            fill.lock
            for result in day.intervals
            for fill, one in zip(
                getattr(result, pick).fills, getattr(result, pick).statements, strict=True
            )
            if one.case is Verdict.DISPUTE
        )
        held += day.scenario.council.pledged + sum(_deposits(day, pick).values())
        hold(chain.totals.locked == held, "locked", chain.totals.locked, "disputed, bonds", held)
    _fined(day)
