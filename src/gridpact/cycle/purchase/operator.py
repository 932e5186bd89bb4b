"""The operator's desk: checks requests, certifies vouchers, settles, keeps records ([Yu23]).

It signs, and it holds no money and no key of a wallet: what it certifies moves only by the
wallet's own signature or by the meters' (5-decisions, section 17). Each method takes a message
that an `Inbox` let through and answers with a body to send back. A refusal changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import signed_by
from gridpact.cycle.purchase.ports import PurchaseLedger
from gridpact.cycle.purchase.ratings import Ratings
from gridpact.cycle.purchase.standing import Standings
from gridpact.cycle.purchase.terms import PurchaseTerms
from gridpact.errors import (
    ForgedSignature,
    Misplaced,
    Misstated,
    Overexposed,
    Unfunded,
)
from gridpact.identity.certificate import read
from gridpact.identity.inbox import Inbox
from gridpact.identity.messages import (
    Appeal,
    Bill,
    Buy,
    Certified,
    Choice,
    Choose,
    Confirm,
    Correct,
    Message,
    Notice,
    Pay,
    Renewed,
    Respond,
    Sell,
    Settled,
    Stop,
    body_of,
)
from gridpact.model.delivery import Metered, Profile
from gridpact.model.purchase import WalletState
from gridpact.model.voucher import Voucher, confirmation
from gridpact.quantities import MAX_ORDER, MAX_PRICE, Money, Wh, amount
from gridpact.reputation import sanctions


@dataclass
class _Request:
    """A buyer's request that waits for its choice; `needs` is promised of its money."""

    buyer: bytes
    buy: Buy
    needs: Money


@dataclass
class _Offer:
    """A seller's request: what of it nobody has chosen yet."""

    seller: bytes
    sell: Sell
    left: Wh


@dataclass
class Purchase:
    """A certified purchase, until it is settled.

    `billed`: hash of the bill that stands and what it claims; `disputed`: the buyer's
    counter-statement; `held`: the sensors stopped it, nobody is rated for it.
    """

    buyer: bytes
    seller: bytes
    voucher: Voucher
    bill: bytes = b""
    billed: Wh = 0
    confirmed: Wh = 0
    disputed: Wh | None = None
    held: bool = False


def never(_purchase: Purchase, _now: int) -> bool:
    """Hold no trade: a market without sensors."""
    return False


@dataclass
class OperatorDesk:
    """One operator's desk; `key` signs vouchers and records, `inbox` re-reads what was enclosed.

    `holds` says whether the sensors hold a trade now (`safety.gate`); it is asked, never told.
    """

    key: Key
    terms: PurchaseTerms
    ledger: PurchaseLedger
    inbox: Inbox
    standings: Standings
    holds: Callable[[Purchase, int], bool] = never
    purchases: dict[bytes, Purchase] = field(default_factory=dict)
    _requests: dict[bytes, _Request] = field(default_factory=dict)
    _offers: dict[bytes, _Offer] = field(default_factory=dict)
    _wallets: dict[bytes, set[bytes]] = field(default_factory=dict)
    _serial: int = 0

    def __post_init__(self) -> None:
        self.ratings = Ratings(self.standings)

    def sell(self, message: Message, now: int) -> Notice:
        """Take a seller's request; broadcast it with all that stand.

        Raises
        ------
        Blacklisted, Misstated, Overexposed
            Nobody trusts it, its credit or its times are others, or its open volume is too much.
        """
        sell = body_of(message, Sell)
        interval = self._require_stated(message.sender, sell, now)
        if not 0 <= sell.price <= MAX_PRICE:
            raise Misstated("price of the request", sell.price, f"0 to {MAX_PRICE}")
        self._require_covered(message.sender, sell.volume_wh, interval)
        self._offers[message.hash] = _Offer(message.sender, sell, sell.volume_wh)
        return self.notice()

    def buy(self, message: Message, now: int) -> Respond:
        """Take a buyer's request, if its assets suffice, and show it who sells.

        The wealth check follows the money of all its wallets: free money and what lies in wallets
        that no seller is named for, less what other open requests need. A wallet that was certified
        before and still holds money must be named.

        Raises
        ------
        Blacklisted, Misstated, Unfunded
            It is not trusted, names what is not so, or has not got the money.
        """
        buy, buyer = body_of(message, Buy), message.sender
        self._require_stated(buyer, buy, now)
        if not 0 < buy.cap <= MAX_PRICE:
            raise Misstated("cap of the request", buy.cap, f"1 to {MAX_PRICE}")
        self._forget_late(now)
        needs = amount(buy.cap, buy.volume_wh)
        there = self.ledger.free(buyer) + self._in_wallets(buyer, buy)
        promised = sum(one.needs for one in self._requests.values() if one.buyer == buyer)
        if there - promised < needs:
            raise Unfunded(needs, there, promised)
        self._requests[message.hash] = _Request(buyer, buy, needs)
        return Respond(message.hash, self._choices(buyer, buy))

    def choose(self, message: Message, now: int) -> Certified:
        """Certify the voucher of a choice, once the buyer's wallet for it stands on the ledger.

        Raises
        ------
        Misplaced, Misstated, Blacklisted
            The request or the offer does not stand, or the wallet is not what the choice needs.
        """
        choose, buyer = body_of(message, Choose), message.sender
        self.standings.require_trusted(buyer)
        request = self._requests.get(choose.request)
        offer = self._offers.get(choose.offer)
        if request is None or request.buyer != buyer:
            raise Misplaced("choice: no open request of this buyer has that hash")
        if offer is None or offer.left == 0 or offer.sell.interval != request.buy.interval:
            raise Misplaced("choice: no open offer of that interval has that hash")
        self.standings.require_trusted(offer.seller)
        interval = request.buy.interval
        if interval < self.terms.interval(now):
            raise Misplaced(f"choice: interval {interval} is over")
        volume = min(offer.left, request.buy.volume_wh)
        voucher = self._voucher(choose, buyer, offer, volume)
        del self._requests[choose.request]
        offer.left -= volume
        self.purchases[voucher.purchase] = Purchase(buyer, offer.seller, voucher)
        self._wallets.setdefault(buyer, set()).add(voucher.account)
        signature = self.key.sign(voucher.digest(self.ledger.domain))
        return Certified(voucher, signature, self.standings.record(buyer))

    def bill(self, message: Message, now: int) -> None:
        """Take a seller's bill: it must follow from voucher, payment and claim on the ledger.

        Raises
        ------
        Misplaced, Misstated, ForgedSignature
            The purchase is not its, the payment enclosed is not the buyer's, or a number differs.
        """
        bill = body_of(message, Bill)
        purchase = self._purchase(bill.purchase)
        voucher = purchase.voucher
        _expect("seller of the purchase", message.sender, purchase.seller)
        _expect("receiver of the bill", bill.receiver, purchase.seller)
        paid = self.inbox.enclosed(bill.payment, now)
        pay = body_of(paid, Pay)
        _expect("buyer of the enclosed payment", paid.sender, purchase.buyer)
        _expect("seller of the enclosed payment", paid.receiver, purchase.seller)
        _expect("voucher of the enclosed payment", pay.voucher, voucher)
        if not 0 <= bill.delivered_wh <= voucher.volume_wh:
            raise Misstated("energy of the bill", bill.delivered_wh, f"0 to {voucher.volume_wh}")
        _expect("sum of the bill", bill.due, voucher.due(bill.delivered_wh))
        sale = self.ledger.sale(voucher.account)
        _expect("seller on the ledger", sale.seller, purchase.seller)
        _expect("claim on the ledger", sale.claimed_wh, bill.delivered_wh)
        purchase.bill, purchase.billed = message.hash, bill.delivered_wh

    def correct(self, message: Message) -> None:
        """Take a counter-statement to the bill that stands.

        A seller's lowers its own bill; a buyer's puts the bill in dispute, and the meters decide
        once the window is over.

        Raises
        ------
        Misplaced, Misstated
            No such bill stands, the sender is no party to it, or a seller would raise it.
        """
        correct = body_of(message, Correct)
        found = [one for one in self.purchases.values() if one.bill == correct.bill]
        if not correct.bill or not found:
            raise Misplaced("counter-statement: no bill stands that has that hash")
        (purchase,) = found
        if message.sender not in (purchase.buyer, purchase.seller):
            raise Misstated("sender of the counter-statement", message.sender, purchase.buyer)
        if not 0 <= correct.delivered_wh <= purchase.billed:
            raise Misstated(
                "energy of the counter-statement", correct.delivered_wh, f"0 to {purchase.billed}"
            )
        if message.sender == purchase.seller:
            purchase.billed = correct.delivered_wh
        else:
            purchase.disputed = correct.delivered_wh

    def stop(self, message: Message, now: int) -> None:
        """Take a seller's word that it does not deliver: the sensors must say so, too.

        Raises
        ------
        Misplaced, Misstated
            No such purchase is open, it is not its, or the sensors do not hold it.
        """
        stop = body_of(message, Stop)
        purchase = self._purchase(stop.purchase)
        _expect("seller of the purchase", message.sender, purchase.seller)
        if not self.holds(purchase, now):
            raise Misplaced(f"purchase 0x{stop.purchase.hex()}: the sensors do not hold it")
        purchase.held = True

    def confirm(self, message: Message, now: int) -> Settled:
        """Bring a buyer's confirmation to the ledger, which pays the seller.

        Raises
        ------
        Misplaced, Misstated, ForgedSignature
            The purchase is not its, or the wallet's key did not sign.
        Reverted
            The ledger refuses it.
        """
        confirm = body_of(message, Confirm)
        purchase = self._purchase(confirm.purchase)
        voucher = purchase.voucher
        _expect("buyer of the purchase", message.sender, purchase.buyer)
        if not 0 < confirm.received_wh <= voucher.volume_wh:
            raise Misstated(
                "energy of the confirmation", confirm.received_wh, f"1 to {voucher.volume_wh}"
            )
        wallet = self.ledger.wallet(voucher.account)
        digest = confirmation(self.ledger.domain, voucher, self.terms.region, confirm.received_wh)
        if not signed_by(wallet.key, digest, confirm.signature):
            raise ForgedSignature(wallet.key, None, "confirmation")
        transaction = self.ledger.confirm(voucher.account, confirm.received_wh, confirm.signature)
        paid = voucher.due(confirm.received_wh) - voucher.due(purchase.confirmed)
        purchase.confirmed = confirm.received_wh
        if confirm.received_wh == voucher.volume_wh:
            timely = self.terms.interval(now) <= voucher.due_by + self.terms.window
            self._close(purchase, confirm.received_wh, transaction, timely)
        return Settled(confirm.purchase, confirm.received_wh, paid, transaction)

    def meter(
        self, name: bytes, sold: Profile, sold_by: bytes, bought: Profile, bought_by: bytes
    ) -> Settled:
        """Settle a purchase by both meters, once the buyer's window is over.

        A buyer that neither confirmed nor stated against the bill at least what the meters prove
        was late.

        Raises
        ------
        Misplaced
            No such purchase is open.
        Reverted
            The ledger refuses: too early, or a meter's signature does not hold.
        """
        purchase = self._purchase(name)
        voucher = purchase.voucher
        done = self.ledger.settle_by_meters(voucher.account, sold, sold_by, bought, bought_by)
        timely = done.delivered_wh <= max(purchase.confirmed, purchase.disputed or 0)
        self._close(purchase, done.delivered_wh, done.transaction, timely)
        return Settled(name, done.delivered_wh, done.paid, done.transaction)

    def time_out(self, name: bytes) -> Settled:
        """Give a buyer back what nobody claimed or proved, when the time for it is over.

        Raises
        ------
        Misplaced
            No such purchase is open.
        Reverted
            The ledger refuses: too early.
        """
        purchase = self._purchase(name)
        transaction = self.ledger.time_out(purchase.voucher.account)
        self._close(purchase, purchase.confirmed)
        return Settled(name, purchase.confirmed, 0, transaction)

    def rate(self, interval: int, readings: Mapping[bytes, Metered]) -> None:
        """Rate everybody who traded in an interval, by the meters; once, when all is settled.

        Raises
        ------
        Misplaced
            A purchase of the interval is open, or a meter of somebody who traded is missing.
        """
        for purchase in self.purchases.values():
            if purchase.voucher.due_by == interval:
                name = purchase.voucher.purchase.hex()
                raise Misplaced(f"rating of interval {interval}: purchase 0x{name} is open")
        self.ratings.rate(interval, readings)

    def appeal(self, message: Message, now: int) -> Notice:
        """Take an appeal against a rating: the meter's own signed word of that interval counts.

        The rating, all later ones and the blacklist follow from it anew, for better or worse.

        Raises
        ------
        Misplaced
            Nothing was rated in that interval, too long ago, or a review came since.
        Misstated, ForgedSignature
            The word is of another meter, region or interval, or its key did not sign.
        """
        appeal = body_of(message, Appeal)
        meter_key = read(message.certificate).claims.meter_key
        word = appeal.profile, appeal.signature
        self.ratings.appeal(message.sender, *word, meter_key, self.ledger.domain, now)
        return self.notice()

    def renewed(self, buyer: bytes) -> Renewed:
        """Return a buyer's record, signed: what its next voucher will commit to."""
        record = self.standings.record(buyer)
        return Renewed(record, self.key.sign(record.digest(self.ledger.domain)))

    def notice(self) -> Notice:
        """Return what everybody is told: what is offered, and who is on the blacklist."""
        self._serial += 1
        offers = tuple(
            self._choice(name, one.left) for name, one in self._offers.items() if one.left
        )
        return Notice(self._serial, offers, tuple(sorted(self.standings.blacklist)))

    def _close(
        self, purchase: Purchase, delivered: Wh, payment: bytes = b"", timely: bool = True
    ) -> None:
        """End a purchase: renew its buyer's record, note what is to be rated with the interval."""
        voucher = purchase.voucher
        del self.purchases[voucher.purchase]
        self._wallets[purchase.buyer].discard(voucher.account)
        if payment and delivered:
            record = self.standings.record(purchase.buyer).renewed(timely, payment)
            self.standings.records[purchase.buyer] = record
        buyer = self.ratings.tally(purchase.buyer, voucher.due_by)
        buyer.taken += delivered if timely else purchase.confirmed
        buyer.withheld += 0 if timely else delivered - purchase.confirmed
        if not purchase.held:
            seller = self.ratings.tally(purchase.seller, voucher.due_by)
            seller.agreed += voucher.volume_wh
            seller.billed += max(purchase.billed, delivered)

    def _voucher(self, choose: Choose, buyer: bytes, offer: _Offer, volume: Wh) -> Voucher:
        wallet = self.ledger.wallet(choose.account)
        if any(one.voucher.account == choose.account for one in self.purchases.values()):
            raise Misplaced(
                f"choice: a voucher of wallet 0x{choose.account.hex()} is out for another purchase"
            )
        _expect("state of the wallet", wallet.state, WalletState.FUNDED)
        _expect("buyer of the wallet", wallet.buyer, buyer)
        _expect("money of the wallet", wallet.balance, amount(offer.sell.price, volume))
        return Voucher(
            account=choose.account,
            seller=offer.seller,
            serial=wallet.serial + 1,
            valid_until=offer.sell.interval,
            volume_wh=volume,
            balance=wallet.balance,
            due_by=offer.sell.interval,
            record_root=self.standings.record(buyer).root,
        )

    def _choices(self, buyer: bytes, buy: Buy) -> tuple[Choice, ...]:
        """Return the offers that fit a request: cheapest first, of equal ones the best believed."""
        fitting = [
            self._choice(name, min(one.left, buy.volume_wh))
            for name, one in self._offers.items()
            if one.left
            and one.seller != buyer
            and one.seller not in self.standings.blacklist
            and one.sell.interval == buy.interval
            and one.sell.price <= buy.cap
        ]
        return tuple(sorted(fitting, key=lambda one: (one.price, -one.credit, one.offer)))

    def _choice(self, name: bytes, volume: Wh) -> Choice:
        one = self._offers[name]
        credit = self.standings.credit(one.seller, one.sell.interval)
        return Choice(name, one.seller, volume, one.sell.price, credit)

    def _in_wallets(self, buyer: bytes, buy: Buy) -> Money:
        """Follow the money of a buyer's wallets: what lies in those that are still free to use."""
        named = set(buy.wallets)
        for account in sorted(self._wallets.get(buyer, set()) - named):
            if self.ledger.wallet(account).state is not WalletState.CLOSED:
                raise Misstated("wallets of the request", "not all", account)
        out = {one.voucher.account for one in self.purchases.values()}
        money = 0
        for account in named:
            wallet = self.ledger.wallet(account)
            _expect(f"buyer of wallet 0x{account.hex()}", wallet.buyer, buyer)
            if wallet.state is WalletState.FUNDED and account not in out:
                money += wallet.balance
        return money

    def _require_stated(self, sender: bytes, request: Buy | Sell, now: int) -> int:
        """See that a request is of somebody trusted, in time, and states its own credit."""
        self.standings.require_trusted(sender)
        interval = self.terms.interval(now)
        if request.interval < interval:
            raise Misstated("interval of the request", request.interval, f"{interval} or later")
        if not 0 < request.volume_wh <= MAX_ORDER:
            raise Misstated("volume of the request", request.volume_wh, f"1 to {MAX_ORDER}")
        _expect("credit of the request", request.credit, self.standings.credit(sender, interval))
        return interval

    def _require_covered(self, seller: bytes, more: Wh, interval: int) -> None:
        """See that what a seller has open is covered by its credibility or its deposit."""
        offered = sum(one.left for one in self._offers.values() if one.seller == seller)
        sold = sum(one.voucher.volume_wh for one in self.purchases.values() if one.seller == seller)
        whole = offered + sold + more
        allowed = self.standings.exposure(seller, interval)
        needed = sanctions.deposit_due(whole, allowed, self.terms.cap)
        deposit = self.ledger.deposit(seller)
        if needed > deposit:
            raise Overexposed(whole, allowed, needed, deposit)

    def _forget_late(self, now: int) -> None:
        """Drop what nobody may choose any more: its interval is over."""
        interval = self.terms.interval(now)
        for name in [n for n, one in self._requests.items() if one.buy.interval < interval]:
            del self._requests[name]
        for name in [n for n, one in self._offers.items() if one.sell.interval < interval]:
            del self._offers[name]

    def _purchase(self, name: bytes) -> Purchase:
        found = self.purchases.get(name)
        if found is None:
            raise Misplaced(f"purchase 0x{name.hex()}: not known, or settled before")
        return found


def _expect(what: str, said: object, known: object) -> None:
    if said != known:
        raise Misstated(what, said, known)
