"""The operator's desk: what people ask of it, and what it does once they traded ([Yu23]).

`requests` certifies vouchers, `settling` brings bills and confirmations to their end; both keep
what they know in the same `records`.
"""

from dataclasses import dataclass, field

from gridpact.crypto.keys import Key
from gridpact.cycle.purchase.ports import PurchaseLedger
from gridpact.cycle.purchase.ratings import Ratings
from gridpact.cycle.purchase.records import DeskRecords
from gridpact.cycle.purchase.requests import Charge, Requests
from gridpact.cycle.purchase.settling import Settling
from gridpact.cycle.purchase.standing import Standings
from gridpact.cycle.purchase.terms import PurchaseTerms
from gridpact.identity.inbox import Inbox


@dataclass
class OperatorDesk:
    """One operator's desk; `key` signs vouchers and records, `inbox` re-reads what was enclosed.

    `charge` is the network charge of a buyer and a seller in an interval; as whether sensors hold
    a trade it is asked, never told. [micro-units per kWh]
    """

    key: Key
    terms: PurchaseTerms
    ledger: PurchaseLedger
    inbox: Inbox
    standings: Standings
    charge: Charge
    records: DeskRecords = field(default_factory=DeskRecords)

    def __post_init__(self) -> None:
        given = self.key, self.terms, self.ledger
        self.requests = Requests(*given, self.standings, self.records, self.charge)
        ratings = Ratings(self.standings)
        self.settling = Settling(*given, self.inbox, self.standings, ratings, self.records)
