"""What the parties say of a delivery before it is settled: bills, corrections, stops ([Yu23]).

Each method takes a message that an `Inbox` let through. A refusal changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from gridpact.crypto.keys import Key
from gridpact.cycle.purchase.expect import expect
from gridpact.cycle.purchase.ports import PurchaseLedger
from gridpact.cycle.purchase.records import DeskRecords, Purchase
from gridpact.errors import Misplaced, Misstated
from gridpact.identity.inbox import Inbox
from gridpact.identity.messages import Bill, Correct, Message, Pay, Stop, Stopped, body_of
from gridpact.model.voucher import hold


def never(_purchase: Purchase, _now: int) -> bool:
    """Hold no trade: a market without sensors."""
    return False


@dataclass
class Bills:
    """The part of a desk that hears of deliveries; `inbox` re-reads what was enclosed.

    `holds` says whether the sensors hold a trade now (`safety.gate`); it is asked, never told.
    """

    key: Key
    ledger: PurchaseLedger
    inbox: Inbox
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
        self.records.change(replace(purchase, bill=message.hash, billed=bill.delivered_wh))

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
            self.records.change(replace(purchase, billed=correct.delivered_wh))
        else:
            self.records.change(replace(purchase, disputed=correct.delivered_wh))

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
        self.records.change(replace(purchase, held=True))
        return Stopped(stop.purchase, self.key.sign(hold(self.ledger.domain, stop.purchase)))
