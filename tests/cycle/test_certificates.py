"""Who lost its certificate may not order from the next interval on, and is metered as before."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.cycle.conftest import quietly, shortened
from tests.unit.scenario.texts import SMALL, write

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers, memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.cycle.cycle import run
from gridpact.cycle.result import IntervalResult
from gridpact.identity.certificate import Certificate
from gridpact.model.order import Code
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import IdentitySettings, LostCertificate, Scenario

LOST = """
[[identity.revoked]]
participant = "ann"
interval = 1
[[identity.expired]]
participant = "bob"
interval = 0
[[identity.revoked]]
participant = "meadow"
interval = 0
"""


@pytest.fixture(name="lossy", scope="module")
def _lossy(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load(write(tmp_path_factory.mktemp("lossy"), SMALL + LOST))


@pytest.fixture(name="ended", scope="module")
def _ended(lossy: Scenario) -> DayResult:
    return run_day(lossy, memory_ledgers(lossy), quietly)


def _ordered(day: DayResult, name: str) -> list[bool]:
    """Return in which intervals orders of a participant are in the book."""
    [who] = [address for address, known in day.names.items() if known == name]
    return [
        any(one.order.participant == who for one in (*row.book.orders, *row.plant_book.orders))
        for row in day.intervals
    ]


def _refused(day: DayResult, name: str) -> list[set[str]]:
    """Return in which intervals orders of a participant were refused for its certificate."""
    [who] = [address for address, known in day.names.items() if known == name]

    def details(row: IntervalResult) -> set[str]:
        books = (*row.book.refusals, *row.plant_book.refusals)
        return {
            one.detail.split(": ")[1][:7]
            for one in books
            if one.participant == who and one.code is Code.CERTIFICATE
        }

    return [details(row) for row in day.intervals]


@pytest.fixture(name="honest", scope="module")
def _honest(lossy: Scenario) -> DayResult:
    """The same day on which nobody loses a certificate."""
    plain = replace(lossy, identity=IdentitySettings())
    return run_day(plain, memory_ledgers(plain), quietly)


@pytest.mark.parametrize(
    ("name", "last", "why"),
    [("ann", 1, "revoked"), ("bob", 0, "expired")],
)
def test_orders_are_refused_from_the_next_interval_on(
    name: str, last: int, why: str, ended: DayResult, honest: DayResult
) -> None:
    before, ordered, refused = _ordered(honest, name), _ordered(ended, name), _refused(ended, name)
    assert ordered[: last + 1] == before[: last + 1]
    assert any(before[last + 1 :])
    for wanted, taken, found in zip(
        *(each[last + 1 :] for each in (before, ordered, refused)), strict=True
    ):
        assert (taken, found) == (False, {why} if wanted else set())
    assert not any(refused[: last + 1])


def test_plants_lose_their_certificates_as_participants_do(lossy: Scenario) -> None:
    market = assemble(lossy, memory_ledgers(lossy)).market
    [meadow] = market.plants
    assert meadow not in market.certificates.barred(0)
    assert "revoked" in market.certificates.barred(1)[meadow]


def test_meters_are_read_and_bills_written_as_before(ended: DayResult) -> None:
    last = ended.intervals[-1]
    for name in ("ann", "bob"):
        [who] = [address for address, known in ended.names.items() if known == name]
        assert any(bill.participant == who for bill in last.settlement.bills)


def test_registry_holds_the_fingerprints_of_certificates_that_count(scenario: Scenario) -> None:
    parts = assemble(shortened(scenario, 1), memory_ledgers(scenario))
    issued: dict[bytes, Certificate] = parts.market.certificates._issued
    market = parts.market
    everybody = (*market.participants, *market.zonal_participants, *market.council.participants)
    assert len(everybody) == len(issued)
    for one in everybody:
        claims = issued[one.address].claims
        assert one.certificate == issued[one.address].fingerprint
        assert (one.meter, one.roles) == (claims.meter, claims.roles)
        assert claims.region in (market.region.id, market.zone)


def test_same_seed_issues_the_same_certificates(lossy: Scenario, ended: DayResult) -> None:
    again = run_day(lossy, memory_ledgers(lossy), quietly)
    assert [row.book for row in again.intervals] == [row.book for row in ended.intervals]


def test_ledger_with_refusals_resumes_and_is_audited(
    lossy: Scenario, ended: DayResult, tmp_path: Path
) -> None:
    file = tmp_path / "ledger.db"
    ledgers = embedded_ledgers(lossy, file)
    cut = [result.book for result in run(assemble(lossy, ledgers).market, 3)]
    ledgers.close()
    ledgers = embedded_ledgers(lossy, file)
    whole = run_day(lossy, ledgers, quietly)
    ledgers.close()
    assert [row.book for row in whole.intervals][:3] == cut
    assert [_refused(whole, "bob"), _ordered(whole, "ann")] == [
        _refused(ended, "bob"),
        _ordered(ended, "ann"),
    ]
    heads = {chain.name: chain.head.hash for chain in whole.chains}
    assert audit_ledger(file, heads)


def test_market_without_certificates_asks_for_none(lossy: Scenario) -> None:
    plain = replace(lossy, identity=IdentitySettings(certificates=False))
    day = run_day(plain, memory_ledgers(plain), quietly)
    assert all(_ordered(day, "bob"))


def test_studies_without_signatures_have_no_certificates(lossy: Scenario) -> None:
    row = LostCertificate("bob", 0, True)
    studied = replace(lossy, identity=IdentitySettings(lost=(row,)))
    day = run_day(studied, memory_ledgers(studied), quietly, signed=False)
    assert all(_ordered(day, "bob"))
