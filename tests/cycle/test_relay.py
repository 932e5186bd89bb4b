"""The council's tree: trust follows what the ledger shows, and the tree follows trust."""

from dataclasses import replace

import pytest
from tests.cycle.conftest import quietly, shortened

from gridpact.assembly.day import DayResult, Stopwatch, run_parts
from gridpact.assembly.ledgers import embedded_ledgers, memory_ledgers
from gridpact.assembly.parts import Assembled, assemble
from gridpact.cycle.relay import Relays
from gridpact.errors import SettlementError
from gridpact.model.interval import Key, Phase
from gridpact.quantities import PPM
from gridpact.scenario.scenario import AggregatorSettings, Scenario

HOURS = 8


def refusing(parts: Assembled, place: int) -> Assembled:
    """Let the member at a place, by rising address, sign nothing."""
    seats = parts.market.council
    member = sorted(seats.aggregators, key=lambda one: one.participant.address)[place]

    def sign(*_: object) -> bytes:
        raise SettlementError("refuses everything")

    member.sign = sign  # type: ignore[method-assign]
    return parts


@pytest.fixture(scope="module")
def day(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> DayResult:
    """A day in which the first member never signs."""
    short = shortened(scenario, HOURS)
    ledgers = embedded_ledgers(short, tmp_path_factory.mktemp("relay") / "ledger.db")
    ran = run_parts(refusing(assemble(short, ledgers), 0), ledgers, Stopwatch(quietly))
    ledgers.close()
    return ran


def test_newcomers_are_asked_in_order_and_who_refuses_is_remembered(day: DayResult) -> None:
    first, second = day.relays[:2]
    assert first.trust == (PPM // 2,) * 4
    assert first.tree.degraded
    assert first.tree.root == 0
    assert first.signed == (False, True, True, True)
    assert second.trust == (333_333, 666_666, 666_666, 666_666)


def test_who_does_its_part_becomes_the_proposer(day: DayResult) -> None:
    last = day.relays[-1]
    assert len(day.relays) == HOURS
    assert not last.tree.degraded
    assert last.tree.root == 1
    # untrusted, it stands last and is not asked while the others sign
    assert last.tree.sequence.tolist()[-1] == 0
    assert last.signed == (None, True, True, True)
    assert last.trust[1] > 800_000 > last.trust[0]


def test_ways_are_found_again_from_the_ledger_alone(scenario: Scenario) -> None:
    """Cut off and taken up by a process that remembers nothing: the same trees, word for word."""
    short = shortened(scenario, HOURS)

    def cut_off(interval: int, phase: str) -> None:
        if (interval, phase) == (HOURS // 2, "rate"):
            raise KeyboardInterrupt

    whole, ledgers = memory_ledgers(short), memory_ledgers(short)
    expected = run_parts(refusing(assemble(short, whole), 0), whole, Stopwatch(quietly))
    with pytest.raises(KeyboardInterrupt):
        run_parts(refusing(assemble(short, ledgers), 0), ledgers, Stopwatch(cut_off))
    resumed = run_parts(refusing(assemble(short, ledgers), 0), ledgers, Stopwatch(quietly))
    assert _told(resumed) == _told(expected)
    assert [end.state_hash for end in resumed.chains] == [end.state_hash for end in expected.chains]


def _told(day: DayResult) -> list[object]:
    return [(one.interval, one.tree.sequence.tolist(), one.trust, one.signed) for one in day.relays]


def test_members_described_in_the_scenario_stand_where_it_says(scenario: Scenario) -> None:
    """The best known one proposes; who is too far from it comes after those who are near."""
    rows = (
        AggregatorSettings(1, (0.0, 0.0), 850_000),
        AggregatorSettings(3, (1.0, 0.0), 950_000),
        AggregatorSettings(1, (9.0, 0.0), 900_000),
        AggregatorSettings(1, (1.0, 2.0), 300_000),
        AggregatorSettings(1, (2.0, 0.0), 850_000),
    )
    council = replace(scenario.council, members=5, aggregators=rows, max_km=5.0)
    short = replace(shortened(scenario, 1), council=council)
    ledgers = memory_ledgers(short)
    parts = assemble(short, ledgers)
    seats = parts.market.council
    first = run_parts(parts, ledgers, Stopwatch(quietly)).relays[0]
    number = {one.participant.address: at for at, one in enumerate(seats.aggregators)}
    order = [number[seats.members[at]] for at in first.tree.sequence.tolist()]
    assert order[0] == 1
    assert set(order[1:3]) == {0, 4}
    assert order[3:] == [2, 3]
    assert first.trust[first.tree.root] == 950_000


def test_a_key_of_the_past_sees_only_what_was_before_it(scenario: Scenario) -> None:
    short = shortened(scenario, 4)
    ledgers = memory_ledgers(short)
    parts = assemble(short, ledgers)
    run_parts(parts, ledgers, Stopwatch(quietly))
    seats, relays = parts.market.council, Relays()
    region = parts.market.region.id
    for interval in (4, 2, 0):
        key = Key(region, interval, Phase.SETTLE)
        assert len(relays.past(ledgers.local, key, seats.members)) == interval


def test_studies_without_signatures_have_no_ways(scenario: Scenario) -> None:
    short = shortened(scenario, 2)
    ledgers = memory_ledgers(short)
    day = run_parts(assemble(short, ledgers, signed=False), ledgers, Stopwatch(quietly))
    assert day.relays == ()
