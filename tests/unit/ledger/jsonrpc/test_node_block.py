"""A block of a node is believed as far as its hash covers it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import rlp
from eth_account import Account
from eth_utils import to_checksum_address
from tests.anvil import anvil, rpc
from tests.unit.ledger.box import CHAIN_ID, OPERATOR, the_box

from gridpact.crypto.keccak import keccak
from gridpact.errors import Corrupt
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.jsonrpc.node_block import verified

ALICE = Account.from_key(b"\x11" * 32)

Rows = tuple[dict[str, Any], list[dict[str, Any]]]


@pytest.fixture(scope="module", params=["london", "prague"])
def block(request: pytest.FixtureRequest) -> Rows:
    """Return a block with transactions of three types and one that failed, and its receipts."""
    box = the_box()
    with anvil(CHAIN_ID, hardfork=request.param) as url:
        rpc(url, "anvil_setBalance", ALICE.address, hex(10**20))
        rpc(url, "evm_setAutomine", False)
        for nonce, call in enumerate((box.deploy(), box.put(1, 5), box.put(1, 13))):
            raw = sign(OPERATOR, CHAIN_ID, nonce, call.to, call.data, 900_000).raw
            rpc(url, "eth_sendRawTransaction", "0x" + raw.hex())
        at = to_checksum_address(box.address)
        common = {"chainId": CHAIN_ID, "to": at, "value": 0, "gas": 200_000}
        access = [{"address": at, "storageKeys": ["0x" + "00" * 31 + "01"]}]
        kinds = (
            {"type": 1, "nonce": 0, "gasPrice": 10**9, "accessList": access},
            {"type": 2, "nonce": 1, "maxFeePerGas": 10**9, "maxPriorityFeePerGas": 0},
        )
        for kind in kinds:
            made = ALICE.sign_transaction(common | kind | {"data": box.put(3, 4).data})
            rpc(url, "eth_sendRawTransaction", "0x" + made.raw_transaction.hex())
        rpc(url, "anvil_mine", "0x1")
        rows = (
            rpc(url, "eth_getBlockByNumber", "latest", True),
            rpc(url, "eth_getBlockReceipts", "latest"),
        )
    assert len(rows[0]["transactions"]) == 5
    return rows


def test_a_nodes_block_is_verified_with_all_that_is_in_it(block: Rows) -> None:
    found = verified(*block)
    assert found.hash.hex() == block[0]["hash"][2:]
    by_sender = [each for each in found.transactions if each.sender == OPERATOR.address]
    assert [each.status for each in by_sender] == [1, 1, 0]
    assert not any(each.out_of_gas for each in found.transactions)
    others = {each.sender.hex() for each in found.transactions} - {OPERATOR.address.hex()}
    assert others == {ALICE.address[2:].lower()}


def _drop(rows: Rows, receipt_only: bool = False) -> None:
    rows[1].pop()
    if not receipt_only:
        rows[0]["transactions"].pop()


def _unnumbered(rows: Rows) -> None:
    del rows[0]["number"]


CHANGES: dict[str, tuple[Callable[[Rows], None], str]] = {
    "time": (lambda rows: rows[0].update(timestamp="0x5"), "hash: is not that"),
    "state": (lambda rows: rows[0].update(stateRoot="0x" + "ab" * 32), "hash: is not that"),
    "hash": (lambda rows: rows[0].update(hash="0x" + "ab" * 32), "hash: is not that"),
    "data": (lambda rows: rows[0]["transactions"][1].update(input="0x01"), "transaction 1: hash"),
    "hash of a transaction": (
        lambda rows: rows[0]["transactions"][0].update(hash="0x" + "ab" * 32),
        "transaction 0: hash",
    ),
    "one transaction less": (_drop, "transactionsRoot"),
    "sender": (
        lambda rows: rows[0]["transactions"][0].update({"from": "0x" + "ab" * 20}),
        "from: did not sign",
    ),
    "status": (lambda rows: rows[1][0].update(status="0x0"), "receiptsRoot"),
    "gas": (lambda rows: rows[1][4].update(cumulativeGasUsed="0x1"), "receiptsRoot"),
    "a receipt less": (lambda rows: _drop(rows, receipt_only=True), "4 of 5"),
    "an unknown type": (
        lambda rows: rows[0]["transactions"][3].update(type="0x7e"),
        "type 126 are not known",
    ),
    "no number": (_unnumbered, "number"),
    "garbage": (lambda rows: rows[0].update(gasUsed=[]), "not worded as a block"),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=list(CHANGES))
def test_whatever_is_changed_is_named(
    block: Rows, change: Callable[[Rows], None], words: str
) -> None:
    rows = copy.deepcopy(block)
    change(rows)
    with pytest.raises(Corrupt, match=words):
        verified(*rows)


def test_a_qbft_blocks_hash_leaves_its_seals_and_round_out(block: Rows) -> None:
    """Besu's `QbftExtraDataCodec`: vanity, validators, votes, round, seals."""
    header = copy.deepcopy(block[0]) | {"transactions": []}
    empty = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    header |= {"transactionsRoot": empty, "receiptsRoot": empty}
    common = [bytes(32), [b"\1" * 20, b"\2" * 20], []]
    sealed = rlp.encode([*common, 3, [b"\5" * 65, b"\6" * 65]])
    with pytest.raises(Corrupt, match="hash"):
        verified(header | {"extraData": "0x" + sealed.hex()}, [])
    from gridpact.ledger.jsonrpc import node_block

    hashed = keccak(rlp.encode(node_block._header(header, rlp.encode([*common, 0, []]))))
    header["hash"] = "0x" + hashed.hex()
    assert verified(header | {"extraData": "0x" + sealed.hex()}, []).hash == hashed
    other = rlp.encode([*common[:2], [b"x"], 3, []])
    with pytest.raises(Corrupt, match="hash"):
        verified(header | {"extraData": "0x" + other.hex()}, [])
