"""The council in a day: every settlement has its word, and it signs no other than what is true."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as with_
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.cycle.conftest import quietly, shortened

from gridpact.assembly.day import Stopwatch, run_parts
from gridpact.assembly.ledgers import Ledgers, audit_ledger, embedded_ledgers, memory_ledgers
from gridpact.assembly.parts import Assembled, assemble
from gridpact.crypto.keys import expanded
from gridpact.crypto.recovery import recover
from gridpact.cycle.council import Seats
from gridpact.errors import NoQuorum, Reverted
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.attest import batches_digest
from gridpact.model.council import Word
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import Named
from gridpact.model.record import Meters, Settlement
from gridpact.scenario.scenario import Scenario

HOURS = 10


@dataclass(frozen=True)
class Bent(Seats):
    """A market that changes a settlement before it asks for the council's word."""

    bend: Callable[[Settlement], Settlement] = lambda settlement: settlement

    def behind(self, ledger: Ledger, key: Key, settlement: Settlement) -> Settlement:
        return super().behind(ledger, key, self.bend(settlement))


def run(parts: Assembled, ledgers: Ledgers) -> None:
    run_parts(parts, ledgers, Stopwatch(quietly))


def bent(parts: Assembled, bend: Callable[[Settlement], Settlement]) -> Assembled:
    seats = parts.market.council
    council = Bent(seats.aggregators, seats.terms, seats.signed, bend=bend)
    return with_(parts, market=with_(parts.market, council=council))


@pytest.fixture(scope="module")
def ran(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> tuple[Assembled, Path]:
    short = shortened(scenario, HOURS)
    path = tmp_path_factory.mktemp("council") / "ledger.db"
    ledgers = embedded_ledgers(short, path)
    parts = assemble(short, ledgers)
    run(parts, ledgers)
    yield parts, path
    ledgers.close()


def test_every_settlement_of_both_chains_has_three_of_four_signatures(
    ran: tuple[Assembled, Path],
) -> None:
    market = ran[0].market
    members = market.council.members
    assert len(members) == 4
    for ledger, region in ((market.local, market.region.id), (market.zonal, market.zone)):
        for interval in range(HOURS):
            key = Key(region, interval, Phase.SETTLE)
            settlement = ledger.read(key, Settlement)
            assert settlement is not None
            digest = batches_digest(ledger.domain, key, 0, settlement)
            signers = [recover(digest, expanded(one)) for one in settlement.word.signatures]
            assert len(signers) == 3
            assert set(signers) <= set(members)


def test_bonds_are_pledged_on_both_chains_and_the_audit_agrees(
    ran: tuple[Assembled, Path],
) -> None:
    parts, path = ran
    for ledger in (parts.market.local, parts.market.zonal):
        for account in (*parts.market.council.members, Named.OPERATOR.address):
            assert ledger.account(account).locked == parts.scenario.council.bond
    assert len(audit_ledger(path, {}).chains) == 2


def test_memory_twin_holds_the_same_bonds(scenario: Scenario, ran: tuple[Assembled, Path]) -> None:
    short = shortened(scenario, HOURS)
    ledgers = memory_ledgers(short)
    run(assemble(short, ledgers, signed=False), ledgers)
    market = ran[0].market
    for here, chain in ((ledgers.local, market.local), (ledgers.zonal, market.zonal)):
        for account in (*market.council.members, Named.OPERATOR.address):
            assert here.account(account) == chain.account(account)


# what aggregators refuse


def more_sent(settlement: Settlement) -> Settlement:
    """Let the first seller that delivered short have sent all of it."""
    made = [
        replace(one, sent=one.agreed, received=one.received + one.agreed - one.sent)
        for one in settlement.deliveries
    ]
    return replace(settlement, deliveries=tuple(made))


def paid_more(settlement: Settlement) -> Settlement:
    said = [replace(one, paid=one.paid + 1, refund=one.refund - 1) for one in settlement.statements]
    return replace(settlement, statements=tuple(said))


def billed_more(settlement: Settlement) -> Settlement:
    rows = [replace(one, bought_wh=one.bought_wh + 1000) for one in settlement.bills]
    return replace(settlement, bills=tuple(rows))


def lost_more(settlement: Settlement) -> Settlement:
    return replace(settlement, network_loss_wh=settlement.network_loss_wh + 1)


@pytest.mark.parametrize(
    ("bend", "field"),
    [
        (more_sent, "deliveries"),
        (paid_more, "statements"),
        (billed_more, "bills"),
        (lost_more, "network_loss_wh"),
    ],
)
def test_aggregators_refuse_what_the_signed_readings_do_not_give(
    scenario: Scenario, bend: Callable[[Settlement], Settlement], field: str
) -> None:
    short = shortened(scenario, HOURS)
    ledgers = memory_ledgers(short)
    parts = bent(assemble(short, ledgers), bend)
    with pytest.raises(NoQuorum, match=f"0 aggregators signed, 3 are needed.*{field}") as refusal:
        run(parts, ledgers)
    assert len(refusal.value.refusals) == 4


def test_aggregators_refuse_a_reading_that_its_meter_did_not_sign(scenario: Scenario) -> None:
    """The operator writes another number under a meter's signature; the market itself trusts it."""
    short = shortened(scenario, 1)
    ledgers = memory_ledgers(short)
    parts = assemble(short, ledgers)
    trusting = with_(parts, market=with_(parts.market, check=lambda *_: True))
    deliver = parts.field.deliver

    def forged(*given):  # type: ignore[no-untyped-def]
        said = deliver(*given)
        first = said.local[0]
        reading = replace(first.reading, import_wh=first.reading.import_wh + 5_000)
        return with_(said, local=(replace(first, reading=reading), *said.local[1:]))

    parts.field.deliver = forged  # type: ignore[method-assign]
    with pytest.raises(NoQuorum, match="not what its meter signed"):
        run(trusting, ledgers)


def test_aggregators_refuse_a_balance_that_does_not_follow(scenario: Scenario) -> None:
    """The operator posts a higher loss of the region than the readings give."""
    short = shortened(scenario, 1)
    ledgers = memory_ledgers(short)
    parts = assemble(short, ledgers)
    write = ledgers.local.write

    def padded(key, record):  # type: ignore[no-untyped-def]
        if isinstance(record, Meters):
            record = replace(record, loss_wh=record.loss_wh + 9, weighed_wh=record.weighed_wh + 9)
        return write(key, record)

    ledgers.local.write = padded  # type: ignore[method-assign]
    with pytest.raises(NoQuorum, match="another balance than its readings give"):
        run(parts, ledgers)


def test_settlement_without_the_word_is_refused_by_the_chain(
    scenario: Scenario, tmp_path: Path
) -> None:
    """The operator leaves the council out: the contract, not only our own code, says no."""

    class Silent(Seats):
        def behind(self, _ledger: Ledger, _key: Key, settlement: Settlement) -> Settlement:
            return settlement

    short = shortened(scenario, 1)
    ledgers = embedded_ledgers(short, tmp_path / "ledger.db")
    parts = assemble(short, ledgers)
    seats = parts.market.council
    silent = Silent(seats.aggregators, seats.terms)
    with pytest.raises(Reverted, match="attested: not the council's word"):
        run(with_(parts, market=with_(parts.market, council=silent)), ledgers)
    ledgers.close()


def test_one_aggregator_that_refuses_does_not_stop_the_others(
    scenario: Scenario, tmp_path: Path
) -> None:
    """Three of four are a quorum, whichever they are."""
    short = shortened(scenario, 1)
    ledgers = embedded_ledgers(short, tmp_path / "ledger.db")
    parts = assemble(short, ledgers)
    first = min(parts.market.council.aggregators, key=lambda one: one.participant.address)
    key = Key(parts.market.zone, 0, Phase.SETTLE)
    first._signed[key] = b"something else"  # type: ignore[attr-defined]
    run(parts, ledgers)
    settlement = parts.market.zonal.read(key, Settlement)
    assert settlement is not None
    assert len(settlement.word.signatures) == 3
    ledgers.close()


def test_scenario_without_a_council_settles_by_its_operator(
    scenario: Scenario, tmp_path: Path
) -> None:
    short = shortened(scenario, 1)
    alone = with_(short, council=with_(short.council, members=0))
    ledgers = embedded_ledgers(alone, tmp_path / "ledger.db")
    parts = assemble(alone, ledgers)
    run(parts, ledgers)
    settlement = parts.market.local.read(Key(parts.market.region.id, 0, Phase.SETTLE), Settlement)
    assert settlement is not None
    assert settlement.word == Word()
    ledgers.close()
