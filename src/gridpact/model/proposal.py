"""What the parties of a negotiation say to each other: signed answers to a signed bid.

[Cui22] and [Zeng23]: whoever receives a request takes it, answers with a changed price or volume,
or says nothing. Each answer names the message that it answers, so that an exchange can be checked
from its end back to the bid.
"""

from enum import IntEnum

import msgspec

from gridpact.crypto.eip712 import Domain
from gridpact.model.typed import PROPOSAL
from gridpact.quantities import Price, Wh


class Word(IntEnum):
    """What an answer says. Who says nothing has ignored the message."""

    ACCEPT = 0
    COUNTER = 1


class Proposal(msgspec.Struct, frozen=True):
    """One answer.

    `request` is the bid's hash, `answers` the digest of the message that is answered: the bid
    itself or the other side's last proposal. `energy_wh` is the most that is traded, `price` what
    the seller gets. [micro-units per kWh]
    """

    participant: bytes
    request: bytes
    answers: bytes
    round: int
    word: Word
    energy_wh: Wh
    price: Price

    def digest(self, domain: Domain) -> bytes:
        """Return the EIP-712 digest: what is signed, and the message's name."""
        return domain.digest(PROPOSAL.struct_hash(msgspec.structs.astuple(self)))


class SignedProposal(msgspec.Struct, frozen=True):
    """A proposal with its participant's signature, 65 bytes r || s || v."""

    proposal: Proposal
    signature: bytes


class Said(msgspec.Struct, frozen=True):
    """One word of a talk, with its speaker's signature."""

    word: Word
    energy_wh: Wh
    price: Price
    signature: bytes


class Talk(msgspec.Struct, frozen=True):
    """What the devices behind a bid and an offer said until they agreed, in turns.

    The seller speaks first. Each word answers the one before, the first one the bid; two words are
    a round.
    """

    bid: bytes
    offer: bytes
    said: tuple[Said, ...]
