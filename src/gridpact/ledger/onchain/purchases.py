"""Purchases by voucher on an open chain: one party's transactions to `wallets`, and its views.

Each party signs its own transactions and counts its own nonces; the operator of the desk sends
them from an address of its own, for the chain's operator signs the market's blocks alone.
"""

from typing import Protocol

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import Key, compact
from gridpact.errors import Reverted
from gridpact.ledger.chain import Call, OpenChain, Receipt
from gridpact.ledger.evm.engine import revert_reason
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.onchain.abi import contract, numbers, pack
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.delivery import Profile
from gridpact.model.purchase import Done, How, Proven, Sale, Wallet, WalletState
from gridpact.model.voucher import Voucher
from gridpact.quantities import Money, Wh

_HOW = {"Confirmed": How.CONFIRMED, "Metered": How.METERED, "Returned": How.RETURNED}


class Journal(Protocol):
    """Where a transaction stands from its signature until its sender noted what it did."""

    @property
    def nonce(self) -> int:
        """How many transactions the key signed on this chain."""
        ...

    def keep(self, raw: bytes) -> None:
        """Keep one, and count it, before it is sent."""
        ...

    def forget(self) -> None:
        """The last one is noted, or was refused."""
        ...


class Counted:
    """The journal of a party that is asked again when it dies: it only counts."""

    def __init__(self, nonce: int = 0) -> None:
        self.nonce = nonce

    def keep(self, _raw: bytes) -> None:
        self.nonce += 1

    def forget(self) -> None:
        """Nothing was kept."""


class Purchases:
    """The ledger of purchases as one party uses it (`cycle.purchase.ports.PurchaseLedger`).

    Parameters
    ----------
    chain
        Where the market's contracts stand.
    key
        Signs this party's transactions.
    journal
        Keeps each transaction before it is sent, and counts them.
    """

    def __init__(self, chain: OpenChain, key: Key, journal: Journal | None = None) -> None:
        self._chain, self._key = chain, key
        self._journal = journal or Counted()
        self._suite = Suite(chain.operator)
        self._domain = self._suite.domain(chain.chain_id)

    @property
    def domain(self) -> Domain:
        return self._domain

    @property
    def own(self) -> bytes:
        return self._key.address

    def free(self, account: bytes) -> Money:
        return self._view("vault", "account", account)[0]

    def deposit(self, account: bytes) -> Money:
        return self._view("registry", "deposit", account)[1]

    def certificate(self, account: bytes) -> bytes:
        """Return the fingerprint that the registry holds of somebody (`identity.inbox`)."""
        return self._chain.view(self._suite.call("registry", "certificate", pack(account)))

    def wallet(self, account: bytes) -> Wallet:
        buyer, key, balance, serial, state = self._view("wallets", "wallet", account)
        return Wallet(_address(buyer), _address(key), balance, serial, WalletState(state))

    def sale(self, account: bytes) -> Sale:
        seller, *rest = self._view("wallets", "sale", account)
        return Sale(_address(seller), *rest)

    def open_wallet(self, nonce: int, key: bytes, proof: bytes, money: Money, until: int) -> bytes:
        given = pack(nonce, key) + compact(proof) + pack(money, until)
        return self._send("open_wallet", given).transaction

    def name_seller(self, voucher: Voucher, certified: bytes, paid: bytes) -> bytes:
        v = voucher
        row = pack(v.account, v.seller, v.serial, v.valid_until, v.volume_wh, v.balance)
        given = row + pack(v.charge, v.due_by) + v.record_root + compact(certified) + compact(paid)
        return self._send("name_seller", given).transaction

    def hold(self, account: bytes, signature: bytes) -> bytes:
        return self._send("hold", pack(account) + compact(signature)).transaction

    def release(self, account: bytes) -> bytes:
        return self._send("release", pack(account)).transaction

    def claim(self, account: bytes, delivered: Wh) -> bytes:
        return self._send("claim", pack(account, delivered)).transaction

    def confirm(self, account: bytes, received: Wh, signature: bytes) -> bytes:
        given = pack(account, received) + compact(signature)
        return self._send("confirm", given).transaction

    def settle_by_meters(
        self, account: bytes, sold: Profile, sold_by: bytes, bought: Profile, bought_by: bytes
    ) -> bytes:
        given = pack(account) + _metered(sold, sold_by) + _metered(bought, bought_by)
        return self._send("settle_by_meters", given).transaction

    def time_out(self, account: bytes) -> bytes:
        return self._send("time_out", pack(account)).transaction

    def done(self, transaction: bytes) -> Done | None:
        receipt = self._chain.receipt(transaction)
        if receipt is None:
            return None
        topics, wallets = contract("wallets").topics, self._suite["wallets"]
        for event, how in _HOW.items():  # what meters settle is returned, too
            for log in receipt.outcome.logs:
                if log.address == wallets and log.topics[0] == topics[event]:
                    said = () if how is How.RETURNED else numbers(log.data)
                    return Done(transaction, log.topics[1][12:], how, *said)
        return None

    def bring(self, raw: bytes) -> bytes:
        return self._submit(raw, "wallets").transaction

    def proven(self, participant: bytes, interval: int) -> Proven:
        return Proven(*self._view("wallets", "proven", participant, interval))

    def fine(self, participant: bytes, interval: int) -> Money:
        receipt = self._send("fine", pack(participant, interval))
        topic = contract("wallets").topics["Broken"]
        return sum(numbers(log.data)[-1] for log in receipt.outcome.logs if log.topics[0] == topic)

    def _view(self, name: str, function: str, *given: bytes | int) -> tuple[int, ...]:
        return numbers(self._chain.view(self._suite.call(name, function, pack(*given))))

    def _send(self, function: str, given: bytes) -> Receipt:
        call: Call = self._suite.call("wallets", function, given)
        nonce = self._journal.nonce
        raw = sign(self._key, self._chain.chain_id, nonce, call.to, call.data).raw
        self._journal.keep(raw)
        return self._submit(raw, call.label)

    def _submit(self, raw: bytes, label: str) -> Receipt:
        receipt = self._chain.submit(raw)
        if receipt.outcome.status == 0:
            self._journal.forget()
            raise Reverted(revert_reason(receipt.outcome.output), label)
        return receipt


def _address(number: int) -> bytes:
    return number.to_bytes(20, "big")


def _metered(profile: Profile, signature: bytes) -> bytes:
    return pack(profile.registers) + compact(signature)
