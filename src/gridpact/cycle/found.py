"""How a chain begins: who takes part, what they bring, and the rules' numbers, written once."""

from collections.abc import Mapping, Sequence

from gridpact.crypto.keccak import keccak
from gridpact.cycle.council import NOBODY, Seats
from gridpact.cycle.market import UNSIGNED, Door, Rules
from gridpact.cycle.phase import once
from gridpact.errors import OtherScenario
from gridpact.ledger.ledger import Ledger
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import Participant
from gridpact.model.record import Deposit, Found, Security, Timing
from gridpact.model.watch import WatchTerms
from gridpact.quantities import Money

UNWATCHED = WatchTerms()


def found(
    ledger: Ledger,
    region: bytes,
    participants: Sequence[Participant],
    money: Mapping[bytes, Money],
    rules: Rules,
    scenario: bytes = b"",
    substation: bytes = b"",
    timing: Timing | None = None,
    door: Door = UNSIGNED,
    collector: bytes = b"",
    council: Seats = NOBODY,
    watch: WatchTerms = UNWATCHED,
    securities: tuple[Security, ...] = (),
    period: int = 0,
) -> Found:
    """Write a chain's first record, or read it when the chain has begun.

    Parameters
    ----------
    region
        Identifier of the region or zone whose chain this is.
    money
        What enters at the door, per account; an account without an entry starts empty.
    scenario
        Digest of what the run is started from, contracts included.
    substation
        The meter towards the grid above; a zone has none.
    timing, door
        When intervals lie, and who lets the money in.
    collector
        Who signs the receipts of accepted orders.
    council
        Whose quorum stands behind every settlement; it is in office from the first interval on.
    watch
        Which sensors hold trades.
    securities
        The deposits that participants put down, each by its signed word.
    period
        After how many intervals households stand under other addresses; 0 for never.

    Raises
    ------
    OtherScenario
        The chain was founded by something else.
    """

    def deposit(account: bytes, amount: Money) -> Deposit:
        reference = keccak(b"founding" + region + account)
        warrant = door.warrant(ledger, account, amount, reference, 0)
        return Deposit(account, amount, reference, warrant)

    record = Found(
        chain=ledger.name,
        region=region,
        participants=(*participants, *council.participants),
        deposits=tuple(deposit(account, amount) for account, amount in money.items() if amount),
        settlement=rules.settlement,
        rating=rules.rating,
        incentive=rules.incentive,
        scenario=scenario,
        substation=substation,
        timing=timing or Timing(),
        door=door.terms,
        collector=collector,
        net=council.terms,
        council=council.founding(ledger.domain),
        market=rules.market,
        watch=watch,
        review=rules.review,
        securities=securities,
        period=period,
    )
    written = once(ledger, Key(region, 0, Phase.FOUND), Found, lambda: record)
    if written != record:
        raise OtherScenario(
            f"chain {ledger.name} was founded by another scenario, other values of this one or "
            "another version of the contracts: choose another output folder"
        )
    return written
