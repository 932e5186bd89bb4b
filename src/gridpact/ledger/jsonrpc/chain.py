"""A chain on an Ethereum client: the same contracts and records, on blocks that others see too.

The `OpenChain` port over JSON-RPC. One record is several transactions here; `companion` and
`sender` make sure that all of them get in, once, whatever dies in between. Blocks carry the node's
own time, not the market's: see docs/ledger.md for what that means to windows and deadlines.
"""

from collections.abc import Sequence

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import LedgerError, Unavailable, WriteConflict
from gridpact.ledger.chain import Ability, Call, OutboxStep, Outcome, Receipt
from gridpact.ledger.jsonrpc.companion import Companion, Plan
from gridpact.ledger.jsonrpc.node import Node
from gridpact.ledger.jsonrpc.rehearsal import rehearse
from gridpact.ledger.jsonrpc.sender import Sender
from gridpact.ledger.jsonrpc.submission import known, submit
from gridpact.ledger.jsonrpc.watch import NodeSettings, Watch
from gridpact.ledger.ledger import Head
from gridpact.ledger.outbox import require_legal
from gridpact.model.interval import Key

_ASKED = {
    Ability.PEERS: (("net_peerCount",),),
    Ability.VALIDATORS: (
        ("qbft_getValidatorsByBlockNumber", "latest"),
        ("ibft_getValidatorsByBlockNumber", "latest"),
        ("clique_getSigners",),
    ),
    Ability.FINALITY: (("eth_getBlockByNumber", "finalized", False),),
}
"""By which questions a node shows an ability; one answer is enough."""


class JsonRpcChain:
    """An `OpenChain` on a node.

    Parameters
    ----------
    node
        Several chains may share it.
    companion
        The open file beside it; several chains share it too.
    name
        The chain's name in the file.
    operator
        The key that signs every transaction: nobody else may send with it.

    Raises
    ------
    Unavailable
        The node does not answer, or does not take what an earlier process left unfinished.
    LedgerError
        The file belongs to another chain or knows less than the node.
    """

    def __init__(
        self,
        node: Node,
        companion: Companion,
        name: str,
        operator: PrivateKey,
        settings: NodeSettings,
    ) -> None:
        self._node, self._companion, self._name = node, companion, name
        self._operator = operator
        self._row = companion.open_chain(name, node.chain_id, node.genesis, operator.address)
        self._watch = Watch(node, name, settings)
        self._sender = Sender(
            node, self._watch, companion, self._row, operator, settings.market_price
        )
        self._sender.require_own_nonces()
        self._sender.repair()

    @property
    def name(self) -> str:
        return self._name

    @property
    def chain_id(self) -> int:
        return self._row.chain_id

    @property
    def operator(self) -> bytes:
        return self._operator.address

    @property
    def abilities(self) -> frozenset[Ability]:
        """What this node can, by asking it."""
        return frozenset(
            ability
            for ability, questions in _ASKED.items()
            if any(self._node.has(*question) for question in questions)
        )

    def execute(
        self,
        key: Key,
        body: bytes,
        calls: Sequence[Call],
        steps: Sequence[OutboxStep] = (),
    ) -> tuple[Head, tuple[Outcome, ...]]:
        """Execute calls as transactions in order, and store `body` under `key`.

        Raises
        ------
        Reverted
            A contract would refuse a call; nothing was sent.
        WriteConflict
            The key is taken, or another content is under way under it.
        Unavailable
            The node does not answer; what was begun is finished by the next write or start.
        LedgerError
            A step out of order; nothing was sent.
        """
        self._sender.repair()
        if (taken := self._companion.plan(self._row.id, key)) is not None:
            raise WriteConflict(key, keccak(taken.body), keccak(body))
        require_legal(self._companion.steps, self._name, steps)
        at = self._watch.confirmed()
        rehearsed = rehearse(self._node, self.operator, calls, at)
        plan = self._sender.plan(key, body, calls, rehearsed, steps)
        done, outcomes = self._sender.finish(plan)
        assert done.block is not None
        return done.block, tuple(outcomes)

    def submit(self, raw: bytes) -> Receipt:
        """Send anybody's signed transaction; its receipt, once its block counts.

        A failed one has status 0. A node does not keep what a transaction returned: the outcome's
        output is empty. Safe to call from several threads.

        Raises
        ------
        InvalidTransaction
            No block can hold it: its form, chain id, signature, gas or nonce.
        Unavailable
            It does not count yet; sending it again is safe.
        """
        (answer,) = self.submit_many([raw])
        if isinstance(answer, LedgerError):
            raise answer
        return answer

    def submit_many(self, raws: Sequence[bytes]) -> tuple[Receipt | LedgerError, ...]:
        """Send many transactions in order: for each its receipt, or the error of `submit`."""
        return submit(self._node, self._watch, self.chain_id, self.operator, raws)

    def nonce(self, sender: bytes) -> int:
        """Return how many transactions of a sender stand on the chain."""
        return self._node.nonce(sender)

    def receipt(self, transaction: bytes) -> Receipt | None:
        """Return the receipt of a transaction by its hash, or None."""
        return known(self._node, transaction)

    def propose(self, calls: Sequence[Call]) -> tuple[Outcome, ...]:
        """Rehearse calls on the state of the head. Raises `Reverted`."""
        rehearsed = rehearse(self._node, self.operator, calls, self._watch.confirmed())
        return tuple(one.outcome for one in rehearsed)

    def view(self, call: Call) -> bytes:
        """Return the output of a read-only call at the head. Raises `Reverted`."""
        return self._node.call(self.operator, call, self._watch.confirmed().head.number)

    def body(self, key: Key) -> bytes | None:
        """Return the body stored under a key, or None."""
        plan = self._finished(key)
        return None if plan is None else plan.body

    def written_at(self, key: Key) -> Head | None:
        """Return the block in which a key's last transaction stands, or None."""
        plan = self._finished(key)
        return None if plan is None else plan.block

    def head(self) -> Head:
        """Return the last block of the node that counts; its hash binds all before it."""
        return self._watch.confirmed().head

    def state_hash(self) -> bytes:
        """Return keccak over the contracts we deployed: address, code hash, storage root.

        Sorted by address, as the node states them at the head (`eth_getProof`). It is no
        `state_hash.state_hash`: a node does not give its storage away slot by slot.
        """
        at = self._watch.confirmed().head.number
        proofs = {
            each: self._node.proof(each, at) for each in self._companion.created(self._row.id)
        }
        rows = (
            address + proofs[address].code_hash + proofs[address].storage_hash
            for address in sorted(proofs)
        )
        return keccak(b"".join(rows))

    def close(self) -> None:
        """Nothing to do: the file and the node stay open for the other chain."""

    def _finished(self, key: Key) -> Plan | None:
        """Return a finished record; one under way is finished first if the node has it all."""
        plan = self._companion.plan(self._row.id, key)
        if plan is None or plan.block is not None:
            return plan
        try:
            return self._sender.finish(plan, patience=0.0)[0]
        except Unavailable:
            return None
