"""Which signed transactions a chain may take: all that can be judged before executing them.

Form, size, chain id, signature (low s) and gas are judged here, in the caller's thread; nonces
when the transaction's turn comes. Accounts hold no ether, so neither value nor gas price can be
paid and both must be zero. Contracts are created by the operator alone: a stranger's code could
destroy itself or ask for block hashes, on which engines differ.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gridpact.crypto.keccak import keccak
from gridpact.crypto.signers import Signers
from gridpact.errors import InvalidTransaction
from gridpact.ledger.evm.transactions import (
    GAS,
    NotATransaction,
    Signed,
    Transaction,
    decode,
    intrinsic_gas,
)

MAX_SIZE = 128 * 1024
"""Bytes of a transaction, as Ethereum clients take them."""

MAX_NONCE = 2**64 - 2
"""Above, the sender's next nonce would not fit its word (EIP-2681)."""


class Admitted(NamedTuple):
    """A transaction of proper form and its sender."""

    transaction: Transaction
    sender: bytes


Admission = Admitted | InvalidTransaction


class Arrived(NamedTuple):
    """Transactions that want in, how many there are, and their admissions in order."""

    size: int
    admissions: Iterator[Admission]


def admit(raws: Sequence[bytes], chain_id: int, creator: bytes, signers: Signers) -> Arrived:
    """Return each transaction with its sender, or why the chain cannot take it.

    `creator` is the address that may create contracts. Where another process finds the signers,
    each is waited for when its turn comes; else all are known when this returns.
    """
    signed = Signed(raws, _read, signers)
    judged = (
        _judged(each, signer, chain_id, creator) if isinstance(each, Transaction) else each
        for each, signer in signed
    )
    return Arrived(len(raws), judged if signed.beside else iter(list(judged)))


def objection(transaction: Transaction, sender: bytes | None, chain_id: int, creator: bytes) -> str:
    """Return why the chain does not take a transaction, whatever its nonce; empty if it does."""
    needed = intrinsic_gas(transaction)
    if transaction.chain_id != chain_id:
        return f"chain id {transaction.chain_id}, this is chain {chain_id}"
    if sender is None:
        return "the signature is not valid, or its s is high"
    if transaction.gas < needed:
        return f"gas {transaction.gas}, it needs {needed} before anything is executed"
    if transaction.gas > GAS:
        return f"gas {transaction.gas}, at most {GAS} is given to one"
    if transaction.nonce > MAX_NONCE:
        return f"nonce {transaction.nonce} has no successor"
    if not transaction.to and sender != creator:
        return f"0x{sender.hex()} creates a contract, only the operator may"
    return ""


def _read(raw: bytes) -> Transaction | InvalidTransaction:
    if len(raw) > MAX_SIZE:
        return InvalidTransaction(f"{len(raw)} bytes, at most {MAX_SIZE} are taken")
    try:
        return decode(raw)
    except NotATransaction as error:
        return InvalidTransaction(str(error), keccak(raw))


def _judged(
    transaction: Transaction, sender: bytes | None, chain_id: int, creator: bytes
) -> Admission:
    wrong = objection(transaction, sender, chain_id, creator)
    if wrong or sender is None:
        return InvalidTransaction(wrong, transaction.hash)
    return Admitted(transaction, sender)
