"""The buyer's desk: asks, chooses, opens a wallet, pays by voucher, confirms ([Yu23]).

Each purchase has a wallet with a key of its own, which never leaves the device. The desk trusts
the operator with nothing but the list of sellers: what it signs it has checked against its choice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import signed_by
from gridpact.cycle.purchase.ports import PurchaseLedger
from gridpact.errors import ForgedSignature, Misplaced, Misstated
from gridpact.identity.messages import (
    Buy,
    Certified,
    Choice,
    Choose,
    Confirm,
    Message,
    Pay,
    Renewed,
    Respond,
    body_of,
)
from gridpact.model.purchase import PurchaseRecord
from gridpact.model.voucher import Voucher, account_of, confirmation, possession
from gridpact.quantities import Money, Price, Score, Wh, amount

Pick = Callable[[Sequence[Choice]], Choice | None]


def cheapest(choices: Sequence[Choice]) -> Choice | None:
    """Return the choice that costs least, of equal ones the best believed; None of none."""
    return min(choices, key=lambda one: (one.costs, -one.credit, one.offer), default=None)


@dataclass
class _Chosen:
    """What this buyer decided: the wallet's key and what the voucher has to say."""

    key: Key
    choice: Choice
    interval: int
    account: bytes
    voucher: Voucher | None = None

    @property
    def charge(self) -> Money:
        """The network's part of the wallet."""
        return amount(self.choice.charge, self.choice.volume_wh)

    @property
    def money(self) -> Money:
        """What the wallet holds."""
        return amount(self.choice.price, self.choice.volume_wh) + self.charge


@dataclass
class BuyerDesk:
    """One buyer's end. `keys` returns the wallet's key of a purchase number."""

    region: bytes
    operator: bytes
    ledger: PurchaseLedger
    keys: Callable[[int], Key]
    record: PurchaseRecord
    number: int = 0
    _asked: dict[bytes, Buy] = field(default_factory=dict)
    _chosen: dict[bytes, _Chosen] = field(default_factory=dict)
    _paid: dict[bytes, _Chosen] = field(default_factory=dict)
    _said: dict[bytes, tuple[bytes, Confirm]] = field(default_factory=dict)

    @property
    def wallets(self) -> tuple[bytes, ...]:
        """The wallets whose purchases are not over, as a request has to name them."""
        open_ones = (*self._chosen.values(), *self._paid.values())
        return tuple(sorted({one.account for one in open_ones}))

    def ask(self, interval: int, volume: Wh, cap: Price, credit: Score) -> Buy:
        """Return a request; `asked` says under which hash it went out."""
        return Buy(interval, volume, cap, credit, self.wallets)

    def asked(self, message: Message) -> None:
        """Remember a request that was sent."""
        self._asked[message.hash] = body_of(message, Buy)

    def choose(self, message: Message, pick: Pick = cheapest) -> Choose | None:
        """Pick a seller of the operator's answer, open a wallet with the money; None of nobody.

        Raises
        ------
        Misplaced
            The answer is to no request of this buyer.
        Misstated
            A choice is not what was asked for.
        Reverted
            The ledger does not open the wallet.
        """
        respond = body_of(message, Respond)
        buy = self._asked.get(respond.request)
        if buy is None:
            raise Misplaced(f"answer: to a request 0x{respond.request.hex()} that nobody made")
        choice = pick(respond.choices)
        if choice is None:
            return None
        if not 0 < choice.volume_wh <= buy.volume_wh:
            raise Misstated("volume of the choice", choice.volume_wh, f"1 to {buy.volume_wh}")
        if choice.costs > buy.cap:
            raise Misstated("costs of the choice", choice.costs, f"at most {buy.cap}")
        self.number += 1
        key, own = self.keys(self.number), self.ledger.own
        account = account_of(own, self.region, self.number)
        proof = key.sign(possession(self.ledger.domain, account, own, key.address))
        chosen = _Chosen(key, choice, buy.interval, account)
        self.ledger.open_wallet(self.number, key.address, proof, chosen.money, buy.interval)
        del self._asked[respond.request]
        self._chosen[account] = chosen
        return Choose(respond.request, choice.offer, account)

    def pay(self, message: Message) -> tuple[bytes, Pay]:
        """Return the seller's address and the payment by a voucher that says what was chosen.

        Raises
        ------
        Misplaced, Misstated, ForgedSignature
            No such wallet waits, the voucher says something else, or the operator did not sign.
        """
        certified = body_of(message, Certified)
        voucher = certified.voucher
        chosen = self._chosen.get(voucher.account)
        if chosen is None:
            raise Misplaced(f"voucher: no wallet 0x{voucher.account.hex()} waits for one")
        choice = chosen.choice
        for what, said, known in (
            ("seller", voucher.seller, choice.seller),
            ("volume", voucher.volume_wh, choice.volume_wh),
            ("balance", voucher.balance, chosen.money),
            ("charge", voucher.charge, chosen.charge),
            ("interval", voucher.due_by, chosen.interval),
            ("record", voucher.record_root, certified.record.root),
            ("buyer of the record", certified.record.buyer, self.ledger.own),
        ):
            if said != known:
                raise Misstated(f"{what} of the voucher", said, known)
        self._require_newer(certified.record)
        digest = voucher.digest(self.ledger.domain)
        if not signed_by(self.operator, digest, certified.signature):
            raise ForgedSignature(self.operator, None, "voucher")
        chosen.voucher, self.record = voucher, certified.record
        del self._chosen[voucher.account]
        self._paid[voucher.purchase] = chosen
        paid = chosen.key.sign(digest)
        return voucher.seller, Pay(voucher, certified.signature, paid, choice.price)

    def confirm(self, purchase: bytes, received: Wh) -> Confirm:
        """Return the confirmation of what came so far, signed by the wallet's key.

        Raises
        ------
        Misplaced
            No such purchase was paid.
        """
        chosen = self._paid.get(purchase)
        if chosen is None or chosen.voucher is None:
            raise Misplaced(f"purchase 0x{purchase.hex()}: not paid by this buyer")
        digest = confirmation(self.ledger.domain, chosen.voucher, self.region, received)
        if received == chosen.voucher.volume_wh:
            del self._paid[purchase]
        confirm = Confirm(purchase, received, chosen.key.sign(digest))
        self._said[purchase] = chosen.account, confirm
        return confirm

    def insist(self, purchase: bytes) -> bytes:
        """Bring one's last confirmation to the ledger oneself; return the transaction's hash.

        For a buyer that does not see its seller paid: an operator that keeps a confirmation back
        could have the meters settle, and the buyer look silent.

        Raises
        ------
        Misplaced
            Nothing was confirmed of that purchase.
        Reverted
            The ledger has it already.
        """
        if purchase not in self._said:
            raise Misplaced(f"purchase 0x{purchase.hex()}: nothing was confirmed of it")
        account, confirm = self._said[purchase]
        return self.ledger.confirm(account, confirm.received_wh, confirm.signature)

    def renew(self, message: Message) -> None:
        """Take the renewed record of one's payments.

        Raises
        ------
        Misstated, ForgedSignature
            It is older than the one known, somebody else's, or not signed by the operator.
        """
        renewed = body_of(message, Renewed)
        record = renewed.record
        if record.buyer != self.ledger.own:
            raise Misstated("buyer of the record", record.buyer, self.ledger.own)
        self._require_newer(record)
        if not signed_by(self.operator, record.digest(self.ledger.domain), renewed.signature):
            raise ForgedSignature(self.operator, None, "record")
        self.record = record

    def _require_newer(self, record: PurchaseRecord) -> None:
        if record.serial < self.record.serial:
            raise Misstated("serial of the record", record.serial, f"at least {self.record.serial}")
