"""What a renewable plant earns beyond its price for supplying steadily.

[Wang23], the incentive after delivery: C_d' = C_REG (1 + log_k(x + 1)), x = P t_d + s, with the
bounds of 5-decisions, section 14, without which a plant gains by trading with its own shell
buyer. `contracts/incentive.vy` repeats `log2_fixed`, `log_ppm`, `bonus_rate` and `grant` on
uint256. How steady a plant is, `settlement.steadiness` says.
"""

from collections.abc import Sequence

import msgspec

from gridpact.errors import SettlementError
from gridpact.model.record import Incentive
from gridpact.model.trade import Fill
from gridpact.quantities import PPM, Money, Price, Wh, amount, divide_half_even, part

_SCALE = 64
_BITS = 40


class Supply(msgspec.Struct, frozen=True):
    """One settled fill of a plant, the unit over which the incentive is bounded.

    `energy_wh` is what was sent of what the buyer used (5-decisions, section 7: R counts used
    energy only), `charge` the network charge paid on it, `steadiness` x = P t_d + s. [10⁻⁶]
    """

    plant: bytes
    energy_wh: Wh
    charge: Money
    steadiness: int


def log2_fixed(value: int) -> int:
    """Return log2(value / 2^64) in units of 2^-40, rounded down; `value` >= 2^64.

    Notes
    -----
    Binary logarithm by repeated squaring: the mantissa m in [1, 2) is squared, each time it
    reaches 2 the next bit is one and m is halved. Truncation costs less than 2^-62 in all.
    """
    integer = value.bit_length() - 1 - _SCALE
    mantissa = value >> integer
    result = integer
    for _ in range(_BITS):
        mantissa = mantissa * mantissa >> _SCALE
        result <<= 1
        if mantissa >> (_SCALE + 1):
            mantissa >>= 1
            result |= 1
    return result


def log_ppm(x: int, difficulty: int) -> int:
    """Return log_k(x + 1), rounded down to ppm.

    Parameters
    ----------
    x
        Steadiness x = P t_d + s, < 2^120. [10⁻⁶]
    difficulty
        Base k of the logarithm, a whole number >= 2.
    """
    if x < 0 or difficulty < 2:
        raise SettlementError(f"no logarithm of {x} ppm + 1 to the base {difficulty}")
    numerator = log2_fixed(((x + PPM) << _SCALE) // PPM)
    return numerator * PPM // log2_fixed(difficulty << _SCALE)


def bonus_rate(reference: Price, x: int, difficulty: int) -> Price:
    """Return C_d' - C_REG, the incentive per kWh, at most C_REG itself.

    `reference` is C_REG, the zone's renewable price of the last cleared interval.
    """
    return part(reference, min(log_ppm(x, difficulty), PPM))


def grant(
    supplies: Sequence[Supply], reference: Price, difficulty: int, available: Money
) -> tuple[Incentive, ...]:
    """Return what each supply earns, in order.

    Each gets amount(bonus rate, energy), at most the network charge paid on it; when all of them
    need more than is `available` (what is left of the day's budget, and of the account), each
    gets floor(its own * available / all).
    """
    rates = [bonus_rate(reference, supply.steadiness, difficulty) for supply in supplies]
    bounded = [
        min(amount(rate, supply.energy_wh), supply.charge)
        for rate, supply in zip(rates, supplies, strict=True)
    ]
    wanted = sum(bounded)
    scarce = wanted > available
    return tuple(
        Incentive(
            plant=supply.plant,
            energy_wh=supply.energy_wh,
            steadiness=supply.steadiness,
            rate=rate,
            paid=money * available // wanted if scarce else money,
            reference=reference,
            charge=supply.charge,
        )
        for supply, rate, money in zip(supplies, rates, bounded, strict=True)
    )


def reference_price(fills: Sequence[Fill], before: Price) -> Price:
    """Return C_REG: the energy-weighted price of zonal fills, or the one `before` without any.

    The first interval of a market starts from the feed-in tariff.
    """
    energy = sum(fill.energy_wh for fill in fills)
    if energy == 0:
        return before
    return divide_half_even(sum(fill.price * fill.energy_wh for fill in fills), energy)
