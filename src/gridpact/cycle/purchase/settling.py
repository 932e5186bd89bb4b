"""What the operator's desk does once a seller is paid for: bills, confirmations, meters ([Yu23]).

It signs, and it holds no money and no key of a wallet: what it certified moves only by the
wallet's own signature or by the meters' (5-decisions, section 17). A refusal changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import signed_by
from gridpact.cycle.purchase.expect import expect
from gridpact.cycle.purchase.ports import PurchaseLedger
from gridpact.cycle.purchase.ratings import Ratings
from gridpact.cycle.purchase.records import DeskRecords, Purchase
from gridpact.cycle.purchase.standing import Standings
from gridpact.cycle.purchase.tally import Tally
from gridpact.cycle.purchase.terms import PurchaseTerms
from gridpact.errors import ForgedSignature, Misplaced, Misstated, Reverted
from gridpact.identity.certificate import read
from gridpact.identity.inbox import Inbox
from gridpact.identity.messages import (
    Appeal,
    Bill,
    Confirm,
    Correct,
    Message,
    Pay,
    Renewed,
    Settled,
    Stop,
    Stopped,
    body_of,
)
from gridpact.model.delivery import Metered, Profile
from gridpact.model.purchase import Done, How, WalletState
from gridpact.model.voucher import confirmation, hold
from gridpact.quantities import Money, Wh


def never(_purchase: Purchase, _now: int) -> bool:
    """Hold no trade: a market without sensors."""
    return False


@dataclass
class Settling:
    """The half of a desk that settles; `key` signs records, `inbox` re-reads what was enclosed.

    `holds` says whether the sensors hold a trade now (`safety.gate`); it is asked, never told.
    """

    key: Key
    terms: PurchaseTerms
    ledger: PurchaseLedger
    inbox: Inbox
    standings: Standings
    ratings: Ratings
    records: DeskRecords
    holds: Callable[[Purchase, int], bool] = never

    def bill(self, message: Message, now: int) -> None:
        """Take a seller's bill: it must follow from voucher, payment and claim on the ledger.

        Raises
        ------
        Misplaced, Misstated, ForgedSignature
            The purchase is not its, the payment enclosed is not the buyer's, or a number differs.
        """
        bill = body_of(message, Bill)
        purchase = self.records.purchase(bill.purchase)
        voucher = purchase.voucher
        expect("seller of the purchase", message.sender, purchase.seller)
        expect("receiver of the bill", bill.receiver, purchase.seller)
        paid = self.inbox.enclosed(bill.payment, now)
        pay = body_of(paid, Pay)
        expect("buyer of the enclosed payment", paid.sender, purchase.buyer)
        expect("seller of the enclosed payment", paid.receiver, purchase.seller)
        expect("voucher of the enclosed payment", pay.voucher, voucher)
        if not 0 <= bill.delivered_wh <= voucher.volume_wh:
            raise Misstated("energy of the bill", bill.delivered_wh, f"0 to {voucher.volume_wh}")
        expect("sum of the bill", bill.due, voucher.due(bill.delivered_wh))
        sale = self.ledger.sale(voucher.account)
        expect("seller on the ledger", sale.seller, purchase.seller)
        expect("claim on the ledger", sale.claimed_wh, bill.delivered_wh)
        self._keep(replace(purchase, bill=message.hash, billed=bill.delivered_wh))

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
        found = [one for one in self.records.purchases.values() if one.bill == correct.bill]
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
            self._keep(replace(purchase, billed=correct.delivered_wh))
        else:
            self._keep(replace(purchase, disputed=correct.delivered_wh))

    def stop(self, message: Message, now: int) -> Stopped:
        """Take a seller's word that it does not deliver: the sensors must say so, too.

        The answer lifts the fine on the ledger.

        Raises
        ------
        Misplaced, Misstated
            No such purchase is open, it is not its, or the sensors do not hold it.
        """
        stop = body_of(message, Stop)
        purchase = self.records.purchase(stop.purchase)
        expect("seller of the purchase", message.sender, purchase.seller)
        if not self.holds(purchase, now):
            raise Misplaced(f"purchase 0x{stop.purchase.hex()}: the sensors do not hold it")
        self._keep(replace(purchase, held=True))
        return Stopped(stop.purchase, self.key.sign(hold(self.ledger.domain, stop.purchase)))

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
        purchase = self.records.purchase(confirm.purchase)
        voucher = purchase.voucher
        expect("buyer of the purchase", message.sender, purchase.buyer)
        if not 0 < confirm.received_wh <= voucher.volume_wh:
            raise Misstated(
                "energy of the confirmation", confirm.received_wh, f"1 to {voucher.volume_wh}"
            )
        wallet = self.ledger.wallet(voucher.account)
        digest = confirmation(self.ledger.domain, voucher, self.terms.region, confirm.received_wh)
        if not signed_by(wallet.key, digest, confirm.signature):
            raise ForgedSignature(wallet.key, None, "confirmation")
        transaction = self.ledger.confirm(voucher.account, confirm.received_wh, confirm.signature)
        return self.seen(transaction, now)

    def meter(
        self,
        name: bytes,
        sold: Profile,
        sold_by: bytes,
        bought: Profile,
        bought_by: bytes,
        now: int,
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
        self.resume(now)
        purchase = self.records.purchase(name)
        account = purchase.voucher.account
        confirmed = max(purchase.confirmed, self.ledger.sale(account).confirmed_wh)
        self._keep(replace(purchase, confirmed=confirmed))  # a buyer may have brought it itself
        done = self.ledger.settle_by_meters(account, sold, sold_by, bought, bought_by)
        return self.seen(done, now)

    def time_out(self, name: bytes, now: int) -> Settled:
        """Give a buyer back what nobody claimed or proved, when the time for it is over.

        Nobody is rated for a purchase that no seller took up on the ledger.

        Raises
        ------
        Misplaced
            No such purchase is open.
        Reverted
            The ledger refuses: too early.
        """
        self.resume(now)
        account = self.records.purchase(name).voucher.account
        return self.seen(self.ledger.time_out(account), now)

    def seen(self, transaction: bytes, now: int) -> Settled:
        """Note what a transaction did with an open purchase, whoever brought it.

        Its own ones, those of a desk that died before it noted them, a buyer's that insisted: the
        ledger's word is the same.

        Raises
        ------
        Misplaced
            It did nothing with an open purchase, or was noted before.
        """
        done = self.ledger.done(transaction)
        found = [
            one
            for one in self.records.purchases.values()
            if done is not None and one.voucher.account == done.account
        ]
        if done is None or not found:
            raise Misplaced(f"transaction 0x{transaction.hex()}: settles no open purchase")
        (purchase,) = found
        with self.records.together():
            self._note(purchase, done, now)
            self.records.forget()
        name = purchase.voucher.purchase
        return Settled(name, done.delivered_wh, done.paid, done.charge, transaction)

    def resume(self, now: int) -> None:
        """Bring what was signed and perhaps not sent when the desk died, and note what it did.

        Raises
        ------
        Unavailable
            The ledger does not take it now; it stays pending.
        """
        raw = self.records.pending
        if raw is None:
            return
        try:
            self.seen(self.ledger.bring(raw), now)
        except (Misplaced, Reverted):  # refused, or it settled no purchase: nothing to note
            self.records.forget()

    def released(self, name: bytes) -> None:
        """End a purchase whose seller freed the wallet on the ledger, for another to be named.

        Raises
        ------
        Misplaced
            No such purchase is open, or its wallet is not free.
        """
        purchase = self.records.purchase(name)
        wallet = self.ledger.wallet(purchase.voucher.account)
        if (wallet.state, wallet.serial) != (WalletState.FUNDED, purchase.voucher.serial):
            raise Misplaced(f"purchase 0x{name.hex()}: its seller did not release the wallet")
        self._close(purchase, 0)

    def rate(self, interval: int, readings: Mapping[bytes, Metered]) -> None:
        """Rate everybody who traded in an interval, by the meters; once, when all is settled.

        Raises
        ------
        Misplaced
            A purchase of the interval is open, or a meter of somebody who traded is missing.
        """
        for purchase in self.records.purchases.values():
            if purchase.voucher.due_by == interval:
                name = purchase.voucher.purchase.hex()
                raise Misplaced(f"rating of interval {interval}: purchase 0x{name} is open")
        self.ratings.rate(interval, readings)

    def fine(self, interval: int, now: int) -> dict[bytes, Money]:
        """Fine who broke its word in an interval, by what the ledger proved; return who paid what.

        Anybody may do the same: the amounts follow from what meters signed.

        Raises
        ------
        Reverted
            The ledger refuses: too early.
        """
        self.resume(now)
        paid = {}
        for participant in self.ratings.traders(interval):
            proven = self.ledger.proven(participant, interval)
            if proven.kept_wh < proven.promised_wh or proven.withheld_wh > 0:
                paid[participant] = self.ledger.fine(participant, interval)
                self.records.forget()
        return paid

    def appeal(self, message: Message, now: int) -> None:
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

    def renewed(self, buyer: bytes) -> Renewed:
        """Return a buyer's record, signed: what its next voucher will commit to."""
        record = self.standings.record(buyer)
        return Renewed(record, self.key.sign(record.digest(self.ledger.domain)))

    def _keep(self, purchase: Purchase) -> None:
        self.records.purchases[purchase.voucher.purchase] = purchase

    def _note(self, purchase: Purchase, done: Done, now: int) -> None:
        voucher = purchase.voucher
        match done.how:
            case How.CONFIRMED:
                confirmed = max(done.delivered_wh, purchase.confirmed)
                purchase = replace(purchase, confirmed=confirmed)
                self._keep(purchase)
                if done.delivered_wh == voucher.volume_wh:
                    timely = self.terms.interval(now) <= voucher.due_by + self.terms.window
                    self._close(purchase, done.delivered_wh, done.transaction, timely)
            case How.METERED:
                timely = done.delivered_wh <= max(purchase.confirmed, purchase.disputed or 0)
                self._close(purchase, done.delivered_wh, done.transaction, timely)
            case How.RETURNED:
                taken_up = self.ledger.wallet(voucher.account).serial == voucher.serial
                over = replace(purchase, held=purchase.held or not taken_up)
                self._close(over, purchase.confirmed)

    def _close(
        self, purchase: Purchase, delivered: Wh, payment: bytes = b"", timely: bool = True
    ) -> None:
        """End a purchase: renew its buyer's record, note what is to be rated with the interval."""
        voucher, due = purchase.voucher, purchase.voucher.due_by
        bought = Tally(
            taken=delivered if timely else purchase.confirmed,
            withheld=0 if timely else delivered - purchase.confirmed,
        )
        sold = Tally(agreed=voucher.volume_wh, billed=max(purchase.billed, delivered))
        with self.records.together():
            del self.records.purchases[voucher.purchase]
            if payment and delivered:
                record = self.standings.record(purchase.buyer).renewed(timely, payment)
                self.standings.records[purchase.buyer] = record
            self.ratings.note(purchase.buyer, due, bought)
            if not purchase.held:
                self.ratings.note(purchase.seller, due, sold)
