"""One purchase by voucher, message by message, on a durable chain of its own.

`python examples/purchase.py FOLDER` writes a new FOLDER/purchase.db, and FOLDER/desk.db with what
the operator's desk remembers: Ann buys 3 kWh of Sue, who is believed for 20 kWh that she delivered
before. Look at it with
`gridpact ledger show FOLDER/purchase.db TRANSACTION`.
"""

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key
from gridpact.cycle.purchase.buyer import BuyerDesk
from gridpact.cycle.purchase.operator import OperatorDesk
from gridpact.cycle.purchase.records import DeskRecords
from gridpact.cycle.purchase.seller import SellerDesk
from gridpact.cycle.purchase.store import DeskStore, open_desk
from gridpact.cycle.purchase.terms import PurchaseTerms
from gridpact.identity.authority import found
from gridpact.identity.certificate import Certificate, Claims
from gridpact.identity.check import Checker
from gridpact.identity.commitment import commitment
from gridpact.identity.inbox import Inbox
from gridpact.identity.messages import Body, Message, encode, sealed
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import Store, open_store
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.ledger.onchain.purchases import Purchases
from gridpact.model.delivery import Metered
from gridpact.model.door import DoorTerms, deposit_digest, warrant
from gridpact.model.interval import Key as Place
from gridpact.model.interval import Phase
from gridpact.model.participant import Participant, Role
from gridpact.model.purchase import PurchaseRecord
from gridpact.model.rating import FeedbackTerms
from gridpact.model.record import Deposit, Found, IncentiveTerms, Timing
from gridpact.model.statement import SettlementTerms

REGION, CHAIN, NOW, HOUR = name_hash("north"), 20_261_122, 1_780_272_000, 3_600
ANN, SUE, OPERATOR, RUNNER, KEEPER = (
    Key.derive(b"example", name) for name in ("ann", "sue", "operator", "runner", "keeper")
)
NAMES = {ANN.address: "Ann", SUE.address: "Sue", OPERATOR.address: "operator"}
RICH, VOLUME, PRICE, CHARGE, CAP, DUE = 20_000_000, 3_000, 200_000, 40_000, 250_000, 1


def begin(chain: EmbeddedChain, certificates: Iterable[Certificate]) -> MarketLedger:
    """Found the market: Ann and Sue take part, Ann's money enters at the door."""
    ledger = MarketLedger(chain, REGION)
    people = tuple(
        Participant("", one.address, 1, one.claims.roles, one.fingerprint, one.claims.meter)
        for one in certificates
    )
    reference = keccak(b"ann's money")
    digest = deposit_digest(ledger.currency, ANN.address, RICH, reference, 0)
    money = (Deposit(ANN.address, RICH, reference, warrant(digest, 0, [KEEPER.sign])),)
    terms = (SettlementTerms(), FeedbackTerms(), IncentiveTerms())
    door, timing = DoorTerms((KEEPER.address,)), Timing(NOW, HOUR)
    record = Found("local", REGION, people, money, *terms, door=door, timing=timing)
    ledger.write(Place(REGION, 0, Phase.FOUND), record)
    return ledger


def main(store: Store, desk: DeskStore) -> None:
    clock = [NOW]
    chain = EmbeddedChain(store, "local", CHAIN, OPERATOR, lambda _: clock[0], now=lambda: clock[0])
    root = found("operator of north", keccak(b"secret"), 1, NOW - HOUR, NOW + 1_000 * HOUR)
    checker = Checker(root.root, root.revocations(1, NOW, NOW + 24 * HOUR, ()))
    certificates = {}
    for serial, (key, role) in enumerate(((ANN, Role.CONSUMER), (SUE, Role.PRODUCER)), 2):
        salt = keccak(b"salt" + key.address)
        claims = Claims(
            key.public,
            commitment("identity", NAMES[key.address], salt),
            commitment("meter", "1 KWH 00 123", salt),
            key.address,
            REGION,
            role,
            NOW,
            NOW + 24 * HOUR,
        )
        certificates[key] = root.issue(claims, serial)
    domain, records = begin(chain, certificates.values()).domain, DeskRecords(desk)
    ledger = Purchases(chain, RUNNER, records)
    inboxes = {
        key: Inbox(key.address, REGION, OPERATOR.address, domain, checker, ledger.certificate)
        for key in (OPERATOR, *certificates)
    }
    numbers = iter(range(1, 100))

    def say(sender: Key, receiver: Key, body: Body) -> Message:
        """Send a body and return the message as the receiver's inbox let it through."""
        own = certificates[sender].der if sender in certificates else b""  # the operator has none
        message = sealed(sender, own, receiver.address, next(numbers), clock[0], body, domain)
        wire = encode(message)
        names = NAMES[sender.address], NAMES[receiver.address]
        print(f"{names[0]:>8} -> {names[1]:8} {type(body).__name__:9} {len(wire):5} bytes")
        return inboxes[receiver].opened(wire, clock[0])

    terms = PurchaseTerms(REGION, Timing(NOW, HOUR), {SUE.address: 4_000, ANN.address: 4_000}, CAP)
    operator = OperatorDesk(
        *(OPERATOR, terms, ledger, inboxes[OPERATOR], records),
        charge=lambda _buyer, _seller, _interval: CHARGE,
    )
    standings = operator.standings
    standings.rate(SUE.address, 0, 20_000, 0)
    sue = SellerDesk(OPERATOR.address, Purchases(chain, SUE))
    ann = BuyerDesk(
        REGION,
        OPERATOR.address,
        Purchases(chain, ANN),
        lambda number: Key.derive(b"ann's wallets", str(number)),
        PurchaseRecord(ANN.address),
    )

    credit = standings.credit(SUE.address, 0)
    operator.requests.sell(say(SUE, OPERATOR, sue.offer(DUE, VOLUME, PRICE, credit)), clock[0])
    asked = say(ANN, OPERATOR, ann.ask(DUE, VOLUME, CAP, 0))
    ann.asked(asked)
    choice = ann.choose(say(OPERATOR, ANN, operator.requests.buy(asked, clock[0])))
    assert choice is not None
    certified = operator.requests.choose(say(ANN, OPERATOR, choice), clock[0])
    _, payment = ann.pay(say(OPERATOR, ANN, certified))
    voucher = sue.accept(say(ANN, SUE, payment))
    clock[0] += DUE * HOUR  # the interval of delivery
    bill = say(SUE, OPERATOR, sue.bill(voucher.purchase, VOLUME))
    operator.bills.bill(bill, clock[0])
    word = say(ANN, OPERATOR, ann.confirm(voucher.purchase, VOLUME))
    settled = operator.settling.confirm(word, clock[0])
    say(OPERATOR, SUE, settled)
    ann.renew(say(OPERATOR, ANN, operator.settling.renewed(ANN.address)))
    meters = (Metered(ANN.address, VOLUME, 0), Metered(SUE.address, 0, VOLUME))
    operator.settling.rate(DUE, {meter.participant: meter for meter in meters})
    print(f"paid {ledger.free(SUE.address) / 1e6:.2f} by transaction 0x{settled.transaction.hex()}")
    print(f"the network has its charge of {settled.charge / 1e6:.2f}")
    print(f"Ann is believed {standings.credit(ANN.address, DUE) / 1e4:.2f} %, her record: "
          f"{ann.record.timely} paid in time, {ann.record.late} late")  # fmt: skip


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with (
        open_store(folder / "purchase.db") as opened,
        closing(open_desk(folder / "desk.db")) as desk,
    ):
        main(opened, desk)
