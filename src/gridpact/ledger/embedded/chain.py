"""The embedded chain: blocks of transactions, executed in this process, durable in one file.

A block is either one write of the market (one signed transaction per call, all of them or none) or
a group of transactions that anybody signed (`submit`), each for itself. It stands on disk when
`execute` or `submit` returns (`store`), and a process that dies at any instant leaves whole blocks
only. Opening restores the latest snapshot and executes the blocks after it again, checking each.
Tamper-evident, not trustless: see `audit` and 5-decisions, section 17.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.crypto.signers import Signers
from gridpact.errors import Corrupt, LedgerError, Reverted, WriteConflict
from gridpact.ledger.chain import Ability, Call, OutboxStep, Outcome, Receipt
from gridpact.ledger.embedded.assemble import Made, assemble
from gridpact.ledger.embedded.group import GroupCommit
from gridpact.ledger.embedded.public import Answer, PublicBlock, cut
from gridpact.ledger.embedded.replay import Position, genesis, position_at, replay_all
from gridpact.ledger.evm.admission import Admission, Arrived, admit
from gridpact.ledger.evm.engine import EngineFactory, Moment, default_engine
from gridpact.ledger.evm.state_hash import State, pack, state_hash, unpack
from gridpact.ledger.evm.transactions import GAS, Transaction, sign
from gridpact.ledger.files import header as head
from gridpact.ledger.files.rows import ChainRow, SnapshotRow
from gridpact.ledger.files.store import Store
from gridpact.ledger.ledger import Head
from gridpact.ledger.outbox import require_legal
from gridpact.model.interval import Key, Phase, public_key

Clock = Callable[[Key], int]
"""The market time of a write: a pure function, so that equal runs have equal heads. [s]"""

Now = Callable[[], int]
"""The market time of a block of public transactions. [s]"""

MAX_CHAIN_ID = 2**53
_SNAPSHOTS_KEPT = 2

SNAPSHOT_AFTER = 32_768
"""Transactions between two snapshots, if blocks are large: opening executes fewer again."""


class EmbeddedChain:
    """A `Chain` in one file.

    Parameters
    ----------
    store
        The open file; several chains share it.
    name
        The chain's name in the file.
    chain_id
        Its EIP-155 id, fixed when the chain is created.
    operator
        The key that signs every transaction.
    clock
        The market time of a key. [s]
    engine
        Opens the EVM; the fastest installed by default.
    snapshot_every
        Blocks between two snapshots of the whole state.
    now
        The time of blocks of public transactions; by default that of the block before. [s]
    signers
        Finds out who signed; by default on a second core, where this process has one.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        chain_id: int,
        operator: PrivateKey,
        clock: Clock,
        engine: EngineFactory | None = None,
        snapshot_every: int = 64,
        now: Now | None = None,
        signers: Signers | None = None,
    ) -> None:
        if not 0 < chain_id < MAX_CHAIN_ID:
            raise LedgerError(f"chain id {chain_id} is not between 1 and 2^53")
        self._store, self._name, self._chain_id = store, name, chain_id
        self._operator, self._clock, self._every = operator, clock, snapshot_every
        self._now = now
        self._mutex = threading.RLock()
        self._signers = signers or Signers()
        self._group = GroupCommit[Arrived, tuple[Answer, ...]](self._write_public)
        self._row = self._open_row()
        self._snapshot_at, self._snapshot_after = 0, 0
        self._position = genesis(self._row)
        self._resume(engine or default_engine())

    @property
    def name(self) -> str:
        return self._name

    @property
    def chain_id(self) -> int:
        return self._chain_id

    @property
    def operator(self) -> bytes:
        return self._operator.address

    @property
    def abilities(self) -> frozenset[Ability]:
        return frozenset()

    def execute(
        self,
        key: Key,
        body: bytes,
        calls: Sequence[Call],
        steps: Sequence[OutboxStep] = (),
    ) -> tuple[Head, tuple[Outcome, ...]]:
        """Execute calls as one block and store `body` under `key`: all of it, on disk, or nothing.

        Raises
        ------
        Reverted
            A contract refused a call; nothing changed.
        WriteConflict
            The key is taken.
        LedgerError
            A step out of order, or the disk refused the block; nothing changed.
        """
        if key.phase is Phase.PUBLIC:
            raise LedgerError(f"{key}: blocks of public transactions are made by `submit`")
        with self._mutex:
            if self.written_at(key) is not None:
                raise WriteConflict(key, keccak(self.body(key) or b""), keccak(body))
            require_legal(self._store.steps, self._name, steps)
            self._snapshot_if_due()
            moment = Moment(self._position.number + 1, self._clock(key))
            with self._all_or_nothing():
                transactions, outcomes = self._run(calls, moment, self._signed)
                self._add(Made(key, moment, transactions, outcomes, body, steps))
            return self.head(), outcomes

    def submit(self, raw: bytes) -> Receipt:
        """Take a signed transaction of anybody; on disk with its receipt when this returns."""
        (answer,) = self.submit_many([raw])
        if isinstance(answer, LedgerError):
            raise answer
        return answer

    def submit_many(self, raws: Sequence[bytes]) -> tuple[Answer, ...]:
        """Take many transactions in order: for each its receipt, or the error of `submit`."""
        if not raws:
            return ()
        return self._group.submit(lambda: admit(raws, self._chain_id, self.operator, self._signers))

    def nonce(self, sender: bytes) -> int:
        """Return how many transactions of a sender stand on the chain."""
        with self._mutex:
            return self._engine.nonce(sender)

    def receipt(self, transaction: bytes) -> Receipt | None:
        """Return the receipt of a transaction by its hash, or None."""
        with self._mutex:
            return self._store.receipt_of(self._row.id, transaction)

    def propose(self, calls: Sequence[Call]) -> tuple[Outcome, ...]:
        """Execute calls on the state of the head and forget them. Raises `Reverted`."""
        with self._mutex:
            try:
                return self._run(calls, self._moment(), self._unsigned)[1]
            finally:
                self._engine.undo()

    def view(self, call: Call) -> bytes:
        """Return the output of a read-only call at the head. Raises `Reverted`."""
        with self._mutex:
            done = self._engine.view(self.operator, call.to, call.data, self._moment())
        if done.failure:
            raise Reverted(done.failure, call.label)
        return done.outcome.output

    def body(self, key: Key) -> bytes | None:
        """Return the body stored under a key, or None."""
        written = self.written_at(key)
        return None if written is None else self._store.body(self._row.id, written.number)

    def written_at(self, key: Key) -> Head | None:
        """Return the block that holds a key, or None."""
        return self._store.written_at(
            self._row.id, key.region, key.interval, int(key.phase), key.part
        )

    @property
    def recovering(self) -> str:
        """Where signatures are recovered, and why not beside this process if they are not."""
        return self._signers.standing

    def head(self) -> Head:
        return Head(self._position.number, self._position.hash)

    def state_hash(self) -> bytes:
        """Return the hash of all accounts, code and storage at the head."""
        with self._mutex:
            return state_hash(self._engine.state())

    def close(self) -> None:
        """Write a snapshot of the head, so that opening is quick. The store stays open."""
        self._signers.close()
        with self._mutex:
            if self._position.number > self._snapshot_at:
                self._snapshot()

    def _moment(self) -> Moment:
        return Moment(self._position.number, self._position.time)

    def _signed(self, call: Call, nonce: int) -> Transaction:
        return sign(self._operator, self._chain_id, nonce, call.to, call.data)

    def _unsigned(self, call: Call, nonce: int) -> Transaction:
        return Transaction(self._chain_id, nonce, GAS, call.to, call.data, b"", b"")

    def _run(
        self,
        calls: Sequence[Call],
        moment: Moment,
        made: Callable[[Call, int], Transaction],
    ) -> tuple[tuple[Transaction, ...], tuple[Outcome, ...]]:
        transactions, outcomes = [], []
        for call in calls:
            transaction = made(call, self._engine.nonce(self.operator))
            done = self._engine.execute(transaction, self.operator, moment)
            if done.failure:
                raise Reverted(done.failure, call.label)
            transactions.append(transaction)
            outcomes.append(done.outcome)
        return tuple(transactions), tuple(outcomes)

    def _write_public(self, wanted: Sequence[Arrived]) -> list[tuple[Answer, ...]]:
        """Write what several callers want, in as many blocks as it takes: one answer each."""
        sizes = [each.size for each in wanted]
        coming = chain.from_iterable(each.admissions for each in wanted)
        answers: list[Answer] = []
        with self._mutex:
            while len(answers) < sum(sizes):
                answers += self._write_block(coming)
        return cut(answers, sizes)

    def _write_block(self, coming: Iterator[Admission]) -> list[Answer]:
        """Write one block of what comes first; when the disk fails, nothing after it is tried."""
        block = PublicBlock(self._engine, Moment(0, 0), self.receipt)
        hashes: Sequence[bytes] = ()
        try:
            self._snapshot_if_due()
            block.moment = Moment(
                self._position.number + 1, self._now() if self._now else self._position.time
            )
            with self._all_or_nothing():
                for admission in coming:
                    block.take(admission)
                    if block.full:
                        break
                if block.transactions:
                    key = public_key(block.moment.number)
                    made = Made(key, block.moment, block.transactions, block.outcomes)
                    hashes = self._add(made)
        except LedgerError as error:
            told = block.failed(error)
            return [*told, *(a if isinstance(a, LedgerError) else error for a in coming)]
        return block.answers(self.head(), hashes)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Keep what the engine executes inside, unless something inside fails."""
        try:
            yield
        except BaseException:
            self._engine.undo()
            raise
        self._engine.keep()

    def _add(self, made: Made) -> Sequence[bytes]:
        """Store a new block, take it for the head, and return its transactions' hashes."""
        header, rows, hashes = assemble(self._row, self._position, made)
        self._store.add_block(rows)
        count = self._position.transactions + len(made.transactions)
        self._position = Position(
            header.number, header.hash, header.state_chain, header.time, count
        )
        return hashes

    def _open_row(self) -> ChainRow:
        row = self._store.chain(self._name)
        if row is None:
            first = head.genesis_hash(self._name, self._chain_id, self.operator)
            return self._store.add_chain(self._name, self._chain_id, self.operator, first)
        if (row.chain_id, row.operator) != (self._chain_id, self.operator):
            raise LedgerError(
                f"{self._store.path}: chain {self._name} has id {row.chain_id} and operator "
                f"0x{row.operator.hex()}, not id {self._chain_id} and 0x{self.operator.hex()}"
            )
        return row

    def _resume(self, engine: EngineFactory) -> None:
        """Take up where the file ends: the latest snapshot, then the blocks after it."""
        snapshot = next(iter(self._store.snapshots(self._row.id)), None)
        state = {} if snapshot is None else self._restore(snapshot)
        self._engine = engine(self._chain_id, state)
        blocks = self._store.blocks(self._row.id, after=self._position.number)
        for done in replay_all(self._engine, self._row, self._position, blocks, self._signers):
            self._position = done.position

    def _restore(self, snapshot: SnapshotRow) -> State:
        """Return a snapshot's state and take its block for the position."""
        place = f"{self._name} snapshot at block {snapshot.block}"
        block = self._store.block(self._row.id, snapshot.block)
        if block is None:
            raise Corrupt(place, "block: there is no such block")
        self._position = position_at(block)
        state = unpack(snapshot.content, place)
        if state_hash(state) != snapshot.state_hash:
            raise Corrupt(place, "content: does not have the snapshot's state_hash")
        self._snapshot_at, self._snapshot_after = snapshot.block, self._position.transactions
        return state

    def _snapshot_if_due(self) -> None:
        blocks = self._position.number - self._snapshot_at
        transactions = self._position.transactions - self._snapshot_after
        if blocks >= self._every or transactions >= SNAPSHOT_AFTER:
            self._snapshot()

    def _snapshot(self) -> None:
        state = self._engine.state()
        number = self._position.number
        self._store.add_snapshot(
            SnapshotRow(self._row.id, number, state_hash(state), pack(state)), _SNAPSHOTS_KEPT
        )
        self._snapshot_at, self._snapshot_after = number, self._position.transactions
