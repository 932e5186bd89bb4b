# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Incentive
@notice What a renewable plant earns beyond its price for steady supply ([Wang23]; 5-decisions,
        section 14): C_d' - C_REG per kWh, at most C_REG; at most the network charge paid; within a
        daily budget, pro rata when it runs short. The same numbers as `settlement/incentive.py`.
"""

import accounts
import keyed
import logarithm
import packing
import rounding
import settlement
import vault

initializes: keyed
exports: keyed.written

MAX_BATCH: constant(uint256) = 1024


struct Supply:
    plant: address
    energy: uint256  # sent of what the buyer used, Wh
    charge: uint256  # network charge paid on it
    steadiness: uint256  # x = P t_d + s, ppm


struct Rules:
    difficulty: uint256  # k
    daily_budget: uint256
    intervals_per_day: uint256


OPERATOR: public(immutable(address))
VAULT: public(immutable(address))
SETTLEMENT: public(immutable(address))
RULES: immutable(Rules)
LOG_K: immutable(uint256)

spent: public(HashMap[uint256, uint256])  # by day
claimed: HashMap[address, HashMap[uint64, uint256]]  # energy 64 | charge 128


event Granted:
    plant: indexed(address)
    energy: uint256
    charge: uint256
    steadiness: uint256
    reference: uint256
    rate: uint256
    paid: uint256


@deploy
def __init__(operator: address, vault_: address, settlement_: address, rules: Rules):
    """
    @notice Fix the peers and the numbers of the rule.
    """
    assert rules.difficulty > 1 and rules.difficulty < 2**64, "incentive: rules"
    assert rules.daily_budget < 2**80 and rules.intervals_per_day > 0, "incentive: rules"
    OPERATOR = operator
    VAULT = vault_
    SETTLEMENT = settlement_
    RULES = rules
    LOG_K = logarithm.log2_fixed(rules.difficulty << 64)


@external
def grant(
    write: keyed.Write,
    reference: uint256,
    supplies: DynArray[Supply, MAX_BATCH],
    expected: bytes32,
) -> bytes32:
    """
    @notice Pay all supplies of an interval, in one call because a short budget is shared by all.
    @param reference C_REG, the zone's renewable price of the last cleared interval.
    @param expected The digest that these grants must have, or zero.
    @return The digest: d = keccak(d | the seven values of `Granted`), from zero.
    """
    assert msg.sender == OPERATOR, "incentive: not the operator"
    if not keyed.begin(write, 0):
        return expected
    assert reference < 2**48, "incentive: price"
    wanted: DynArray[uint256, MAX_BATCH] = []
    rates: DynArray[uint256, MAX_BATCH] = []
    total: uint256 = 0
    rate: uint256 = 0
    steadiness: uint256 = max_value(uint256)
    for supply: Supply in supplies:
        if supply.steadiness != steadiness:
            steadiness = supply.steadiness
            rate = self._rate(reference, steadiness)
        self._claim(supply, write.interval)
        money: uint256 = min(rounding.amount(rate, supply.energy), supply.charge)
        rates.append(rate)
        wanted.append(money)
        total += money
    return self._pay(write.interval, reference, supplies, rates, wanted, total, expected)


@external
@view
def bonus_rate(reference: uint256, steadiness: uint256) -> uint256:
    """
    @return C_d' - C_REG per kWh at x = `steadiness` ppm.
    """
    return self._rate(reference, steadiness)


@external
@view
def rules() -> Rules:
    """
    @return The numbers of the incentive rule.
    """
    return RULES


@internal
@view
def _rate(reference: uint256, steadiness: uint256) -> uint256:
    return logarithm.bonus_rate(reference, steadiness, LOG_K)


@internal
def _claim(supply: Supply, interval: uint64):
    # all grants of an interval together stay within what was settled: no energy counts twice
    assert supply.energy < 2**40 and supply.charge < 2**96, "incentive: supply"
    word: uint256 = self.claimed[supply.plant][interval] + (supply.energy << 128 | supply.charge)
    sent: uint256 = 0
    charge: uint256 = 0
    sent, charge = staticcall settlement.__interface__(SETTLEMENT).volume(supply.plant, interval)
    assert word >> 128 <= sent, "incentive: more energy than settled"
    assert word & (2**128 - 1) <= charge, "incentive: more charge than paid"
    self.claimed[supply.plant][interval] = word


@internal
def _pay(
    interval: uint64,
    reference: uint256,
    supplies: DynArray[Supply, MAX_BATCH],
    rates: DynArray[uint256, MAX_BATCH],
    wanted: DynArray[uint256, MAX_BATCH],
    total: uint256,
    expected: bytes32,
) -> bytes32:
    available: uint256 = self._available(interval)
    paid_all: uint256 = 0
    digest: bytes32 = empty(bytes32)
    for i: uint256 in range(len(supplies), bound=MAX_BATCH):
        supply: Supply = supplies[i]
        paid: uint256 = wanted[i]
        if total > available:
            paid = paid * available // total
        if paid > 0:
            sum: uint256 = extcall vault.__interface__(VAULT).transfer_up_to(
                accounts.INCENTIVE, supply.plant, paid
            )
            assert sum == paid, "incentive: account ran empty"
        paid_all += paid
        log Granted(
            plant=supply.plant,
            energy=supply.energy,
            charge=supply.charge,
            steadiness=supply.steadiness,
            reference=reference,
            rate=rates[i],
            paid=paid,
        )
        digest = keccak256(abi_encode(digest, supply, reference, rates[i], paid))
    self.spent[self._day(interval)] += paid_all
    assert expected == empty(bytes32) or digest == expected, "incentive: other amounts"
    return digest


@internal
@view
def _available(interval: uint64) -> uint256:
    free: uint256 = 0
    reserved: uint256 = 0
    locked: uint256 = 0
    free, reserved, locked = staticcall vault.__interface__(VAULT).account(accounts.INCENTIVE)
    return min(free, RULES.daily_budget - self.spent[self._day(interval)])


@internal
@view
def _day(interval: uint64) -> uint256:
    return convert(interval, uint256) // RULES.intervals_per_day
