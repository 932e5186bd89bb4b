"""Rules: posted clearings, honest and wrong, and what anybody brings against them; anchors too."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.contracts.clearings import Cleared5
from tests.contracts.fuzz.councils import Councils, poster
from tests.contracts.fuzz.play import pick
from tests.contracts.fuzz.spoiling import Changes, spoils
from tests.contracts.fuzz.wrong_clearings import KINDS, Wrong
from tests.contracts.harness import OPERATOR, REGION
from tests.contracts.parts import TERMS
from tests.contracts.reading import Contract

from gridpact.crypto.keys import Key as Device
from gridpact.crypto.keys import compact
from gridpact.ledger.onchain import packing
from gridpact.ledger.proving.challenges import Challenge
from gridpact.model.order import NONE
from gridpact.model.typed import HEAD

FIRST = 60
"""From this interval on each clearing has its own: orders and fills of the others lie before it."""


class Disputes(Councils):
    """Clearings, challenges, demands, anchors."""

    def open_market(self) -> None:
        super().open_market()
        self.clearings: list[tuple[Cleared5, Wrong]] = []

    # clearings

    @rule(kind=st.sampled_from(sorted(KINDS)), early=pick, spoil=spoils, sender=poster)
    def clear(self, kind: str, early: int, spoil: Changes, sender: bytes) -> None:
        interval = FIRST + len(self.clearings) if early % 5 else 13 + early % 2
        book = Cleared5.on(self.net, interval)
        made = KINDS[kind](book)
        self.clearings.append((book, made))
        self.bonded(OPERATOR)
        self.attempt(lambda: self.world.price_of(interval))
        for one in made.standing:
            row, write = packing.collection(one), self.world.write(interval=interval)
            self.attempt(
                lambda row=row, write=write: self.world.rows(  # type: ignore[misc]
                    Contract.ORDERS, "collect", [row], write=write
                )
            )
        self.attempt(lambda: book.post(made.served), spoil)
        for call in made.calls:
            self._bring(book, call, sender, spoil)

    @precondition(lambda self: self.clearings)
    @rule(at=pick, other=pick, sender=poster, spoil=spoils)
    def challenge(self, at: int, other: int, sender: bytes, spoil: Changes) -> None:
        """Bring a call again, or too late, or one that was made for another clearing."""
        book, made = self.of(at, self.clearings)
        self._bring(book, self.of(other, [*made.later, *made.calls]), sender, spoil)

    @precondition(lambda self: any(made.later for _, made in self.clearings))
    @rule(at=pick, sender=poster, wait=st.integers(0, 3), spoil=spoils)
    def expire(self, at: int, sender: bytes, wait: int, spoil: Changes) -> None:
        book, made = self.of(at, [one for one in self.clearings if one[1].later])
        if wait:
            self.world.time += (TERMS.answer + 1) * self.world.timing.seconds
        for call in made.later:
            self._bring(book, call, sender, spoil)

    def _bring(self, book: Cleared5, call: Challenge, sender: bytes, spoil: Changes) -> None:
        self.attempt(lambda: book.challenge(call, sender), spoil)

    # anchors

    @rule(
        back=st.integers(0, 4),
        turn=st.integers(0, 5),
        number=st.integers(0, 7),
        wrong=st.integers(0, 11),
        spoil=spoils,
    )
    def anchor(self, back: int, turn: int, number: int, wrong: int, spoil: Changes) -> None:
        """The member in turn writes, or another one; of an interval that is over, or not yet."""
        interval = max(0, self.now() - back)
        epoch, seats = self.office(interval)
        members = [one.address for one in seats]
        who = members[(self.now() - 1 + turn // 4) % len(members)]
        last = self.heads[-1] if self.heads else None
        head = packing.words((1 + len(self.heads),))
        counted = (last[1] if last else 0) + number
        previous = last[2] if last else NONE
        match wrong:
            case 0:
                previous = packing.words((77,))
            case 1:
                head = NONE
            case 2:
                counted = 2**32
            case 3:
                interval = last[0] if last else 0
        given = (REGION, interval, counted, head, previous, epoch, members)
        if self.attempt(
            lambda: self.world.send(Contract.ANCHOR, "post", *given, sender=who), spoil
        ):
            self.heads.append((interval, counted, head, previous, self._device(who)))

    @precondition(lambda self: self.heads)
    @rule(
        at=pick,
        wrong=st.integers(0, 9),
        strike=st.booleans(),
        sender=poster,
        spoil=spoils,
    )
    def correct(self, at: int, wrong: int, strike: bool, sender: bytes, spoil: Changes) -> None:
        """Prove an anchor wrong: by the council's quorum, or by the writer's own other word."""
        place = len(self.heads) - 1 - at % min(2, len(self.heads))
        interval, number, head, previous, writer = self.heads[place]
        epoch, seats = self.office(interval)
        other = packing.words((1000 + at,))
        match wrong:
            case 0:
                other = head
            case 1:
                previous = packing.words((77,))
            case 2:
                other = NONE
            case 3:
                number += 1
        said = (REGION, interval, number, other, previous)
        digest = self.world.domain.digest(HEAD.struct_hash(said))
        if strike:
            signer = self.net.council[0] if wrong == 4 else writer
            given = (*said, _halves(compact(signer.sign(digest))))
            act = lambda: self.world.send(Contract.ANCHOR, "strike", *given, sender=sender)  # noqa: E731
            if self.attempt(act, spoil):
                del self.heads[place:]
            return
        signers = seats[:1] if wrong == 4 else None
        signatures = [_halves(one) for one in self.net.quorum(digest, signers)]
        members = [one.address for one in seats]
        made = (*said, epoch, members, signatures)
        act = lambda: self.world.send(Contract.ANCHOR, "correct", *made, sender=sender)  # noqa: E731
        if self.attempt(act, spoil):
            del self.heads[place + 1 :]
            self.heads[place] = (interval, number, other, previous, writer)

    def _device(self, address: bytes) -> Device:
        return next(one for one in self.net.council if one.address == address)


def _halves(signature: bytes) -> tuple[bytes, bytes]:
    return signature[:32], signature[32:]
