"""The transactions that the ledger benchmark feeds to every chain: a market's orders, one by one.

A region of `PEOPLE` participants is founded as any market is; then in each measured
transaction a participant posts its own bid, signed by itself. The raw bytes are made before
anything is measured.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key as Device
from gridpact.ledger.chain import Call
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import pack
from gridpact.ledger.onchain.calls import Calls
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.door import DoorTerms, deposit_digest, warrant
from gridpact.model.interval import Key, Phase
from gridpact.model.order import MAX_FILLS, Accepted, Order, Side, Tier
from gridpact.model.participant import Named, Participant, Role
from gridpact.model.rating import FeedbackTerms
from gridpact.model.record import Deposit, Found, IncentiveTerms, Record
from gridpact.model.record import encode as encoded
from gridpact.model.statement import SettlementTerms

CHAIN_ID = 5_601
REGION = name_hash("region of the benchmark")
OPERATOR = Device.derive(b"benchmark", "operator")
KEEPER = Device.derive(b"benchmark", "door keeper")
PEOPLE = 64
GAS = 1_000_000
SETUP_GAS = 25_000_000
DEPOSIT = 10**12
INTERVAL = 2_000_000
"""Far enough ahead that its book is open whatever the clock of a peer says. [h since 1970]"""


class Load(NamedTuple):
    """Raw transactions: those that found the market, and those to measure."""

    before: tuple[bytes, ...]
    measured: tuple[bytes, ...]


def device(number: int) -> Device:
    return Device.derive(b"benchmark", f"participant {number}")


def founding(chain: str = "benchmark", people: int = PEOPLE, chain_id: int = CHAIN_ID) -> Found:
    """Return the first record of a region whose people have money."""
    everybody = tuple(_participant(number) for number in range(people))
    funded = [one.address for one in everybody] + [Named.REWARD.address]
    deposits = tuple(_deposit(one, chain_id) for one in funded)
    terms = (SettlementTerms(), FeedbackTerms(), IncentiveTerms())
    return Found(chain, REGION, everybody, deposits, *terms, door=DoorTerms((KEEPER.address,)))


def _deposit(account: bytes, chain_id: int) -> Deposit:
    reference, currency = keccak(b"deposit" + account), Suite(OPERATOR.address).currency(chain_id)
    digest = deposit_digest(currency, account, DEPOSIT, reference, 0)
    return Deposit(account, DEPOSIT, reference, warrant(digest, 0, [KEEPER.sign]))


def _participant(number: int) -> Participant:
    name = f"participant {number}"
    commitments = (keccak(f"certificate {name}".encode()), keccak(f"meter {name}".encode()))
    roles = Role.CONSUMER | Role.PRODUCER
    return Participant(name, device(number).address, 1, roles, *commitments)


def calls(key: Key, record: Record, books: Sequence[Accepted] = ()) -> list[Call]:
    """Return the calls of a record on the benchmark's contracts."""
    suite = Suite(OPERATOR.address)
    return Calls(suite, lambda _: books).of(key, record, keccak(encoded(record)))


def load(count: int) -> Load:
    """Return a founded market's transactions and `count` in which a participant posts an order."""
    before = calls(Key(REGION, 0, Phase.FOUND), founding())
    raws = [
        sign(OPERATOR, CHAIN_ID, n, call.to, call.data, SETUP_GAS).raw
        for n, call in enumerate(before)
    ]
    return Load(tuple(raws), tuple(_order(number) for number in range(count)))


def _order(number: int) -> bytes:
    """Return a signed transaction that posts a bid: each participant's next in its turn."""
    key, suite = device(number % PEOPLE), Suite(OPERATOR.address)
    order = Order(
        *(key.address, Side.BID, Tier.LOCAL, REGION, INTERVAL, 1_000, 200_000),
        expires=INTERVAL + 1,
        salt=number,
    )
    call = suite.call("orders", "post", packing.order(order) + pack(40_000, MAX_FILLS))
    return sign(key, CHAIN_ID, number // PEOPLE, call.to, call.data, GAS).raw
