"""What each order of a clearing has traded and paid, in whole numbers of any size."""

from gridpact.market.book import Whole


def energy_of(rows: Whole, energy: Whole, count: int) -> list[int]:
    """Return the energy of each of `count` orders; `rows` says to which one a fill belongs."""
    return money_of(rows, energy, 1 + 0 * energy, count)


def money_of(rows: Whole, energy: Whole, price: Whole, count: int) -> list[int]:
    """Return energy times price of each of `count` orders: thousandths of micro-units, unrounded.

    A product does not fit into 64 bits; a sum of fills' energy might not.
    """
    sums = [0] * count
    for row, much, each in zip(rows.tolist(), energy.tolist(), price.tolist(), strict=True):
        sums[row] += much * each
    return sums


def worth(energy: list[int], price: Whole) -> int:
    """Return the sum of energies times prices."""
    return sum(much * each for much, each in zip(energy, price.tolist(), strict=True))
