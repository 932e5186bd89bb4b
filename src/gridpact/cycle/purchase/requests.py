"""What is asked of the operator's desk before money moves: offers, requests, choices ([Yu23]).

Each method takes a message that an `Inbox` let through and answers with a body to send back. A
refusal changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from gridpact.crypto.keys import Key
from gridpact.cycle.purchase.expect import expect
from gridpact.cycle.purchase.ports import PurchaseLedger
from gridpact.cycle.purchase.records import DeskRecords, Offer, Purchase, Request
from gridpact.cycle.purchase.standing import Standings
from gridpact.cycle.purchase.terms import PurchaseTerms
from gridpact.errors import Misplaced, Misstated, Overexposed, Unfunded
from gridpact.identity.messages import (
    Buy,
    Certified,
    Choice,
    Choose,
    Message,
    Notice,
    Respond,
    Sell,
    body_of,
)
from gridpact.model.purchase import WalletState
from gridpact.model.voucher import Voucher
from gridpact.quantities import MAX_ORDER, MAX_PRICE, Money, Price, Wh, amount
from gridpact.reputation import sanctions

Charge = Callable[[bytes, bytes, int], Price]
"""The network charge of a buyer and a seller in an interval. [micro-units per kWh]"""


@dataclass
class Requests:
    """The part of a desk that certifies; `key` signs vouchers."""

    key: Key
    terms: PurchaseTerms
    ledger: PurchaseLedger
    standings: Standings
    records: DeskRecords
    charge: Charge

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
        self.records.offers[message.hash] = Offer(message.sender, sell, sell.volume_wh)
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
        self.records.forget_late(self.terms.interval(now))
        needs = amount(buy.cap, buy.volume_wh) + 1  # price and charge are rounded each
        there = self.ledger.free(buyer) + self._in_wallets(buyer, buy)
        promised = sum(one.needs for one in self.records.requests.values() if one.buyer == buyer)
        if there - promised < needs:
            raise Unfunded(needs, there, promised)
        self.records.requests[message.hash] = Request(buyer, buy, needs)
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
        request = self.records.requests.get(choose.request)
        offer = self.records.offers.get(choose.offer)
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
        del self.records.requests[choose.request]
        self.records.offers[choose.offer] = replace(offer, left=offer.left - volume)
        self.records.purchases[voucher.purchase] = Purchase(buyer, offer.seller, voucher)
        signature = self.key.sign(voucher.digest(self.ledger.domain))
        return Certified(voucher, signature, self.standings.record(buyer))

    def notice(self) -> Notice:
        """Return what everybody is told: what is offered, and who is on the blacklist."""
        offers = tuple(
            self._choice(name, one.left) for name, one in self.records.offers.items() if one.left
        )
        return Notice(self.records.next_notice(), offers, tuple(sorted(self.standings.blacklist)))

    def _voucher(self, choose: Choose, buyer: bytes, offer: Offer, volume: Wh) -> Voucher:
        wallet = self.ledger.wallet(choose.account)
        if any(one.voucher.account == choose.account for one in self.records.purchases.values()):
            raise Misplaced(
                f"choice: a voucher of wallet 0x{choose.account.hex()} is out for another purchase"
            )
        expect("state of the wallet", wallet.state, WalletState.FUNDED)
        expect("buyer of the wallet", wallet.buyer, buyer)
        due = offer.sell.interval
        charge = amount(self.charge(buyer, offer.seller, due), volume)
        expect("money of the wallet", wallet.balance, amount(offer.sell.price, volume) + charge)
        return Voucher(
            account=choose.account,
            seller=offer.seller,
            serial=wallet.serial + 1,
            valid_until=due,
            volume_wh=volume,
            balance=wallet.balance,
            charge=charge,
            due_by=due,
            record_root=self.standings.record(buyer).root,
        )

    def _choices(self, buyer: bytes, buy: Buy) -> tuple[Choice, ...]:
        """Return the offers that fit a request: cheapest first, of equal ones the best believed."""
        offered = (
            self._choice(name, min(one.left, buy.volume_wh), buyer)
            for name, one in self.records.offers.items()
            if one.left
            and one.seller != buyer
            and one.seller not in self.standings.blacklist
            and one.sell.interval == buy.interval
        )
        fitting = [one for one in offered if one.costs <= buy.cap]
        return tuple(sorted(fitting, key=lambda one: (one.costs, -one.credit, one.offer)))

    def _choice(self, name: bytes, volume: Wh, buyer: bytes | None = None) -> Choice:
        one = self.records.offers[name]
        due = one.sell.interval
        charge = 0 if buyer is None else self.charge(buyer, one.seller, due)
        credit = self.standings.credit(one.seller, due)
        return Choice(name, one.seller, volume, one.sell.price, charge, credit)

    def _in_wallets(self, buyer: bytes, buy: Buy) -> Money:
        """Follow the money of a buyer's wallets: what lies in those that are still free to use."""
        named = set(buy.wallets)
        mine = {
            one.voucher.account for one in self.records.purchases.values() if one.buyer == buyer
        }
        for account in sorted(mine - named):
            if self.ledger.wallet(account).state is not WalletState.CLOSED:
                raise Misstated("wallets of the request", "not all", account)
        out = {one.voucher.account for one in self.records.purchases.values()}
        money = 0
        for account in named:
            wallet = self.ledger.wallet(account)
            expect(f"buyer of wallet 0x{account.hex()}", wallet.buyer, buyer)
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
        expect("credit of the request", request.credit, self.standings.credit(sender, interval))
        return interval

    def _require_covered(self, seller: bytes, more: Wh, interval: int) -> None:
        """See that what a seller has open is covered by its credibility or its deposit."""
        offered = sum(one.left for one in self.records.offers.values() if one.seller == seller)
        sold = sum(
            one.voucher.volume_wh for one in self.records.purchases.values() if one.seller == seller
        )
        whole = offered + sold + more
        allowed = self.standings.exposure(seller, interval)
        needed = sanctions.deposit_due(whole, allowed, self.terms.cap)
        deposit = self.ledger.deposit(seller)
        if needed > deposit:
            raise Overexposed(whole, allowed, needed, deposit)
