"""The market's ledger on a chain: each record becomes one block of contract calls.

The contracts decide who may move what; the record says what the market came to. Both must agree to
the last unit, or the block is not made. Reads come from the bodies stored beside the chain and from
views of the contracts.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from msgspec.structs import replace

from gridpact.crypto.eip712 import Domain, word
from gridpact.errors import Disagreement, Reverted, WriteConflict
from gridpact.ledger.chain import Chain, OutboxStep
from gridpact.ledger.coherence import require_coherent, require_fined
from gridpact.ledger.ledger import Head, Totals
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows, listed, numbers, pack
from gridpact.ledger.onchain.attest import BATCH
from gridpact.ledger.onchain.calls import Calls
from gridpact.ledger.onchain.events import difference
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import Account, Named, Participant, ReviewTerms
from gridpact.model.rating import Standing
from gridpact.model.record import (
    Book,
    Commitment,
    Confirmed,
    Crossing,
    Found,
    R,
    Record,
    Returned,
    Rotation,
    Settlement,
    content_hash,
    decode,
    encode,
)
from gridpact.quantities import Money, Score

_OTHERWISE = (": other amounts", ": other scores", ": other loss share")


class MarketLedger:
    """One region's or zone's ledger on a chain (`ledger.Ledger`).

    Parameters
    ----------
    chain
        Runs the contracts. The first record, `Found`, deploys them.
    region
        Identifier of the region or zone whose ledger this is.
    """

    def __init__(self, chain: Chain, region: bytes) -> None:
        self._chain = chain
        self._founding = Key(region, 0, Phase.FOUND)
        self._suite = Suite(chain.operator)
        self._domain = self._suite.domain(chain.chain_id)
        self._calls = Calls(self._suite, self._collected)
        self._read_at: Head | None = None
        self._accounts: dict[bytes, Account] = {}
        self._scores: dict[bytes, Score] = {}
        self._standings: dict[bytes, Standing] = {}
        self._deposits: dict[bytes, Money] = {}
        self._open: tuple[bytes, ...] = ()

    @property
    def name(self) -> str:
        return self._chain.name

    @property
    def domain(self) -> Domain:
        return self._domain

    @property
    def currency(self) -> Domain:
        return self._suite.currency(self._chain.chain_id)

    def write(self, key: Key, record: Record) -> Head:
        body = encode(record)
        written = self._chain.written_at(key)
        if written is not None:
            first = self._chain.body(key) or b""
            if first != body:
                raise WriteConflict(key, content_hash(first), content_hash(body))
            return written
        require_coherent(self.name, record)
        self._require_refundable(key, record)
        require_fined(record, self.deposit, self._review)
        calls = self._calls.of(key, record, content_hash(body))
        try:
            head, _ = self._chain.execute(key, body, calls, steps(record))
        except Reverted as refusal:
            if refusal.reason.endswith(_OTHERWISE):
                raise self._disagreement(key, record, refusal) from refusal
            raise
        if isinstance(record, Rotation):
            self._open = ()
        return head

    def read(self, key: Key, kind: type[R]) -> R | None:
        body = self._chain.body(key)
        return None if body is None else decode(body, kind)

    def written_at(self, key: Key) -> Head | None:
        return self._chain.written_at(key)

    def account(self, address: bytes) -> Account:
        return self.accounts().get(address, Account())

    def accounts(self) -> Mapping[bytes, Account]:
        self._forget_what_changed()
        if not self._accounts:
            opened = self._opened()
            words = self._read("vault", opened)
            self._accounts = dict(zip(opened, map(packing.account, words), strict=True))
        return self._accounts

    def score(self, address: bytes) -> Score:
        self._forget_what_changed()
        if not self._scores:
            opened = self._opened()
            self._scores = dict(zip(opened, self._read("reputation", opened), strict=True))
        return self._scores[address]

    def standing(self, address: bytes) -> Standing:
        self._forget_what_changed()
        if not self._standings:
            opened = self._opened()
            words = self._read("reputation", opened, "believed")
            self._standings = dict(zip(opened, map(packing.standing, words), strict=True))
        return self._standings[address]

    def active(self, address: bytes) -> bool:
        words = self._chain.view(self._suite.call("registry", "status", pack(address)))
        return packing.status(numbers(words)[0])[2] == packing.ACTIVE

    def deposit(self, address: bytes) -> Money:
        self._forget_what_changed()
        if address not in self._deposits:
            words = self._chain.view(self._suite.call("registry", "deposit", pack(address)))
            self._deposits[address] = numbers(words)[1]
        return self._deposits[address]

    def totals(self) -> Totals:
        if not self._opened():
            return Totals(0, 0, 0, 0, 0, 0)
        return Totals(*numbers(self._chain.view(self._suite.call("vault", "totals"))))

    def head(self) -> Head:
        return self._chain.head()

    def state_hash(self) -> bytes:
        return self._chain.state_hash()

    def close(self) -> None:
        self._chain.close()

    def _disagreement(self, key: Key, record: Record, refusal: Reverted) -> Disagreement:
        """Ask the contracts what they come to without a digest, and name the first other row."""
        calls = Calls(self._suite, self._collected, insist=False)
        content = content_hash(encode(record))
        try:
            outcomes = self._chain.propose(calls.of(key, record, content))
        except Reverted as other:
            return Disagreement(refusal.call, other.reason, type(record).__name__)
        found = difference(record, outcomes, self._suite)
        if found is None:
            return Disagreement(refusal.call, refusal.reason, type(record).__name__)
        what = f"{refusal.call}, {found.event} {found.row}"
        return Disagreement(what, numbers(found.said), numbers(found.stated))

    def _forget_what_changed(self) -> None:
        """Forget what was read before the head: public transactions move money between writes."""
        head = self._chain.head()
        if head != self._read_at:
            self._read_at, self._accounts, self._scores, self._standings = head, {}, {}, {}
            self._deposits = {}

    def _opened(self) -> tuple[bytes, ...]:
        """Return every account, of the founding and of all periods since; none before."""
        if not self._open:
            found = self.read(self._founding, Found)
            if found is not None:
                people = (one.address for one in (*found.participants, *self._newcomers(found)))
                self._open = (*(named.address for named in Named), *people)
        return self._open

    def _newcomers(self, found: Found) -> Iterator[Participant]:
        for interval in count(found.period, found.period) if found.period else ():
            rotation = self.read(replace(self._founding, interval=interval), Rotation)
            if rotation is None:
                return
            yield from rotation.participants

    def _read(self, contract: str, addresses: Sequence[bytes], view: str = "read") -> list[int]:
        found: list[int] = []
        for first in range(0, len(addresses), BATCH):
            rows = Rows([word(address) for address in addresses[first : first + BATCH]])
            found += listed(self._chain.view(self._suite.call(contract, view, rows)))
        return found

    def _review(self) -> ReviewTerms:
        found = self.read(self._founding, Found)
        return found.review if found else ReviewTerms()

    def _collected(self, key: Key) -> Sequence[Book]:
        """Return all parts of an interval's book."""
        books: list[Book] = []
        while book := self.read(Key(key.region, key.interval, Phase.COLLECT, len(books)), Book):
            books.append(book)
        return books

    def _require_refundable(self, key: Key, record: Record) -> None:
        """The contract refunds whom it knows as a fill's buyer; the record must name the same."""
        if not isinstance(record, Settlement | Returned) or not record.refunds:
            return
        committed = self.read(Key(key.region, key.interval, Phase.COMMIT), Commitment)
        buyers = {fill.hash: fill.buyer for fill in committed.crossed} if committed else {}
        for refund in record.refunds:
            if buyers.get(refund.fill) != refund.buyer:
                raise Reverted("settlement: refund of what did not cross", refund.fill.hex())


def steps(record: Record) -> tuple[OutboxStep, ...]:
    """Return the steps of cross-chain effects that a record takes."""
    match record:
        case Commitment(refused=Crossing() as refused):
            return (OutboxStep(refused, "refused"),)
        case Commitment() | Settlement():
            sent, received = record.departed, record.arrived
            return (
                *((OutboxStep(received, "received"),) if received else ()),
                *((OutboxStep(sent, "sent"),) if sent else ()),
            )
        case Confirmed():
            return (OutboxStep(record.crossing, "confirmed"),)
        case Returned():
            return (OutboxStep(record.crossing, "returned"),)
        case _:
            return ()
