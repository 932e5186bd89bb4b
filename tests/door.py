"""Three door keepers of whom two let money in: what tests found their chains with."""

from collections.abc import Sequence

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import Key as Device
from gridpact.model.door import DoorTerms, Warrant, deposit_digest, warrant
from gridpact.model.record import Deposit
from gridpact.quantities import Money

KEEPERS = tuple(
    sorted(
        (Device.derive(b"door", f"keeper {n}") for n in range(3)), key=lambda device: device.address
    )
)
TERMS = DoorTerms(tuple(keeper.address for keeper in KEEPERS), needed=2)


def word_of(
    currency: Domain,
    account: bytes,
    amount: Money,
    reference: bytes,
    day: int = 0,
    keepers: Sequence[Device] = KEEPERS[:2],
) -> Warrant:
    """Return the word of keepers that money may enter on an account of the vault."""
    digest = deposit_digest(currency, account, amount, reference, day)
    return warrant(digest, day, [keeper.sign for keeper in keepers])


def deposit(currency: Domain, account: bytes, amount: Money, reference: bytes) -> Deposit:
    """Return money that enters at a founding."""
    return Deposit(account, amount, reference, word_of(currency, account, amount, reference))
