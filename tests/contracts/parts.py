"""A market with a council that settles net: what the tests of `net` and its proofs act on.

Random fills among as many accounts as wanted, real readings and real signatures, the part built by
`ledger.net`. Thieves change one number of it, or bring one signature less.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import count
from typing import Any

from tests.contracts.harness import LOSS_SHARE, MICRO, OPERATOR, REGION, World, decoded
from tests.contracts.reading import Contract, Event, artefact

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as Device
from gridpact.crypto.keys import compact
from gridpact.errors import Reverted
from gridpact.ledger.onchain import roots
from gridpact.ledger.onchain.abi import Rows, arguments, pack
from gridpact.ledger.onchain.roots import Posting
from gridpact.ledger.proving import net, proofs, ratings, steps
from gridpact.ledger.proving.leaf import meter_digest
from gridpact.ledger.proving.part import Header, Part, Place, Row, commit_digest, reserve_digest
from gridpact.ledger.proving.proofs import Fault
from gridpact.ledger.proving.steps import Given
from gridpact.model.council import Word
from gridpact.model.delivery import Delivery, Metered, Reading, SignedReading
from gridpact.model.interval import Phase
from gridpact.model.net import NetTerms
from gridpact.model.order import NONE, Tier
from gridpact.model.participant import Named, Participant, Role
from gridpact.model.statement import Case, Statement
from gridpact.model.trade import Fill
from gridpact.model.typed import BATCHES
from gridpact.quantities import Money
from gridpact.settlement.allocation import allocate
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split

TERMS = NetTerms()
INTERVAL = 12
NOW = INTERVAL + 1
"""When the parts of `INTERVAL` are posted: it is over."""
CHALLENGER = Device.derive(b"net", "challenger")
Signatures = tuple[bytes, ...]


@dataclass
class Settled:
    """An interval's trades, delivered and split: what a part is built from."""

    rows: tuple[Row, ...]
    header: Header
    trades: list[tuple[int, Fill, Delivery, Statement]]
    readings: Mapping[bytes, tuple[SignedReading, SignedReading]]
    meters: Mapping[bytes, bytes]

    @property
    def fills(self) -> dict[bytes, Fill]:
        """Return the fills by their hashes."""
        return {fill.hash: fill for _, fill, *_ in self.trades}

    @cached_property
    def posting(self) -> Posting:
        """Return what is posted of the clearing that has these fills and no others."""
        fills = [fill for _, fill, *_ in self.trades]
        volume = sum(fill.energy_wh for fill in fills)
        root = roots.fill_root(fills)
        return Posting(keccak(b"record"), keccak(b"orders"), root, NONE, len(fills), volume)


@dataclass
class NetWorld:
    """Verbs of net settlement on a `World`; `people` are its participants' devices."""

    world: World
    people: list[Device]
    council: list[Device]
    epoch: int = 0
    salts: Any = field(default_factory=count)
    postings: dict[bytes, Posting] = field(default_factory=dict)
    """The clearings that parts were made for, by their names."""

    @classmethod
    def of(
        cls,
        world: World,
        people: int = 8,
        members: int = 4,
        funds: Money = 30 * MICRO,
        now: int = INTERVAL,
    ) -> "NetWorld":
        """Register people and aggregators, give them money, bonds and office; go to an interval."""
        devices = [Device.derive(b"net", f"person {n}") for n in range(people)]
        council = sorted(
            (Device.derive(b"net", f"member {n}") for n in range(members)), key=lambda d: d.address
        )
        everyone = [*devices, *council, CHALLENGER]
        rows = [_participant(one) for one in everyone]
        if world.view(Contract.REGISTRY, "founded"):
            world.register(rows)
        else:  # many are founded faster than they join
            for first in range(0, len(rows), 128):
                world.found(rows[first : first + 128], last=first + 128 >= len(rows))
        for one in (*devices, CHALLENGER):
            world.mint(one.address, funds)
        for named in (Named.REWARD, Named.NETWORK_LOSS):
            world.mint(named.address, 50 * MICRO)
        world.mint(Named.OPERATOR.address, 4 * TERMS.bond)
        self = cls(world, devices, council)
        self.bond(OPERATOR)
        for member in council:
            world.mint(member.address, 2 * TERMS.bond)
            self.bond(member.address)
        self.appoint(council, begins=0)
        world.price(LOSS_SHARE)
        world.go_to(now)
        return self

    # the council

    def bond(self, account: bytes, amount: Money = TERMS.bond) -> list[Event]:
        return self.world.send(Contract.COUNCIL, "bond", amount, sender=account)

    def appoint(self, members: Sequence[Device], begins: int, epoch: int = 0) -> list[Event]:
        addresses = [member.address for member in members]
        return self.world.send(Contract.COUNCIL, "appoint", REGION, epoch, begins, addresses)

    def attest(
        self,
        batches: Sequence[bytes],
        signers: Sequence[Device] | None = None,
        members: Sequence[Device] | None = None,
        place: Place | None = None,
        signed_for: Place | None = None,
        epoch: int = 0,
    ) -> list[Event]:
        """Bring the word of `signers`, of as many members as it takes, on batches."""
        listed = keccak(arguments(Rows(batches)))
        place = place or Place(REGION, INTERVAL)
        said = (*(signed_for or place), epoch, listed)
        digest = self.world.domain.digest(BATCHES.struct_hash(said))
        seats = members or self.council
        chosen = seats[: len(seats) * 2 // 3 + 1] if signers is None else signers
        given = arguments(
            pack(*place, epoch),
            Rows(batches),
            Rows([pack(one.address) for one in seats]),
            Rows(self.quorum(digest, chosen)),
        )
        return self.send(Contract.COUNCIL, "attest", given)

    def stands(self, batch: bytes, region: bytes = REGION) -> bool:
        """Say whether a batch may be executed."""
        found: bool = self.world.view(Contract.COUNCIL, "stands", region, batch)
        return found

    def quorum(self, digest: bytes, signers: Sequence[Device] | None = None) -> Signatures:
        """Return the signatures of as many members as it takes, or of these."""
        if signers is None:
            signers = self.council[: len(self.council) * 2 // 3 + 1]
        return tuple(compact(one.sign(digest)) for one in signers)

    # a market

    def market(
        self,
        trades: int = 20,
        seed: int = 1,
        interval: int = INTERVAL,
        disputed: int = 0,
        shortfall: float = 0.3,
        zonal: int = 0,
    ) -> Settled:
        """Return random trades, delivered with shortfalls, as the rules settle them.

        The last `zonal` of them are of the zonal tier.
        """
        draw = random.Random(seed)
        half = len(self.people) // 2
        buyers, sellers = self.people[:half], self.people[half:]
        fills = [
            Fill(
                *(REGION, interval, Tier(n >= trades - zonal), n),
                *(keccak(b"bid%d" % n), keccak(b"offer%d" % n)),
                *(draw.choice(buyers).address, draw.choice(sellers).address),
                *(draw.randint(100, 3_000), draw.randint(100_000, 180_000), 30_000),
            )
            for n in range(trades)
        ]
        metered = self._metered(fills, draw, shortfall)
        silent = {draw.choice(sellers).address for _ in range(disputed)}
        metered = [
            Metered(one.participant, 0, 0) if one.participant in silent else one for one in metered
        ]
        weighed = sum(row.import_wh for row in metered)
        loss = weighed // 25
        allocation = allocate(fills, metered, loss, weighed + loss, disputed=silent)
        rules = self.world.settlement
        owed = [
            split(fill, delivery, rules, LOSS_SHARE)
            for fill, delivery in zip(fills, allocation.deliveries, strict=True)
        ]
        statements = fund(owed, MICRO // 10, MICRO // 10, rules)
        readings = self._readings(metered, silent, interval)
        reserved = {one.address: 0 for one in self.people}
        for fill in fills:  # a little more than the locks: not everything offered was taken
            reserved[fill.buyer] += fill.lock + 1_000
        reserved |= {Named.REWARD.address: MICRO // 10, Named.NETWORK_LOSS.address: MICRO // 10}
        rows = net.locks(fills, reserved, MICRO // 10, MICRO // 10)
        header = Header(loss, weighed + loss, 0, 0, trades, MICRO // 10, MICRO // 10)
        rest = list(zip(range(trades), fills, allocation.deliveries, statements, strict=True))
        meters = {
            account: meter_digest(*(one.reading.digest(self.world.domain) for one in pair))
            for account, pair in readings.items()
        }
        return Settled(rows, header, rest, readings, meters)

    def _metered(
        self, fills: Sequence[Fill], draw: random.Random, shortfall: float
    ) -> list[Metered]:
        sold = dict.fromkeys((one.address for one in self.people), 0)
        bought = dict(sold)
        for fill in fills:
            sold[fill.seller] += fill.energy_wh
            bought[fill.buyer] += fill.energy_wh
        return [
            Metered(
                account,
                int(bought[account] * draw.uniform(1 - shortfall, 1.1)),
                int(sold[account] * draw.uniform(1 - shortfall, 1.1)),
            )
            for account in sold
        ]

    def _readings(
        self, metered: Sequence[Metered], silent: set[bytes], interval: int
    ) -> dict[bytes, tuple[SignedReading, SignedReading]]:
        devices = {one.address: one for one in self.people}
        found = {}
        for row in metered:
            if row.participant in silent:
                continue
            before = Reading(row.participant, REGION, interval - 1, 5_000, 7_000)
            now = Reading(
                *(row.participant, REGION, interval),
                *(5_000 + row.import_wh, 7_000 + row.export_wh),
            )
            found[row.participant] = tuple(
                SignedReading(one, devices[row.participant].sign(one.digest(self.world.domain)))
                for one in (before, now)
            )
        return found

    def part(self, settled: Settled, number: int = 0, interval: int = INTERVAL) -> Part:
        """Return the part of all trades; a later number claims as many later places."""
        name = settled.posting.name(REGION, interval)
        self.postings[name] = settled.posting
        first = number * len(settled.trades)
        return net.build(
            Place(REGION, interval, number),
            self.epoch,
            name,
            settled.header._replace(first=first),
            settled.rows,
            [(first + at, *rest) for at, *rest in settled.trades],
            settled.meters,
            self.world.settlement.loss_fund_share,
        )

    def clear(self, part: Part) -> None:
        """Post the clearing that a part was made for, if none stands for its interval."""
        place, posting = part.place, self.postings.get(part.clearing)
        if posting is None or self.world.view(Contract.CLEARING, "is_posted", *place[:2]):
            return
        if place.interval != INTERVAL:
            self.world.price_of(place.interval)
        write = decoded(self.world.write(Phase.CLEAR, place.interval, content=posting.content))
        self.world.send(Contract.CLEARING, "post", write, *posting[1:])

    def condemn(self, part: Part) -> None:
        """Have the part's posted clearing condemned: nobody shows an order of it on demand."""
        posting = self.postings[part.clearing]
        given = pack(*part.place[:2], *posting, 1, 0)
        self.send(Contract.CHALLENGE_BOOK, "demand", given, CHALLENGER.address)
        self.world.go_to(max(part.place.interval, NOW) + TERMS.answer + 1)
        self.send(Contract.CHALLENGE_BOOK, "expire", given, CHALLENGER.address)

    def meter(self, part: Part) -> None:
        """Post the balance of the meters that a part is made with, if none is posted."""
        try:
            self.world.view(Contract.CLEARING, "metered", *part.place[:2])
        except Reverted:
            loss, weighed, before, first, *_ = part.header
            self.world.deliver(loss, weighed, 0 if first else before, part.place.interval)

    # the four steps

    def reserve(self, part: Part, signatures: Signatures | None = None, **o: Any) -> list[Event]:
        digest = reserve_digest(self.world.domain, part)
        return self._said(steps.reserve, part, digest, signatures, **o)

    def commit(self, part: Part, signatures: Signatures | None = None, **o: Any) -> list[Event]:
        self.clear(part)
        digest = commit_digest(self.world.domain, part)
        return self._said(steps.commit, part, digest, signatures, **o)

    def post(
        self,
        part: Part,
        signatures: Signatures | None = None,
        root: bytes | None = None,
        **o: Any,
    ) -> list[Event]:
        self.meter(part)
        root = root or part.root
        digest = part.digest(self.world.domain, root)
        return self._said(partial(steps.post, root=root), part, digest, signatures, "post", **o)

    def finalise(
        self, part: Part, sender: bytes = OPERATOR, root: bytes | None = None
    ) -> list[Event]:
        given = arguments(*steps.finalise(part, root))
        return self.send(Contract.NET, "finalise", given, sender)

    def rate(self, part: Part, chunk: int = 0, sender: bytes = CHALLENGER.address) -> list[Event]:
        """Have the sellers among 32 rows rated."""
        given = proofs.packed(ratings.rate_part(part, chunk))
        return self.send(Contract.REPUTATION, "rate_part", given, sender)

    def carry(self, part: Part) -> list[Event]:
        return self.send(Contract.NET, "carry", arguments(*steps.carry(part)))

    def release(
        self, part: Part, rows: Sequence[Row] | None = None, sender: bytes = CHALLENGER.address
    ) -> list[Event]:
        given = arguments(*steps.release(part, rows))
        return self.send(Contract.FALLBACK, "release", given, sender)

    def posted(self, settled: Settled, **options: Any) -> Part:
        """Reserve, commit and post a part."""
        part = self.part(settled, **options)
        self.reserve(part)
        self.commit(part)
        self.post(part)
        return part

    def after_window(self, part: Part) -> None:
        """Let the part's window pass."""
        _, _, _, until, _ = self.state(part)
        self.world.go_to(until + 1)

    def state(self, part: Part) -> tuple[int, bytes, int, int, int]:
        """Return state, poster, interval posted, until, open demands."""
        state, poster, *rest = self.world.view(Contract.NET, "part", part.place.key)
        return (state, bytes.fromhex(poster[2:]), *rest)

    def prove(self, fault: Fault, sender: bytes = CHALLENGER.address) -> list[Event]:
        """Bring a proof to the contract that judges it."""
        contract = Contract(fault.contract)
        return self.send(contract, fault.function, proofs.packed(fault.given), sender)

    def demand(self, part: Part, index: int, sender: bytes = CHALLENGER.address) -> list[Event]:
        return self.send(Contract.EVIDENCE, "demand", pack(*part.place, index), sender)

    def unanswered(self, part: Part, index: int, sender: bytes = CHALLENGER.address) -> list[Event]:
        given = proofs.opening(part) + pack(index)
        return self.send(Contract.EVIDENCE, "unanswered", given, sender)

    def answer(
        self, settled: Settled, part: Part, index: int, sender: bytes = OPERATOR
    ) -> list[Event]:
        _, fill, *_ = settled.trades[index]
        pairs = (settled.readings.get(fill.seller), settled.readings.get(fill.buyer))
        given = proofs.answer(part, fill, index, *pairs)
        return self.send(Contract.EVIDENCE, "answer", given, sender)

    def send(
        self, contract: Contract, name: str, given: bytes, sender: bytes = OPERATOR
    ) -> list[Event]:
        """Call with packed arguments."""
        selector = artefact(contract).functions[name].selector
        return self.world.raw(contract, selector + given, sender)

    def holds(self) -> bool:
        """Say whether money is conserved, by the totals."""
        minted, burned, *pots = self.world.view(Contract.VAULT, "totals")
        return bool(sum(pots) == minted - burned)

    def _said(
        self,
        step: Callable[[Part, Word], Given],
        part: Part,
        digest: bytes,
        signatures: Signatures | None,
        name: str = "",
        members: Sequence[Device] | None = None,
        sender: bytes = OPERATOR,
    ) -> list[Event]:
        """Take a step by the council's word."""
        if signatures is None:
            signatures = self.quorum(digest)
        seats = tuple(one.address for one in members or self.council)
        given = arguments(*step(part, Word(part.epoch, seats, signatures)))
        return self.send(Contract.NET, name or step.__name__, given, sender)


def disputed(settled: Settled) -> int:
    """Return how many trades are in dispute."""
    return sum(statement.case is Case.DISPUTE for *_, statement in settled.trades)


def _participant(device: Device) -> Participant:
    address = device.address
    return Participant(
        address.hex(), address, 7, Role.CONSUMER, keccak(address), keccak(b"meter" + address)
    )
