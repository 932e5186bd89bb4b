"""What a part of net settlement is made of, and what the council signs of it.

The mirror of `contracts/netting.vy`. A part has

- rows, one per account, rising: what it reserved and what it may lose at most (its lock);
- changes, one per row: what it gains or loses, what is held in disputes, where its last leaf is;
- ratings, one per row: what it agreed and sent as a seller;
- leaves, one per fill in the clearing's order: see `leaf`.
"""

from typing import NamedTuple

from gridpact.crypto import merkle
from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.chunks import chunked
from gridpact.ledger.onchain.netting import HELD
from gridpact.ledger.proving.leaf import Leaf
from gridpact.model.interval import Phase
from gridpact.model.order import NONE
from gridpact.model.participant import Named
from gridpact.model.typed import QUORUM
from gridpact.quantities import Money, Wh

MOST_ACCOUNTS = 1024
MOST_FILLS = 2**merkle.MAX_DEPTH
MOST_MONEY = 2**48 - 1
"""Largest amount of one account in one part: 281 million units of the currency."""
OWN = (
    Named.NETWORK_LOSS.address,
    Named.NETWORK_OPERATOR.address,
    Named.REWARD.address,
)


class Row(NamedTuple):
    """What an account brings to a part."""

    account: bytes
    reserved: Money
    lock: Money

    @property
    def word(self) -> int:
        """account 160 | reserved 48 | lock 48."""
        return int.from_bytes(self.account, "big") << 96 | self.reserved << 48 | self.lock


class Change(NamedTuple):
    """What a part does to an account. `tail` is the place of its last leaf, from 1; 0 for none."""

    delta: Money = 0
    held: Money = 0
    tail: int = 0

    @property
    def half(self) -> int:
        """zero 15 | negative 1 | held 48 | tail 16 | amount 48."""
        return (self.delta < 0) << 112 | self.held << 64 | self.tail << 48 | abs(self.delta)


class Rating(NamedTuple):
    """What an account agreed and sent as a seller, outside of disputes, and where its last leaf is.

    All zero of who agreed nothing.
    """

    agreed: Wh = 0
    sent: Wh = 0
    tail: int = 0

    @property
    def half(self) -> int:
        """agreed 72 | sent 40 | tail 16."""
        return self.agreed << 56 | self.sent << 16 | self.tail


class Header(NamedTuple):
    """What holds for all leaves of a part.

    Loss L and S of the region, rho settled before the first leaf, the place of the first fill in
    the clearing and the number of leaves; what rewards and claims may come to; the rows of
    `OWN`, the market's own accounts. A part has all fills from its first; only one of held fills
    leaves some out.
    """

    loss_wh: Wh
    weighed_wh: Wh
    before_wh: Wh
    first: int
    leaves: int
    rewards: Money = 0
    claims: Money = 0
    own: tuple[int, int, int] = (0, 0, 0)

    @property
    def packed(self) -> bytes:
        """Two words; in a part the digest of its ratings follows as a third.

        loss 64 | weighed 64 | before 64 | first 32 | leaves 32; then the rows of network_loss 16,
        network_operator 16, reward 16 | rewards 64 | claims 64.
        """
        energy = self.loss_wh << 192 | self.weighed_wh << 128 | self.before_wh << 64
        energy |= self.first << 32 | self.leaves
        loss, network, reward = self.own
        funds = loss << 160 | network << 144 | reward << 128 | self.rewards << 64 | self.claims
        return packing.words((energy, funds))


class Place(NamedTuple):
    """A part's name."""

    region: bytes
    interval: int
    part: int = 0

    @property
    def key(self) -> bytes:
        """The same as `netting.key`."""
        return keccak(self.region + packing.words((self.interval, int(Phase.SETTLE), self.part)))

    @property
    def held(self) -> "Place":
        """The part that settles what this one held."""
        return self._replace(part=self.part + HELD)


class Part(NamedTuple):
    """One part of net settlement, complete: what is posted and what proves it."""

    place: Place
    epoch: int
    clearing: bytes
    header: Header
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    ratings: tuple[Rating, ...]
    leaves: tuple[Leaf, ...]

    @property
    def head(self) -> bytes:
        """Return the three words of `netting.Header`."""
        return self.header.packed + chunked(self.rating_words)

    @property
    def span(self) -> int:
        """Return which fills of its clearing are the part's: its first 32 | their number 32.

        0 of a part that settles what another held.
        """
        if self.place.part >= HELD:
            return 0
        return self.header.first << 32 | self.header.leaves

    @property
    def root(self) -> bytes:
        return merkle.root([leaf.content for leaf in self.leaves])

    @property
    def row_words(self) -> list[int]:
        return [row.word for row in self.rows]

    @property
    def delta_words(self) -> list[int]:
        """Return two changes to a word, the first in the high half."""
        return _paired([change.half for change in self.changes])

    @property
    def rating_words(self) -> list[int]:
        """Return two ratings to a word, likewise."""
        return _paired([rating.half for rating in self.ratings])

    def digest(self, domain: Domain, root: bytes | None = None) -> bytes:
        """Return what the council signs of the whole part; `root` where it is known already."""
        return quorum_digest(
            domain,
            *(self.place, Phase.SETTLE, self.epoch, self.clearing, chunked(self.row_words)),
            *(root or self.root, self.head, chunked(self.delta_words)),
        )


def _paired(halves: list[int]) -> list[int]:
    halves += [0] * (len(halves) % 2)
    return [high << 128 | low for high, low in zip(halves[::2], halves[1::2], strict=True)]


def reserve_digest(domain: Domain, part: Part) -> bytes:
    """Return what the council signs before a part's money is set aside: no locks yet."""
    rows = chunked([row._replace(lock=0).word for row in part.rows])
    return quorum_digest(domain, part.place, Phase.COLLECT, part.epoch, rows=rows)


def commit_digest(domain: Domain, part: Part) -> bytes:
    """Return what the council signs of a part's locks, its clearing and which fills it has."""
    rows, header = chunked(part.row_words), packing.words((part.span, 0)) + NONE
    return quorum_digest(
        *(domain, part.place, Phase.COMMIT, part.epoch, part.clearing, rows), header=header
    )


def quorum_digest(
    domain: Domain,
    place: Place,
    phase: Phase,
    epoch: int,
    clearing: bytes = NONE,
    rows: bytes = NONE,
    root: bytes = NONE,
    header: bytes = NONE * 3,
    deltas: bytes = NONE,
) -> bytes:
    """Return the EIP-712 digest of a council's word; reservations and commits leave the end out."""
    values = (place.region, place.interval, int(phase), place.part, epoch)
    hashes = (clearing, rows, root, keccak(header), deltas)
    return domain.digest(QUORUM.struct_hash((*values, *hashes)))
