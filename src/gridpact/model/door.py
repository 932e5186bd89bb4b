"""The door: where money enters a chain, by the word of k of n keepers (5-decisions, section 17).

Nobody alone makes money. The keepers sign account, amount, reference and day for one chain's
currency; a reference counts once, a day has a cap. `contracts/door.vy` checks the same.
"""

from collections.abc import Callable, Iterable

import msgspec

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import compact
from gridpact.model.typed import DEPOSIT, MINT
from gridpact.quantities import Money

MOST: Money = 2**63 - 1
"""The highest daily cap: the largest whole number of a record."""

Sign = Callable[[bytes], bytes]


class DoorTerms(msgspec.Struct, frozen=True):
    """Who keeps the door: `needed` of the `keepers` (addresses, rising) let money in.

    `daily_cap` is the most that enters in a day. [micro-units]
    """

    keepers: tuple[bytes, ...] = ()
    needed: int = 1
    daily_cap: Money = MOST


class Warrant(msgspec.Struct, frozen=True):
    """The keepers' word that an amount may enter on a day, counted from the market's beginning.

    Compact signatures, signers rising; none where nobody signs (studies in memory).
    """

    day: int = 0
    signatures: tuple[bytes, ...] = ()


def deposit_digest(
    currency: Domain, account: bytes, amount: Money, reference: bytes, day: int
) -> bytes:
    """Return what the keepers sign for money that enters on an account of the vault."""
    return currency.digest(DEPOSIT.struct_hash((account, amount, reference, day)))


def mint_digest(currency: Domain, to: bytes, amount: Money, reference: bytes, day: int) -> bytes:
    """Return what the keepers sign for money that enters as currency in somebody's hands."""
    return currency.digest(MINT.struct_hash((to, amount, reference, day)))


def warrant(digest: bytes, day: int, signs: Iterable[Sign]) -> Warrant:
    """Return the word of keepers over a digest; `signs` in the order of their addresses."""
    return Warrant(day, tuple(compact(sign(digest)) for sign in signs))
