"""The operator's desk: hears every message of a purchase and answers it ([Yu23]).

`requests` certifies vouchers, `bills` hears of deliveries, `settling` brings them to their end.
What they know is in the desk's file alone: a desk that died is another desk on the same file.
"""

from gridpact.crypto.keys import Key
from gridpact.cycle.purchase.bills import Bills
from gridpact.cycle.purchase.ports import PurchaseLedger
from gridpact.cycle.purchase.ratings import Ratings
from gridpact.cycle.purchase.records import DeskRecords
from gridpact.cycle.purchase.requests import Charge, Requests
from gridpact.cycle.purchase.settling import Settling
from gridpact.cycle.purchase.standing import Standings
from gridpact.cycle.purchase.terms import PurchaseTerms
from gridpact.errors import MalformedMessage
from gridpact.identity.inbox import Inbox
from gridpact.identity.messages import (
    Appeal,
    Bill,
    Body,
    Buy,
    Choose,
    Confirm,
    Correct,
    Message,
    Sell,
    Stop,
)


class OperatorDesk:
    """One operator's desk.

    Parameters
    ----------
    key
        Signs vouchers and records.
    ledger
        Acts for the desk, with `records` as its journal.
    inbox
        Re-reads what was enclosed in a message.
    charge
        The network charge of a buyer and a seller in an interval; as whether sensors hold a trade
        it is asked, never told. [micro-units per kWh]
    """

    def __init__(
        self,
        key: Key,
        terms: PurchaseTerms,
        ledger: PurchaseLedger,
        inbox: Inbox,
        records: DeskRecords,
        charge: Charge,
    ) -> None:
        self.ledger, self.records = ledger, records
        self.standings = Standings(terms, records.store)
        given = key, terms, ledger
        self.requests = Requests(*given, self.standings, records, charge)
        ratings = Ratings(self.standings, records.store)
        self.bills = Bills(key, ledger, inbox, records)
        self.settling = Settling(*given, self.standings, ratings, records)

    def hear(self, message: Message, now: int) -> Body | None:
        """Take a message that an `Inbox` let through; return the answer to send back, if any.

        The same message again, after a crash, has the same answer and changes nothing.

        Raises
        ------
        ProtocolError
            It is refused, and changed nothing.
        Reverted
            The ledger refuses what it asks for.
        """
        self.settling.resume(now)
        known = self.records.answer(message.hash, now)
        if known is not None:
            return known.body
        if isinstance(message.body, Confirm):  # acts on the ledger, so it is no one change
            answer: Body | None = self.settling.confirm(message, now)
            self.records.answered(message.hash, now, answer)
            return answer
        with self.records.together():
            answer = self._answer(message, now)
            self.records.answered(message.hash, now, answer)
        return answer

    def _answer(self, message: Message, now: int) -> Body | None:
        match message.body:
            case Sell():
                return self.requests.sell(message, now)
            case Buy():
                return self.requests.buy(message, now)
            case Choose():
                return self.requests.choose(message, now)
            case Bill():
                self.bills.bill(message, now)
            case Correct():
                self.bills.correct(message)
            case Stop():
                return self.bills.stop(message, now)
            case Appeal():
                self.settling.appeal(message, now)
                return self.requests.notice()
            case other:
                raise MalformedMessage(f"a body of kind {type(other).__name__}: not for a desk")
        return None
