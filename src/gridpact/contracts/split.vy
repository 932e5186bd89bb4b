# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Split
@notice How the money locked for a fill is split once the meters have spoken: the five cases of
        [Cui22] eqs. 6, 7 as read in 5-decisions, section 8. The same numbers as
        `settlement/split.py`, to the last unit; pure, without accounts.
"""

import packing
import rounding

DISPUTE: constant(uint256) = 1
FULL: constant(uint256) = 2
HALF: constant(uint256) = 3
LOSSY: constant(uint256) = 4
SHORT: constant(uint256) = 5


struct Rules:
    tau: uint256  # further reasonable loss, ppm
    eps: uint256  # meter tolerance, ppm
    eps_floor: uint256  # its least, Wh
    kappa: uint256  # penalty factor on a shortfall, ppm
    reward: uint256  # share of the price, ppm
    unused_fee: uint256  # micro-units per kWh
    feed_in: uint256  # micro-units per kWh
    loss_fund_share: uint256  # of the network charge, ppm


struct Statement:
    case: uint256
    paid: uint256
    charge: uint256
    fee_seller: uint256
    fee_network: uint256
    refund: uint256
    reward: uint256
    claim: uint256
    unpaid_reward: uint256
    unpaid_claim: uint256


struct Short:
    # a statement without claim, the seller's two parts as one
    case: uint256
    seller: uint256
    charge: uint256
    fee_network: uint256
    refund: uint256
    reward: uint256


@internal
@pure
def lock(terms: packing.Terms) -> uint256:
    """
    @notice What a fill locks: its price and its network charge, each rounded once.
    """
    return rounding.amount(terms.price, terms.energy) + rounding.amount(terms.charge, terms.energy)


@internal
@pure
def judge(delivery: packing.Delivery, rules: Rules, loss_share: uint256) -> uint256:
    """
    @notice Which of the five cases a delivery is; the first that fits.
    """
    agreed: uint256 = delivery.agreed
    eps: uint256 = max(rounding.part(agreed, rules.eps), rules.eps_floor)
    expected: uint256 = agreed - rounding.part(agreed, loss_share)
    if delivery.disputed or delivery.received > delivery.sent + eps:
        return DISPUTE
    if delivery.sent + eps < agreed:
        return SHORT
    if delivery.received + eps >= expected:
        return FULL
    if delivery.received + rounding.part(agreed, rules.tau) >= expected:
        return HALF
    return LOSSY


@internal
@pure
def split(
    terms: packing.Terms, delivery: packing.Delivery, rules: Rules, loss_share: uint256
) -> Statement:
    """
    @notice Who gets what of the lock: paid + charge + fee_seller + fee_network + refund = lock.
            Reward and claim come on top, from the market's own accounts: here as owed.
    """
    assert (
        delivery.agreed + delivery.unused + delivery.held == terms.energy
    ), "split: energies are not the fill's"
    assert delivery.sent <= delivery.agreed, "split: sent above agreed"
    assert delivery.unused_sent <= delivery.unused, "split: unused sent above unused"
    case: uint256 = self.judge(delivery, rules, loss_share)
    if case == DISPUTE:
        return Statement(
            case=DISPUTE,
            paid=0,
            charge=0,
            fee_seller=0,
            fee_network=0,
            refund=0,
            reward=0,
            claim=0,
            unpaid_reward=0,
            unpaid_claim=0,
        )
    price: uint256 = rounding.amount(terms.price, delivery.agreed)
    paid: uint256 = price - self._deduction(case, terms, delivery, rules, price)
    charge: uint256 = rounding.amount(terms.charge, delivery.sent)
    left: uint256 = self.lock(terms) - paid - charge
    fee: uint256 = min(rounding.amount(rules.unused_fee, delivery.unused), left)
    loss: uint256 = 0  # the seller's, per kWh it could only feed in
    if terms.price > rules.feed_in:
        loss = terms.price - rules.feed_in
    fee_seller: uint256 = min(
        fee,
        min(
            rounding.amount(rules.unused_fee, delivery.unused_sent),
            rounding.amount(loss, delivery.unused_sent),
        ),
    )
    return Statement(
        case=case,
        paid=paid,
        charge=charge,
        fee_seller=fee_seller,
        fee_network=fee - fee_seller,
        refund=left - fee,
        reward=self._reward(case, price, rules),
        claim=min(self._claim(case, terms, delivery, rules, loss_share), paid + charge),
        unpaid_reward=0,
        unpaid_claim=0,
    )


@internal
@pure
def whole(terms: uint256, reward: uint256) -> Short:
    """
    @notice The same as `by_meters` of a fill of which everything was sent: its lock is spent.
    @param reward Share of the price, ppm.
    """
    energy: uint256 = terms >> 120
    price: uint256 = rounding.amount((terms >> 72) & packing.MASK_48, energy)
    return Short(
        case=FULL,
        seller=price,
        charge=rounding.amount((terms >> 24) & packing.MASK_48, energy),
        fee_network=0,
        refund=0,
        reward=rounding.part(price, reward),
    )


@internal
@pure
def by_meters(
    terms: uint256,
    energy: uint256,
    agreed: uint256,
    sent: uint256,
    unused_sent: uint256,
    rules: Rules,
) -> Short:
    """
    @notice The same as `split` of a delivery that lost on its way exactly what was expected: it is
            full or short, and nothing was lost beyond. What two meters alone can decide.
    @dev tests/agreement holds it to `split`. What is not agreed is unused, so energies add up.
    @param energy The fill's without what sensors hold of it, which goes back. [Wh]
    @param terms As `packing.terms` has them; whoever made the fill checked their width.
    """
    rate: uint256 = (terms >> 72) & packing.MASK_48
    price: uint256 = rounding.amount(rate, agreed)
    charge: uint256 = rounding.amount((terms >> 24) & packing.MASK_48, sent)
    case: uint256 = FULL
    paid: uint256 = price
    reward: uint256 = 0
    if sent < agreed and sent + max(rounding.part(agreed, rules.eps), rules.eps_floor) < agreed:
        case = SHORT
        missing: uint256 = rounding.part(agreed - sent, rules.kappa)
        paid -= min(price, rounding.amount(rate, missing))
    else:
        reward = rounding.part(price, rules.reward)
    left: uint256 = self.lock(packing.terms(terms)) - paid - charge
    fee_seller: uint256 = 0
    fee_network: uint256 = 0
    if agreed < energy:
        fee_network = min(rounding.amount(rules.unused_fee, energy - agreed), left)
        left -= fee_network
        loss: uint256 = rate - min(rate, rules.feed_in)
        fee_seller = min(
            fee_network, rounding.amount(min(rules.unused_fee, loss), unused_sent)
        )
        fee_network -= fee_seller
    return Short(
        case=case,
        seller=paid + fee_seller,
        charge=charge,
        fee_network=fee_network,
        refund=left,
        reward=reward,
    )


@internal
@pure
def _deduction(
    case: uint256,
    terms: packing.Terms,
    delivery: packing.Delivery,
    rules: Rules,
    price: uint256,
) -> uint256:
    if case != SHORT:
        return 0
    missing: uint256 = rounding.part(delivery.agreed - delivery.sent, rules.kappa)
    return min(price, rounding.amount(terms.price, missing))


@internal
@pure
def _reward(case: uint256, price: uint256, rules: Rules) -> uint256:
    if case == FULL:
        return rounding.part(price, rules.reward)
    if case == HALF:
        return rounding.part(price, rules.reward) // 2
    return 0


@internal
@pure
def _claim(
    case: uint256,
    terms: packing.Terms,
    delivery: packing.Delivery,
    rules: Rules,
    loss_share: uint256,
) -> uint256:
    # energy lost beyond lambda and tau, worth its price and its network charge
    base: uint256 = 0
    if case == LOSSY:
        base = delivery.agreed
    elif case == SHORT:
        base = delivery.sent
    else:
        return 0
    reasonable: uint256 = (
        delivery.received + rounding.part(base, loss_share) + rounding.part(base, rules.tau)
    )
    if base <= reasonable:
        return 0
    return rounding.amount(terms.price + terms.charge, base - reasonable)
