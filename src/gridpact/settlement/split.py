"""How the money locked for a fill is split once the meters have spoken.

[Cui22] eqs. 6 and 7 with the gaps of the paper closed (5-decisions, sections 7 and 8). Whole
numbers only: `contracts/settlement.vy` repeats the text below and `tests/agreement` holds the two
together. What the accounts can really pay of reward and claim is `settlement.fund`; the paper's
literal rule is `settlement.paper`; a disputed fill is settled by `settlement.dispute`.
"""

from gridpact.errors import SettlementError
from gridpact.model.delivery import Delivery
from gridpact.model.statement import Case, SettlementTerms, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import PPM, Money, Score, Wh, amount, half, part


def tolerance(agreed: Wh, terms: SettlementTerms) -> Wh:
    """Return the meter tolerance of a fill, eps = max(share of R, floor)."""
    return max(part(agreed, terms.eps), terms.eps_floor_wh)


def judge(delivery: Delivery, terms: SettlementTerms, loss_share: Score) -> Case:
    """Return which of the five cases a delivery is; the first that fits.

    Parameters
    ----------
    loss_share
        Expected loss of the region, lambda, as posted with the prices. [10⁻⁶]

    Notes
    -----
    R = agreed, R' = R - part(R, lambda), tau = part(R, terms.tau), all in Wh. With R = 0 (all
    held or unused) nothing was owed and nothing is missing: `FULL`, over no money.
    """
    agreed, sent, received = delivery.agreed, delivery.sent, delivery.received
    eps = tolerance(agreed, terms)
    expected = agreed - part(agreed, loss_share)
    if delivery.disputed or received > sent + eps:
        return Case.DISPUTE
    if sent + eps < agreed:
        return Case.SHORT
    if received + eps >= expected:
        return Case.FULL
    if received + part(agreed, terms.tau) >= expected:
        return Case.HALF
    return Case.LOSSY


def split(
    fill: Fill, delivery: Delivery, terms: SettlementTerms, loss_share: Score = 0
) -> Statement:
    """Return who gets what of the fill's lock, and what reward and claim come on top.

    Raises
    ------
    SettlementError
        A delivery that does not fit its fill, or a loss share above one.

    Notes
    -----
    paid = amount(r, R), and in case SHORT that less min(itself, amount(r, part(R - sent, kappa))).
    charge = amount(fill.charge, sent). Unused energy costs amount(unused_fee, unused), at most
    what is left of the lock: to the seller its share for what it did produce, up to its loss
    against the price; the rest to `network_loss`. The refund is the remainder, so the five add up
    to the lock exactly. In case DISPUTE nothing moves: the lock stays, refund 0.
    """
    _check(fill, delivery, loss_share)
    case = judge(delivery, terms, loss_share)
    if case is Case.DISPUTE:
        return Statement(delivery.fill, case, 0, 0, 0, 0, 0, 0, 0)
    whole_price = amount(fill.price, delivery.agreed)
    paid = whole_price - _deduction(case, fill, delivery, terms, whole_price)
    charge = amount(fill.charge, delivery.sent)
    left = fill.lock - paid - charge
    fee = min(amount(terms.unused_fee, delivery.unused), left)
    fee_seller = min(
        fee,
        amount(terms.unused_fee, delivery.unused_sent),
        amount(max(fill.price - terms.feed_in, 0), delivery.unused_sent),
    )
    return Statement(
        fill=delivery.fill,
        case=case,
        paid=paid,
        charge=charge,
        fee_seller=fee_seller,
        fee_network=fee - fee_seller,
        refund=left - fee,
        reward=_reward(case, whole_price, terms),
        claim=min(_claim(case, fill, delivery, terms, loss_share), paid + charge),
    )


def _deduction(
    case: Case, fill: Fill, delivery: Delivery, terms: SettlementTerms, whole_price: Money
) -> Money:
    """Return what a short delivery costs the seller: kappa times the price of what is missing."""
    if case is not Case.SHORT:
        return 0
    return min(whole_price, amount(fill.price, part(delivery.agreed - delivery.sent, terms.kappa)))


def _reward(case: Case, whole_price: Money, terms: SettlementTerms) -> Money:
    """Return the reward: a share of the price, half of it (rounded down) in case HALF."""
    if case is Case.FULL:
        return part(whole_price, terms.reward)
    if case is Case.HALF:
        return half(part(whole_price, terms.reward))
    return 0


def _claim(
    case: Case, fill: Fill, delivery: Delivery, terms: SettlementTerms, loss_share: Score
) -> Money:
    """Return what the buyer may claim for energy lost beyond lambda and tau.

    Measured from what was due in case LOSSY and from what was sent in case SHORT. The lost energy
    is worth its price and its network charge: the buyer then stands as if that energy had never
    been traded (it buys the same energy at retail), never better, so nobody gains by losing.
    """
    if case is Case.LOSSY:
        base = delivery.agreed
    elif case is Case.SHORT:
        base = delivery.sent
    else:
        return 0
    reasonable = delivery.received + part(base, loss_share) + part(base, terms.tau)
    return amount(fill.price + fill.charge, max(base - reasonable, 0))


def _check(fill: Fill, delivery: Delivery, loss_share: Score) -> None:
    owed = delivery.agreed + delivery.unused + delivery.held
    if owed != fill.energy_wh or min(delivery.agreed, delivery.unused, delivery.held) < 0:
        raise SettlementError(
            f"fill {delivery.fill.hex()[:16]}: agreed {delivery.agreed} + unused "
            f"{delivery.unused} + held {delivery.held} Wh is not its {fill.energy_wh} Wh"
        )
    if not (0 <= delivery.sent <= delivery.agreed and delivery.received >= 0):
        raise SettlementError(
            f"fill {delivery.fill.hex()[:16]}: sent {delivery.sent} Wh of {delivery.agreed} agreed,"
            f" received {delivery.received}"
        )
    if not 0 <= delivery.unused_sent <= delivery.unused:
        raise SettlementError(
            f"fill {delivery.fill.hex()[:16]}: {delivery.unused_sent} Wh sent of "
            f"{delivery.unused} unused"
        )
    if not 0 <= loss_share <= PPM:
        raise SettlementError(f"loss share {loss_share} ppm is not within 0 to 1")
