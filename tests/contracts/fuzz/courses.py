"""Rules: trades from the order to the rating in one course, with fresh orders and right numbers."""

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contracts.fuzz import hands
from tests.contracts.fuzz.market import Market
from tests.contracts.fuzz.play import PEOPLE, pick, sender
from tests.contracts.fuzz.spoiling import Changes, spoils
from tests.contracts.harness import DEVICES, OPERATOR, REGION, _matched, decoded, fill, struct
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows, arguments
from gridpact.ledger.onchain.attest import LOSS as LOSS_BOUGHT
from gridpact.ledger.onchain.attest import SETTLE
from gridpact.ledger.onchain.packing import words
from gridpact.model.order import NONE, Accepted, Side, Tier
from gridpact.model.participant import Named
from gridpact.model.record import Incentive
from gridpact.model.trade import Fill
from gridpact.quantities import amount

ENERGY, ASKED, PAID, CHARGE, MOST = 300, 100_000, 150_000, 40_000, 90_000
names = st.sampled_from([*PEOPLE, "plant", "stranger"])


class Courses(Market):
    """Commit and settle; match, lock and pay by meters; bind; rate; grant; buy losses."""

    def pair(
        self, buyer: str, seller: str, interval: int, parent: bytes = NONE
    ) -> tuple[Accepted, Accepted]:
        """Return a fresh bid and a fresh offer, signed."""
        made = self.world.order
        bid = made(buyer, Side.BID, ENERGY, 200_000, MOST, interval=interval, parent=parent)
        return bid, made(seller, Side.OFFER, ENERGY, ASKED, interval=interval)

    def _collect(self, *orders: Accepted, spoil: Changes = ()) -> None:
        for one in orders:
            many = 16 if hands.is_bid(one) else 0
            self.attempt(
                lambda one=one, many=many: self._placed(  # type: ignore[misc]
                    one, hands.NAMES[one.order.participant], many, "collect", OPERATOR
                ),
                spoil,
            )
        self.orders += orders

    @rule(
        buyer=names,
        seller=names,
        energy=st.integers(1, ENERGY),
        sent=st.integers(0, ENERGY),
        ahead=st.integers(0, 4),
        late=st.booleans(),
        spoil=spoils,
    )
    def trade(
        self,
        buyer: str,
        seller: str,
        energy: int,
        sent: int,
        ahead: int,
        late: bool,
        spoil: Changes,
    ) -> None:
        """Collect, commit, deliver, settle in batches, and rate the seller."""
        interval = self.now() + ahead
        self.ready(interval)
        pair = self.pair(buyer, seller, interval)
        self._collect(*pair, spoil=spoil)
        one = fill(*pair, energy, PAID, CHARGE, len(self.fills))
        write = self.world.write(interval=interval)
        if self.attempt(
            lambda: self.world.filled("settlement", "commit", write, [one], _matched), spoil
        ):
            self.fills.append(one)
        write = self.world.write(interval=interval)
        row = one, self._delivered(one, min(sent, energy), 1, False)
        self.witness(write, SETTLE, arguments(Rows([packing.settlement(*row)])))
        self.attempt(lambda: self.world.settle(row, write=write), spoil)
        given = hands.address(one.seller), interval
        if late:
            self.world.time += 5 * self.world.timing.seconds
        self.attempt(lambda: self.world.send(Contract.REPUTATION, "rate_one", *given), spoil)

    @rule(
        buyer=names,
        seller=names,
        energy=st.integers(1, ENERGY),
        taken=st.integers(0, ENERGY),
        way=st.sampled_from(["match", "buy", "bind", "bind"]),
        lock=st.sampled_from(["at once", "later", "never"]),
        end=st.sampled_from(["meters", "meters", "back", "contradict"]),
        wait=st.integers(0, 5),
        sender=sender,
        spoil=spoils,
    )
    def by_hand(
        self,
        buyer: str,
        seller: str,
        energy: int,
        taken: int,
        way: str,
        lock: str,
        end: str,
        wait: int,
        sender: bytes,
        spoil: Changes,
    ) -> None:
        """One fill of two parties: made, locked, and ended by its meters or by time."""
        interval = self.now() + 1 + wait % 2
        self.ready(interval)
        bid, offer = self.pair(buyer, seller, interval)
        self._collect(*((offer,) if way == "bind" else (bid, offer)), spoil=spoil)
        price, charge = (ASKED, MOST) if way == "buy" else (PAID, CHARGE)
        one = fill(bid, offer, energy, price, charge, len(self.fills))
        if way == "bind":
            made = self.attempt(lambda: hands.bind(self.world, bid, offer, one), spoil)
        else:
            who = OPERATOR if way == "match" else one.buyer
            given = struct(bid), struct(offer), one.terms, lock == "at once"
            made = self.attempt(
                lambda: self.world.send(Contract.SETTLEMENT, "match", *given, sender=who), spoil
            )
        if made:
            self.fills.append(one)
        if lock == "later":
            self._ended(one, "lock", sender, spoil)
        self.world.time += wait * self.world.timing.seconds
        if end == "back":
            self._ended(one, "take_back", sender, spoil)
        elif end == "contradict":
            self._contradicted(one, taken, sender, spoil)
        else:
            self._paid(one, taken, sender, spoil)

    def _ended(self, one: Fill, verb: str, sender: bytes, spoil: Changes) -> None:
        given = hands.single(one)
        self.attempt(
            lambda: self.world.send(Contract.SETTLEMENT, verb, given, sender=sender), spoil
        )

    def _paid(self, one: Fill, taken: int, sender: bytes, spoil: Changes) -> None:
        given = hands.single(one), *self._meters(one, one.energy_wh, taken, 9)
        self.attempt(
            lambda: self.world.send(Contract.SETTLEMENT, "settle_fill", *given, sender=sender),
            spoil,
        )

    def _contradicted(self, one: Fill, taken: int, sender: bytes, spoil: Changes) -> None:
        name = hands.NAMES[one.buyer]
        said = [hands.profile(self.world, name, one.interval, much, 0) for much in (taken, 301)]
        given = hands.single(one), hands.address(one.buyer), *said
        self.attempt(
            lambda: self.world.send(Contract.SETTLEMENT, "contradict", *given, sender=sender),
            spoil,
        )

    @rule(
        seller=names,
        back=st.integers(0, 6),
        share=st.integers(0, 5),
        steady=st.sampled_from([0, 1, 10**6, 3 * 10**6, 2**60, 2**200]),
        reference=st.sampled_from([0, 1, 80_000, 100_000, 2**48]),
        spoil=spoils,
    )
    def granted(
        self, seller: str, back: int, share: int, steady: int, reference: int, spoil: Changes
    ) -> None:
        """Grant what a seller's settled fills of an interval give reason for, or more."""
        interval = max(0, self.now() + 1 - back)
        account = DEVICES[seller].address
        sent, charge = self.world.view(Contract.SETTLEMENT, "volume", account, interval)
        energy, fee = sent * share // 4, charge * min(share, 4) // 4 + (share == 3) * charge
        one = Incentive(account, energy, steady, 0, 0, 0, fee)
        write = self.world.write(interval=interval)
        self.attempt(
            lambda: self.world.rows(
                Contract.INCENTIVE,
                "grant",
                [packing.supply(one)],
                before=words((reference,)),
                after=NONE,
                write=write,
            ),
            spoil,
        )

    @rule(energy=st.sampled_from([1, 40, 1_000, 2**40]), wrong=st.integers(0, 4), spoil=spoils)
    def losses(self, energy: int, wrong: int, spoil: Changes) -> None:
        """The network operator buys what was lost, as far as its money goes."""
        interval = self.now() + 1
        self.ready(interval)
        prices = self.world.view(Contract.CLEARING, "tariffs", REGION, interval)
        cost = amount(prices[0] - prices[1], energy)
        paid = min(cost, self.world.free(Named.NETWORK_OPERATOR.address)) + (wrong == 0)
        write = self.world.write(interval=interval)
        self.witness(write, LOSS_BOUGHT, words((energy,)))
        given = decoded(write), energy, paid
        self.attempt(lambda: self.world.send(Contract.SUPPLY, "buy_loss", *given), spoil)

    @rule(
        buyer=st.sampled_from(PEOPLE),
        energy=st.integers(1, ENERGY),
        home=st.integers(0, 3),
        at=pick,
        spoil=spoils,
    )
    def crossed(self, buyer: str, energy: int, home: int, at: int, spoil: Changes) -> None:
        """A zonal fill's money leaves, and what is left of it comes home."""
        interval = self.now() + 1
        self.ready(interval)
        bid = self.world.order(buyer, Side.BID, ENERGY, 200_000, interval=interval, tier=Tier.ZONAL)
        self._collect(bid, spoil=spoil)
        offer = self.world.order("plant", Side.OFFER, ENERGY, ASKED, interval=interval)
        one = fill(bid, offer, energy, PAID, CHARGE, len(self.fills))
        self.cross(one)
        refund = one.lock * home // 2
        crossing = keccak(words((at, home)))
        self.attempt(lambda: self.world.refund(crossing, (one.hash, refund)), spoil)
