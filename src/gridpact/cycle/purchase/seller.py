"""The seller's desk: offers, checks a payment before it delivers, claims and bills ([Yu23])."""

from dataclasses import dataclass, field

from gridpact.crypto.recovery import signed_by
from gridpact.cycle.purchase.ports import PurchaseLedger
from gridpact.errors import ForgedSignature, Misplaced, Misstated
from gridpact.identity.messages import (
    Bill,
    Correct,
    Message,
    Pay,
    Sell,
    Stop,
    Stopped,
    body_of,
    encode,
)
from gridpact.model.purchase import WalletState
from gridpact.model.voucher import Voucher
from gridpact.quantities import Price, Score, Wh, amount


@dataclass
class _Sold:
    """A payment that was checked and brought to the ledger."""

    voucher: Voucher
    payment: bytes
    billed: Wh = 0
    bill: bytes = b""


@dataclass
class SellerDesk:
    """One seller's end."""

    operator: bytes
    ledger: PurchaseLedger
    _offered: dict[int, tuple[Price, Wh]] = field(default_factory=dict)
    _sold: dict[bytes, _Sold] = field(default_factory=dict)

    def offer(self, interval: int, volume: Wh, price: Price, credit: Score) -> Sell:
        """Return a request to sell; one per interval, a later one replaces it."""
        self._offered[interval] = price, volume
        return Sell(interval, volume, price, credit)

    def accept(self, message: Message) -> Voucher:
        """Check a payment and bind its wallet to oneself on the ledger; only then deliver.

        Raises
        ------
        Misplaced, Misstated
            Nothing was offered for that interval, the price, the volume or the wallet differ, or
            the sender is not the buyer whose wallet it is: a stolen voucher.
        ForgedSignature
            Operator or wallet did not sign.
        Reverted
            The ledger refuses: an expired or stale voucher, a seller that is suspended.
        """
        pay = body_of(message, Pay)
        voucher, own = pay.voucher, self.ledger.own
        if voucher.due_by not in self._offered:
            raise Misplaced(f"payment: nothing is offered for interval {voucher.due_by}")
        price, left = self._offered[voucher.due_by]
        wallet = self.ledger.wallet(voucher.account)
        for what, said, known in (
            ("seller of the voucher", voucher.seller, own),
            ("price of the payment", pay.price, price),
            (
                "balance less charge of the voucher",
                voucher.balance - voucher.charge,
                amount(price, voucher.volume_wh),
            ),
            ("money of the wallet", wallet.balance, voucher.balance),
            ("state of the wallet", wallet.state, WalletState.FUNDED),
            ("buyer of the wallet", message.sender, wallet.buyer),
        ):
            if said != known:
                raise Misstated(what, said, known)
        if not 0 < voucher.volume_wh <= left:
            raise Misstated("volume of the voucher", voucher.volume_wh, f"1 to {left}")
        digest = voucher.digest(self.ledger.domain)
        if not signed_by(self.operator, digest, pay.certified):
            raise ForgedSignature(self.operator, None, "voucher")
        if not signed_by(wallet.key, digest, pay.paid):
            raise ForgedSignature(wallet.key, None, "payment")
        self.ledger.name_seller(voucher, pay.certified, pay.paid)
        self._offered[voucher.due_by] = price, left - voucher.volume_wh
        self._sold[voucher.purchase] = _Sold(voucher, encode(message))
        return voucher

    def stop(self, purchase: bytes) -> Stop:
        """Return the word that the sensors hold the trade, so that one does not deliver.

        Raises
        ------
        Misplaced
            No such purchase was accepted.
        """
        self._of(purchase)
        return Stop(purchase)

    def stopped(self, message: Message) -> None:
        """Bring the operator's word to the ledger: one is not fined. The wallet is free for another
        seller, unless something was confirmed; then what came is paid.

        Raises
        ------
        Misplaced
            No such purchase was accepted.
        Reverted
            The operator did not sign, or the purchase is settled.
        """
        stopped = body_of(message, Stopped)
        account = self._of(stopped.purchase).voucher.account
        self.ledger.hold(account, stopped.signature)
        if self.ledger.sale(account).confirmed_wh == 0:
            self.give_up(stopped.purchase)

    def give_up(self, purchase: bytes) -> None:
        """Do not deliver, and free the buyer's wallet for another seller.

        Where the sensors do not hold the trade this breaks one's word and is fined.

        Raises
        ------
        Misplaced
            No such purchase was accepted.
        Reverted
            Something was confirmed already.
        """
        self.ledger.release(self._of(purchase).voucher.account)
        del self._sold[purchase]

    def bill(self, purchase: bytes, delivered: Wh) -> Bill:
        """Claim on the ledger what was delivered, and return the bill for the operator.

        Raises
        ------
        Misplaced
            No such purchase was accepted.
        Reverted
            The ledger refuses the claim: before delivery, too late, or beyond the volume.
        """
        sold = self._of(purchase)
        self.ledger.claim(sold.voucher.account, delivered)
        sold.billed = delivered
        due = sold.voucher.due(delivered)
        return Bill(purchase, sold.payment, delivered, due, self.ledger.own)

    def billed(self, message: Message) -> None:
        """Remember the bill that was sent."""
        self._of(body_of(message, Bill).purchase).bill = message.hash

    def correct(self, purchase: bytes, delivered: Wh) -> Correct:
        """Return the counter-statement to one's own bill: it said too much.

        Raises
        ------
        Misplaced
            No bill of that purchase was sent.
        """
        sold = self._of(purchase)
        if not sold.bill:
            raise Misplaced(f"purchase 0x{purchase.hex()}: no bill was sent")
        return Correct(sold.bill, delivered)

    def _of(self, purchase: bytes) -> _Sold:
        found = self._sold.get(purchase)
        if found is None:
            raise Misplaced(f"purchase 0x{purchase.hex()}: not sold by this seller")
        return found
