"""Rules: the council, its bonds, and net settlement: honest parts, altered ones, and the proofs."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec.structs import replace
from tests.contracts.failing import Failed
from tests.contracts.fuzz import hands
from tests.contracts.fuzz.play import INTERVALS, PEOPLE, Play, money, pick, sender
from tests.contracts.fuzz.spoiling import Changes, spoils
from tests.contracts.fuzz.wrong_parts import KINDS as WRONG
from tests.contracts.fuzz.wrong_parts import SEEDS
from tests.contracts.fuzz.wrong_parts import TRADES as MANY
from tests.contracts.halves import held
from tests.contracts.harness import ANN, BOB, COLLECTOR, DEVICES, OPERATOR, REGION
from tests.contracts.parts import CHALLENGER, TERMS, NetWorld, Settled
from tests.contracts.reading import Contract
from tests.contracts.theft.test_net import Heist

from gridpact.crypto.keys import Key as Device
from gridpact.crypto.keys import compact
from gridpact.ledger.onchain.attest import pledge_digest
from gridpact.ledger.proving import fallback, net, proofs
from gridpact.ledger.proving.part import Part
from gridpact.ledger.proving.proofs import Fault
from gridpact.model.statement import Case

TRADES = 4
LEAVES = st.integers(0, TRADES)
poster = st.sampled_from([OPERATOR, OPERATOR, ANN, BOB, CHALLENGER.address])


class Councils(Play):
    """Bonds, seats, parts, demands, proofs."""

    def open_market(self) -> None:
        super().open_market()
        self.latest = INTERVALS[-1]
        # a part, of the interval just over, that its council should not have signed
        self.part(1, 0, 1, True, self.now() - 1)

    def fresh(self) -> int:
        """Return an interval for a part: each has its own, since each has a clearing of its own.

        Who of the council lost its bond pledges again: without one nobody counts its signature.
        """
        for member in self.net.council:
            self.bonded(member.address)
        self.latest = max(self.latest, self.now()) + 1
        return self.latest

    def over(self, part: Part) -> None:
        """Let a part's interval end: only then is it posted."""
        if self.now() <= part.place.interval:
            self.world.go_to(part.place.interval + 1)

    def bonded(self, account: bytes) -> None:
        """Let an account have a bond again, if it may."""
        pledged, leaving = self.world.view(Contract.COUNCIL, "pledged", account)
        if pledged < TERMS.bond and not leaving:
            self.attempt(lambda: self.net.bond(account))

    # bonds and seats

    @rule(
        member=st.integers(0, 5), verb=st.sampled_from(["bond", "leave", "withdraw"]), money=money
    )
    def bonds(self, member: int, verb: str, money: int) -> None:
        everyone = [one.address for one in self.net.council] + [OPERATOR, ANN]
        given = (money,) if verb == "bond" else ()
        who = everyone[member]
        self.attempt(lambda: self.world.send(Contract.COUNCIL, verb, *given, sender=who))

    @rule(name=st.sampled_from(PEOPLE), money=money, serial=st.integers(0, 2), signer=pick)
    def pledge(self, name: str, money: int, serial: int, signer: int) -> None:
        """Somebody's signed word pledges its money, brought by another."""
        mine = DEVICES[name]
        device = CHALLENGER if signer % 5 == 4 else mine
        word = compact(device.sign(pledge_digest(self.world.domain, mine.address, money, serial)))
        given = hands.address(mine.address), money, (word[:32], word[32:])
        self.attempt(lambda: self.world.send(Contract.COUNCIL, "bond_for", *given, sender=BOB))

    @rule(member=st.integers(0, 4), wait=st.booleans(), spoil=spoils)
    def resign(self, member: int, wait: bool, spoil: Changes) -> None:
        """Leave, wait for the notice, take the bond back, pledge it again."""
        who = [*(one.address for one in self.net.council[-2:]), COLLECTOR.address, OPERATOR, ANN]
        send, mine = self.world.send, who[member]
        self.attempt(lambda: send(Contract.COUNCIL, "leave", sender=mine), spoil)
        if wait:
            self.world.time += (self.world.net.notice + 1) * self.world.timing.seconds
        self.attempt(lambda: send(Contract.COUNCIL, "withdraw", sender=mine), spoil)
        self.bonded(mine)

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
    def part(
        self, seed: int, disputed: int, altered: int, straight: bool, interval: int | None = None
    ) -> None:
        at = self.fresh() if interval is None else interval
        settled = self.net.market(trades=TRADES, seed=seed, interval=at, disputed=disputed)
        made = self.net.part(settled, interval=at)
        if altered % 2:
            made = _altered(made, altered // 2)
        self.parts.append((settled, made))
        self.world.books.parts[made.place.key] = made
        for step in ("reserve", "commit", "post") if straight else ("reserve",):
            if step == "post":
                self.over(made)
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
        if step == "post":
            self.over(part)
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
        for _ in range(2):
            self.attempt(lambda: self.net.rate(part, sender=sender))

    @precondition(lambda self: self.parts)
    @rule(at=pick, wait=st.booleans(), wrong=st.integers(0, 7), spoil=spoils)
    def release(self, at: int, wait: bool, wrong: int, spoil: Changes) -> None:
        """Give the reservations of a part back that was cancelled or never posted."""
        _, part = self.of(at, self.parts)
        if wait:
            self.net.after_window(part)
        rows = [row._replace(lock=0) for row in part.rows] if wrong % 2 else list(part.rows)
        self.attempt(lambda: self.net.release(part, rows), spoil)

    @rule(
        seed=st.integers(0, 40),
        posted=st.booleans(),
        paid=st.integers(0, TRADES),
        cheat=st.integers(0, 9),
        wait=st.booleans(),
        spoil=spoils,
    )
    def fall_back(
        self, seed: int, posted: bool, paid: int, cheat: int, wait: bool, spoil: Changes
    ) -> None:
        """A part comes to nothing: its fills are paid one by one, the others refunded."""
        at = self.fresh()
        settled = self.net.market(trades=TRADES, seed=seed, interval=at)
        part = self.net.part(settled, interval=at)
        self.parts.append((settled, part))
        self.world.books.parts[part.place.key] = part
        self.bonded(OPERATOR)
        for act in (self.net.reserve, self.net.commit):
            self.attempt(lambda act=act: act(part), spoil)  # type: ignore[misc]
        if posted:
            self.over(part)
            self.attempt(lambda: self.net.post(part), spoil)
            self.attempt(lambda: self.net.demand(part, 0))
        self.world.go_to(max(at, self.now()) + (TERMS.answer if posted else TERMS.posting) + 1)
        if posted:
            self.attempt(lambda: self.net.unanswered(part, 0), spoil)
        failed = Failed(self.net, settled, part)
        for row in range(len(part.rows) - (cheat == 0)):
            self.attempt(lambda row=row: failed.open(row), spoil)  # type: ignore[misc]
        for index in [*range(paid), *([0] if cheat == 1 else [])]:
            given = self._shown_meters(failed, index, cheat)
            self.attempt(lambda i=index, g=given: failed.pay(i, *g), spoil)  # type: ignore[misc]
        if wait:
            self.attempt(failed.after_paying)
        for index in range(TRADES):
            self.attempt(lambda index=index: failed.refund(index), spoil)  # type: ignore[misc]
        self.attempt(lambda: self.net.release(part), spoil)

    def _shown_meters(self, failed: Failed, index: int, cheat: int) -> tuple[Any, Any]:
        fill = failed.fills[index]
        if cheat == 2:
            return failed.profile(fill.buyer), failed.profile(fill.seller)
        if cheat == 3:
            return failed.profile(fill.seller, signer=fill.buyer), failed.profile(fill.buyer)
        if cheat == 4:
            return failed.profile(fill.seller, interval=11), failed.profile(fill.buyer)
        return failed.profile(fill.seller), failed.profile(fill.buyer)

    # data and proofs

    @rule(
        kind=st.sampled_from(sorted(WRONG)),
        seed=st.sampled_from(SEEDS),
        spoil=spoils,
        sender=poster,
        deliver=st.booleans(),
    )
    def wrong_part(
        self, kind: str, seed: int, spoil: Changes, sender: bytes, deliver: bool
    ) -> None:
        """A part that a council bought as a whole signed, and the proof that stops it."""
        interval = self.fresh()
        settled = self.net.market(MANY, seed, interval, disputed=1)
        honest = self.net.part(settled, interval=interval)
        made = WRONG[kind](Heist(self.net, settled, honest))
        self.bonded(OPERATOR)
        self.attempt(lambda: self.world.price_of(interval))
        if deliver:  # with another loss than the part's
            self.attempt(lambda: self.deliver(interval))
        for part in filter(None, (made.before, made.part)):
            self.parts.append((settled, part))
            self.world.books.parts[part.place.key] = part
            for step in ("reserve", "commit", "post"):
                if step == "post":
                    self.over(part)
                act = getattr(self.net, step)
                self.attempt(lambda act=act, part=part: act(part), spoil)  # type: ignore[misc]
        self.attempt(lambda: self.net.prove(made.fault, sender), spoil)
        self.signer(made.part, self.net.council[1], sender, spoil)

    @rule(seed=st.sampled_from(SEEDS), spoil=spoils, sender=poster, covered=st.booleans())
    def left_over(self, seed: int, spoil: Changes, sender: bytes, covered: bool) -> None:
        """A part is reserved, and committed or not; when posting is over somebody asks for it."""
        at = self.fresh()
        settled = self.net.market(TRADES, seed, at)
        part = self.net.part(settled, interval=at)
        self.parts.append((settled, part))
        self.world.books.parts[part.place.key] = part
        self.bonded(OPERATOR)
        self.attempt(lambda: self.net.reserve(part))
        self.attempt(lambda: self.net.clear(part))
        if covered:
            self.attempt(lambda: self.net.commit(part))
        self.world.go_to(max(at, self.now()) + TERMS.posting + 1)
        fills = [fill for _, fill, *_ in settled.trades]
        fault = proofs.uncovered(part, settled.posting, fills, 0)
        self.attempt(lambda: self.net.prove(fault, sender), spoil)

    @rule(
        seed=st.sampled_from(SEEDS),
        wrong=st.sampled_from(["", "delivery", "left out", "unposted"]),
        spoil=spoils,
        sender=poster,
    )
    def following(self, seed: int, wrong: str, spoil: Changes, sender: bytes) -> None:
        """A part holds some fills; its following part settles them, rightly, wrongly or never."""
        at = self.fresh()
        settled = self.net.market(MANY, seed, at, disputed=2)
        first = self.net.part(settled, interval=at)
        part, fault = _following(self.net, settled, first, wrong)
        self.parts.append((settled, first))
        self.world.books.parts[first.place.key] = first
        self.world.books.parts[part.place.key] = part
        self.bonded(OPERATOR)
        for act in (self.net.reserve, self.net.commit):
            self.attempt(lambda act=act: act(first))  # type: ignore[misc]
        self.over(first)
        self.attempt(lambda: self.net.post(first), spoil)
        self.net.after_window(first)
        self.attempt(lambda: self.net.finalise(first, sender))
        self.attempt(lambda: self.net.carry(first))
        if wrong == "unposted":
            self.held_by_leaf(settled, first, part, spoil)
            return
        self.attempt(lambda: self.net.post(part), spoil)
        self.attempt(lambda: self.net.prove(fault, sender), spoil)
        self.net.after_window(part)
        self.attempt(lambda: self.net.release(part) if wrong else self.net.finalise(part, sender))

    def held_by_leaf(self, settled: Settled, first: Part, part: Part, spoil: Changes) -> None:
        """Pay what a final part held, leaf by leaf, the last twice; give the rest back."""
        self.net.after_window(part)
        failed = Failed(self.net, settled, part)
        for row in range(len(part.rows)):
            self.attempt(lambda row=row: failed.open(row), spoil)  # type: ignore[misc]
        at = [n for n, leaf in enumerate(first.leaves) if leaf.statement.case is Case.DISPUTE]
        for index in (0, *at, at[-1]):
            given = fallback.pay_held(part, first, failed.fills[index], index)
            self.attempt(lambda given=given: failed.call("pay_held", given), spoil)  # type: ignore[misc]
        self.attempt(failed.after_paying)
        self.attempt(lambda: self.net.release(part), spoil)

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
        self.signer(part, [*self.net.council, CHALLENGER][member], sender)

    def signer(self, part: Part, of: Device, sender: bytes, spoil: Changes = ()) -> None:
        """Let the bond be taken of who signed a part that was cancelled."""
        (signature,) = self.net.quorum(part.digest(self.world.domain), [of])
        given = proofs.opening(part) + signature
        self.attempt(lambda: self.net.send(Contract.EVIDENCE, "signer", given, sender), spoil)

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


def _following(net_: NetWorld, settled: Settled, first: Part, wrong: str) -> tuple[Part, Fault]:
    """Return the part that settles what `first` held, and a proof against it, if one is right."""
    trades = held(net_, settled)
    at = [n for n, leaf in enumerate(first.leaves) if leaf.statement.case is Case.DISPUTE]
    kept = trades[1:] if wrong == "left out" else trades
    part = net.following(first, kept, settled.meters, net_.world.settlement.loss_fund_share)
    if wrong == "left out":
        return part, proofs.left_out(part, first, at[0])
    if wrong == "delivery":
        leaf = part.leaves[0]
        more = replace(leaf.delivery, unused_sent=leaf.delivery.unused_sent + 1)
        part = part._replace(leaves=(replace(leaf, delivery=more), *part.leaves[1:]))
    return part, proofs.held(part, trades[0][1], 0, first, at[0])
