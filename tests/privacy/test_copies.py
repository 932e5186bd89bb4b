"""Two ledger files of one market, of two periods: whoever has copies of both finds no name, and
nothing of a participant's in one that stands in the other; bodies of records included."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.cycle.conftest import quietly
from tests.unit.scenario.texts import SMALL, write

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers, memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.model.participant import Participant
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario

NAMES = ("Annabel Example", "Robert Exemplar", "Sunny Meadow Ltd")


@pytest.fixture(name="market", scope="module")
def _market(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    text = SMALL
    for short, name in zip(("ann", "bob", "meadow"), NAMES, strict=True):
        text = text.replace(f'"{short}"', f'"{name}"')
    lost = f'[[identity.revoked]]\nparticipant = "{NAMES[1]}"\ninterval = 1\n'
    return load(write(tmp_path_factory.mktemp("market"), text + lost))


def _run(market: Scenario, period: int | None, folder: Path) -> tuple[DayResult, bytes]:
    """Run a period and return all bytes of its ledger file."""
    scenario = replace(market, identity=replace(market.identity, period=period))
    folder.mkdir()
    file = folder / "ledger.db"
    ledgers = embedded_ledgers(scenario, file)
    day = run_day(scenario, ledgers, quietly)
    ledgers.close()
    heads = {chain.name: chain.head.hash for chain in day.chains}
    assert audit_ledger(file, heads)
    return day, b"".join(one.read_bytes() for one in folder.iterdir())


def _registered(market: Scenario, period: int) -> list[Participant]:
    scenario = replace(market, identity=replace(market.identity, period=period))
    parts = assemble(scenario, memory_ledgers(scenario))
    plants = [one for one in parts.market.zonal_participants if one.address in parts.market.plants]
    return [*parts.market.participants, *plants]


def test_copies_of_two_periods_share_nothing_of_a_participant(
    market: Scenario, tmp_path: Path
) -> None:
    first, one = _run(market, 1, tmp_path / "1")
    second, other = _run(market, 2, tmp_path / "2")
    for period, mine, others in ((1, one, other), (2, other, one)):
        known = _registered(market, period)
        assert len(known) == len(NAMES)
        for who in known:
            for word in (who.address, who.certificate, who.meter):
                assert word in mine
                assert word not in others
            assert who.name.encode() in mine
    for name in NAMES:
        assert name.encode() not in one + other
        assert name in first.names.values()
        assert name in second.names.values()


def test_without_pseudonyms_the_names_stand_in_the_file(market: Scenario, tmp_path: Path) -> None:
    _, plain = _run(market, None, tmp_path / "plain")
    assert all(name.encode() in plain for name in NAMES)


def test_pseudonyms_change_no_bill(market: Scenario, tmp_path: Path) -> None:
    """One seller, one buyer: nothing here depends on the draw among equals, which does change."""

    def sums(day: DayResult) -> dict[str, tuple[int, int]]:
        bills = [bill for row in day.intervals for bill in row.settlement.bills]
        return {
            name: (
                sum(one.purchase for one in bills if day.names[one.participant] == name),
                sum(one.sale for one in bills if day.names[one.participant] == name),
            )
            for name in NAMES[:2]
        }

    plain, _ = _run(market, None, tmp_path / "plain")
    hidden, _ = _run(market, 3, tmp_path / "hidden")
    assert sums(plain) == sums(hidden)
    assert any(purchase for purchase, _ in sums(plain).values())


def test_council_signs_whatever_order_pseudonyms_have(market: Scenario, tmp_path: Path) -> None:
    """Plants are registered in the order of their addresses, which each period is another."""
    farm = replace(market.plants[0], name="farm", bus=54)
    two = replace(market, plants=(*market.plants, farm))
    assert market.council.members > 0
    orders = set()
    for period in range(4):
        day, _ = _run(two, period, tmp_path / str(period))
        plants = [one.address for one in day.people.plants]
        orders.add(plants[0] < plants[1])
    assert orders == {True, False}
