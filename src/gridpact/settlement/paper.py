"""The paper's literal settlement, [Cui22] eqs. 6 and 7, as the option `paper`.

Not the default: it rewards only gamma >= R, which line losses make impossible for an honest
seller, and merely does not pay for what did not arrive, so that over-offering is free. It needs a
dedicated meter at both ends of each trade; the buyer owes all it ordered and funds the reward.
"""

from gridpact.model.delivery import Delivery
from gridpact.model.statement import Case, SettlementTerms, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import Money, amount, half, part


def judge_paper(delivery: Delivery, terms: SettlementTerms) -> Case:
    """Return the case with R = all the buyer ordered that was not held, no tolerance, no lambda.

    `LOSSY` is the paper's "otherwise" with rho >= R; more received than sent cannot be.
    """
    ordered = delivery.agreed + delivery.unused
    sent = delivery.sent + delivery.unused_sent
    if delivery.disputed or delivery.received > sent:
        return Case.DISPUTE
    if sent < ordered:
        return Case.SHORT
    if delivery.received >= ordered:
        return Case.FULL
    if delivery.received >= ordered - part(ordered, terms.tau):
        return Case.HALF
    return Case.LOSSY


def split_paper(fill: Fill, delivery: Delivery, terms: SettlementTerms, token: Money) -> Statement:
    """Return the split of the fill's lock plus `token`, the reward that the buyer deposits with it.

    Notes
    -----
    reward = token, half of it or none (eq. 6); paid = r R, less r (R - gamma) when rho < R
    (eq. 7). paid + charge + reward + refund = fill.lock + token: here the reward comes out of the
    lock, and there is no claim on anybody.
    """
    case = judge_paper(delivery, terms)
    if case is Case.DISPUTE:
        return Statement(delivery.fill, case, 0, 0, 0, 0, 0, 0, 0)
    ordered = delivery.agreed + delivery.unused
    counted = delivery.received if case is Case.SHORT else ordered
    paid = amount(fill.price, counted)
    charge = amount(fill.charge, delivery.sent + delivery.unused_sent)
    reward = {Case.FULL: token, Case.HALF: half(token)}.get(case, 0)
    return Statement(
        fill=delivery.fill,
        case=case,
        paid=paid,
        charge=charge,
        fee_seller=0,
        fee_network=0,
        refund=fill.lock + token - paid - charge - reward,
        reward=reward,
        claim=0,
    )
