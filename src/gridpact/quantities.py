"""Energy, money and scores as whole numbers: Python and the contracts agree to the last digit.

Energy is in Wh, a price in micro-units of the settlement currency per kWh, money in micro-units,
a score (reputation, trust, a share) in parts per million. The only rounding rules live here; the
contracts repeat them (`contracts/rounding.vy`). Floats exist in `grid` and `simulation` alone and
become whole numbers through `whole`.
"""

from typing import TypeAlias

Wh: TypeAlias = int
Money: TypeAlias = int
Price: TypeAlias = int
Score: TypeAlias = int

PPM = 1_000_000
MICRO = 1_000_000

MAX_ENERGY: Wh = 2**40 - 1
MAX_ORDER: Wh = 2**36 - 1
"""What a participant may offer, or bid at once, for one interval; as `book.vy: MOST`."""
MAX_PRICE: Price = 2**48 - 1
MAX_MONEY: Money = 2**96 - 1
MAX_SCORE: Score = 2**32 - 1


def divide_half_even(numerator: int, denominator: int) -> int:
    """Return `numerator / denominator` rounded to the nearest whole number, ties to even.

    Both are >= 0 and `denominator` > 0. The same rule as `rounding.vy: divide_half_even`.
    """
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient


def amount(price: Price, energy: Wh) -> Money:
    """Return what `energy` costs at `price`, rounded half to even once."""
    # `divide_half_even` written out, here and in `part`: settlement does little else
    quotient, rest = divmod(price * energy, 1000)
    return quotient + 1 if rest > 500 or (rest == 500 and quotient & 1) else quotient


def part(whole_amount: int, share: Score) -> int:
    """Return `share` (ppm) of a whole amount, rounded half to even."""
    quotient, rest = divmod(whole_amount * share, PPM)
    return quotient + 1 if rest > 500_000 or (rest == 500_000 and quotient & 1) else quotient


def half(money: Money) -> Money:
    """Return half of an amount; an odd micro-unit is dropped."""
    return money // 2


def whole(value: float) -> int:
    """Return a float as the nearest whole number, ties to even: the way out of `grid`."""
    return round(float(value))
