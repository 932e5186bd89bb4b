"""Rules: the council, its bonds, and net settlement: honest parts, altered ones, and the proofs."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec.structs import replace
from tests.contracts.fuzz import hands
from tests.contracts.fuzz.play import INTERVALS, Play, money, pick, sender
from tests.contracts.harness import ANN, BOB, OPERATOR, REGION
from tests.contracts.parts import CHALLENGER, TERMS, Settled
from tests.contracts.reading import Contract

from gridpact.crypto.keys import Key as Device
from gridpact.ledger.proving import proofs
from gridpact.ledger.proving.net import Part
from gridpact.ledger.proving.proofs import Fault

TRADES = 4
LEAVES = st.integers(0, TRADES)
PARTS_FROM = INTERVALS[-1] + 1
poster = st.sampled_from([OPERATOR, OPERATOR, ANN, BOB, CHALLENGER.address])


class Councils(Play):
    """Bonds, seats, parts, demands, proofs."""

    def open_market(self) -> None:
        super().open_market()
        self.epochs: list[tuple[int, list[Device]]] = [(0, list(self.net.council))]
        self.part(1, 0, 1, True)  # a part that its council should not have signed

    def bonded(self, account: bytes) -> None:
        """Let an account have a bond again, if it may."""
        pledged, leaving = self.world.view(Contract.COUNCIL, "pledged", account)
        if pledged < TERMS.bond and not leaving:
            self.attempt(lambda: self.net.bond(account))

    def office(self, interval: int) -> tuple[int, list[Device]]:
        """Return the epoch that an interval lies in, and who holds office."""
        found = [(n, seats) for n, (begins, seats) in enumerate(self.epochs) if begins <= interval]
        return found[-1]

    # bonds and seats

    @rule(
        member=st.integers(0, 5), verb=st.sampled_from(["bond", "leave", "withdraw"]), money=money
    )
    def bonds(self, member: int, verb: str, money: int) -> None:
        everyone = [one.address for one in self.net.council] + [OPERATOR, ANN]
        given = (money,) if verb == "bond" else ()
        who = everyone[member]
        self.attempt(lambda: self.world.send(Contract.COUNCIL, verb, *given, sender=who))

    @rule(ahead=st.integers(0, 4), epoch=st.integers(0, 2), few=st.integers(0, 4), sender=poster)
    def appoint(self, ahead: int, epoch: int, few: int, sender: bytes) -> None:
        seats = self.net.council[few:]
        members = [hands.address(one.address) for one in seats]
        if ahead == 4:
            members.append(hands.address(BOB))
        begins = self.now() + ahead
        given = REGION, epoch, begins, members
        if self.attempt(
            lambda: self.world.send(Contract.COUNCIL, "appoint", *given, sender=sender)
        ):
            self.epochs.append((begins, seats))

    # parts

    @rule(seed=st.integers(0, 40), disputed=st.integers(0, 1), altered=pick, straight=st.booleans())
    def part(self, seed: int, disputed: int, altered: int, straight: bool) -> None:
        # each for an interval of its own, since each has a clearing of its own
        at = PARTS_FROM + len(self.parts)
        settled = self.net.market(trades=TRADES, seed=seed, interval=at, disputed=disputed)
        made = self.net.part(settled, interval=at)
        if altered % 2:
            made = _altered(made, altered // 2)
        self.parts.append((settled, made))
        self.world.books.parts[made.place.key] = made
        for step in ("reserve", "commit", "post") if straight else ("reserve",):
            self.attempt(lambda step=step: getattr(self.net, step)(made))

    @precondition(lambda self: self.parts)
    @rule(
        at=pick,
        step=st.sampled_from(["reserve", "commit", "post"]),
        signers=st.integers(0, 8),
        sender=poster,
    )
    def step(self, at: int, step: str, signers: int, sender: bytes) -> None:
        _, part = self.of(at, self.parts)
        given: dict[str, Any] = {"sender": sender}
        if signers < 4:  # too few of the council, or none of them
            strangers = [CHALLENGER] if signers == 3 else self.net.council[:signers]
            given["signatures"] = self.net.quorum(part.digest(self.world.domain), strangers)
        if signers == 4:
            given["members"] = self.net.council[1:]
        if signers == 5:
            part = part._replace(clearing=b"\1" * 32)
        self.attempt(lambda: getattr(self.net, step)(part, **given))

    @precondition(lambda self: self.parts)
    @rule(at=pick, sender=sender, wait=st.booleans(), carry=st.booleans())
    def finalise(self, at: int, sender: bytes, wait: bool, carry: bool) -> None:
        _, part = self.of(at, self.parts)
        if wait:
            self.net.after_window(part)
        if at % 7 == 0:
            part = part._replace(clearing=b"\1" * 32)
        self.attempt(lambda: self.net.finalise(part, sender))
        if carry:
            self.attempt(lambda: self.net.carry(part))

    # data and proofs

    @precondition(lambda self: self.parts)
    @rule(at=pick, index=LEAVES, sender=poster, verb=st.integers(0, 3))
    def data(self, at: int, index: int, sender: bytes, verb: int) -> None:
        settled, part = self.of(at, self.parts)
        if verb < 2:
            self.attempt(lambda: self.net.demand(part, index, sender))
        elif verb == 2 and index < TRADES:
            self.attempt(lambda: self.net.answer(settled, part, index, sender))
        else:
            self.attempt(lambda: self.net.unanswered(part, index, sender))

    @precondition(lambda self: self.parts)
    @rule(at=pick, index=st.integers(0, TRADES - 1), first=st.integers(1, 10), sender=poster)
    def prove(self, at: int, index: int, first: int, sender: bytes) -> None:
        settled, part = self.of(at, self.parts)
        for kind in (first, (first + 3) % 11, (first + 7) % 11):
            fault = self._fault(settled, part, index, kind, at)
            if fault is not None:
                self.attempt(lambda fault=fault: self.net.prove(fault, sender))

    @precondition(lambda self: self.parts)
    @rule(at=pick, member=st.integers(0, 4), sender=poster)
    def slash_signer(self, at: int, member: int, sender: bytes) -> None:
        _, part = self.of(at, self.parts)
        signer = [*self.net.council, CHALLENGER][member]
        (signature,) = self.net.quorum(part.digest(self.world.domain), [signer])
        given = proofs.opening(part) + signature
        self.attempt(lambda: self.net.send(Contract.EVIDENCE, "signer", given, sender))

    def _fault(self, settled: Settled, part: Part, index: int, kind: int, at: int) -> Fault | None:
        fills, fill = settled.fills, settled.trades[index][1]
        of_seller, row = bool(at % 2), at % len(part.rows)
        _, other = self.of(at // 2, self.parts)
        readings = settled.readings.get(fill.seller if of_seller else fill.buyer)
        match kind:
            case 0 | 1:
                return proofs.step(part, fill, index)
            case 2:
                return proofs.chain(part, fills, index, of_seller)
            case 3:
                return proofs.skipped(part, fills, index, of_seller, at % TRADES)
            case 4:
                return proofs.delta(part, row, (part.changes[row].tail or TRADES) - 1)
            case 5:
                return proofs.row(part, fill, index, of_seller)
            case 6:
                return proofs.own_row(part, at % 3)
            case 7:
                return proofs.foreign(part, index, b"\7" * 32, [one[1] for one in settled.trades])
            case 8:
                return proofs.duplicate(part, index, other, at % TRADES)
            case 9 if readings:
                return proofs.reading(part, fill, index, of_seller, readings)
            case 10:
                return proofs.funds(part, row)
        return None


def _altered(part: Part, number: int) -> Part:
    """Return a part that a dishonest council signs: one number of one leaf or change is another."""
    leaves, changes = list(part.leaves), list(part.changes)
    at = number // 8 % TRADES
    leaf = leaves[at]
    match number % 8:
        case 0:
            leaves[at] = replace(
                leaf, statement=replace(leaf.statement, paid=leaf.statement.paid + 1)
            )
        case 1:
            leaves[at] = replace(leaf, statement=replace(leaf.statement, refund=0))
        case 2:
            leaves[at] = replace(leaf, seller=replace(leaf.seller, credit=leaf.seller.credit + 5))
        case 3:
            leaves[at] = replace(leaf, buyer=replace(leaf.buyer, previous=number % 7))
        case 4:
            leaves[at] = replace(leaf, position=number % 9)
        case 5:
            leaves[at] = replace(leaf, seller=replace(leaf.seller, row=number % 12))
        case 6:
            return part._replace(header=part.header._replace(loss_wh=part.header.loss_wh + 1))
        case 7:  # from one account to another
            givers = [n for n, one in enumerate(changes) if one.delta > 1]
            if len(givers) > 1:
                one, two = givers[0], givers[-1]
                changes[one] = changes[one]._replace(delta=changes[one].delta - 1)
                changes[two] = changes[two]._replace(delta=changes[two].delta + 1)
    return part._replace(leaves=tuple(leaves), changes=tuple(changes))
