"""How the operator's desk brings purchases to their end: confirmations, meters, fines ([Yu23]).

It signs, and it holds no money and no key of a wallet: what it certified moves only by the
wallet's own signature or by the meters' (5-decisions, section 17). A refusal changes nothing.
"""

from collections.abc import Mapping
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
from gridpact.identity.messages import (
    Appeal,
    Confirm,
    Message,
    Renewed,
    Settled,
    body_of,
)
from gridpact.model.delivery import Metered, Profile
from gridpact.model.purchase import Done, How, WalletState
from gridpact.model.voucher import confirmation
from gridpact.quantities import Money, Wh


@dataclass
class Settling:
    """The part of a desk that settles; `key` signs records."""

    key: Key
    terms: PurchaseTerms
    ledger: PurchaseLedger
    standings: Standings
    ratings: Ratings
    records: DeskRecords

    def confirm(self, message: Message, now: int) -> Settled:
        """Bring a buyer's confirmation to the ledger, which pays the seller.

        Raises
        ------
        Misplaced, Misstated, ForgedSignature
            The purchase is not its, or the wallet's key did not sign.
        Reverted
            The ledger refuses it.
        """
        self.resume(now)
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
        # a buyer may have brought its confirmation itself
        self.records.change(replace(purchase, confirmed=confirmed))
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

    def _note(self, purchase: Purchase, done: Done, now: int) -> None:
        voucher = purchase.voucher
        match done.how:
            case How.CONFIRMED:
                confirmed = max(done.delivered_wh, purchase.confirmed)
                purchase = replace(purchase, confirmed=confirmed)
                self.records.change(purchase)
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
