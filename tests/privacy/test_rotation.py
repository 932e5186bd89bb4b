"""Pseudonyms that change within a run: who has a copy of the real ledger file links nobody.

18 households at six buses over two periods of three intervals, hidden among three; all readings,
orders, bills and records are in the copy. What a habit gives away is measured in
`bench/linking.py`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.cycle.conftest import quietly
from tests.privacy.adversary import Guess, Seen, by_amounts, by_turn, by_words, hits
from tests.privacy.street import ROTATING, profiles, street
from tests.unit.scenario.texts import SMALL, write

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import Ledgers, audit_ledger, embedded_ledgers, memory_ledgers
from gridpact.cycle.rotation import EMPTIED
from gridpact.errors import ScenarioError
from gridpact.ledger.evm.transactions import decode
from gridpact.ledger.files.store import open_to_read
from gridpact.ledger.ledger import Head
from gridpact.model.interval import Key, Phase
from gridpact.model.record import (
    Emptied,
    Found,
    Meters,
    Rating,
    Record,
    Rotation,
    decode_any,
)
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario

PERIOD, AMONG = 3, 3


@dataclass
class Copy:
    """A ledger file of the region's chain, and what only the operator knows: who is who."""

    day: DayResult
    file: Path
    transactions: list[Seen]
    records: dict[Key, Record]

    @property
    def found(self) -> Found:
        return next(one for one in self.records.values() if isinstance(one, Found))

    @property
    def rotation(self) -> Rotation:
        return next(one for one in self.records.values() if isinstance(one, Rotation))

    @property
    def old(self) -> list[bytes]:
        return [one.address for one in self.found.participants if one.is_metered]

    @property
    def new(self) -> list[bytes]:
        return [one.address for one in self.rotation.participants]

    @property
    def truth(self) -> dict[bytes, bytes]:
        heirs = {self.day.names[who]: who for who in self.new}
        return {who: heirs[self.day.names[who]] for who in self.old}

    def of(self, kind: type[Any]) -> Iterator[Any]:
        return (one for one in self.records.values() if isinstance(one, kind))


def copied(day: DayResult, file: Path) -> Copy:
    """Read a ledger file as a stranger does."""
    transactions, records = [], {}
    with open_to_read(file) as store:
        chain = next(row for row in store.chains() if row.name == day.scenario.region)
        for block in store.blocks(chain.id):
            for raw, done in zip(block.raws, block.outcomes, strict=True):
                sent = decode(raw)
                transactions.append(Seen(b"", sent.data, done.logs))
            head = block.header
            if head.phase != Phase.PUBLIC:
                key = Key(head.region, head.interval, Phase(head.phase), head.part)
                records[key] = decode_any(block.bodies[0].content)
    return Copy(day, file, transactions, records)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    text = street() + ROTATING.format(PERIOD)
    return load(write(tmp_path_factory.mktemp("street"), text, profiles()))


@pytest.fixture(scope="module")
def copy(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    file = tmp_path_factory.mktemp("copy") / "ledger.db"
    ledgers = embedded_ledgers(scenario, file)
    day = run_day(scenario, ledgers, quietly)
    ledgers.close()
    return copied(day, file)


def test_everybody_goes_on_under_another_address(copy: Copy) -> None:
    assert len(copy.new) == len(copy.old) == 18
    assert not {*copy.old} & {*copy.new}
    heard = [{one.reading.meter for one in said.readings} for said in copy.of(Meters)]
    assert all({*copy.old} < meters and not {*copy.new} & meters for meters in heard[:PERIOD])
    assert all({*copy.new} < meters and not {*copy.old} & meters for meters in heard[PERIOD:])


def test_audit_confirms_the_whole_run(copy: Copy) -> None:
    assert audit_ledger(copy.file, {one.name: one.head.hash for one in copy.day.chains}).confirmed


def test_old_addresses_are_empty_and_money_adds_up(copy: Copy, scenario: Scenario) -> None:
    (emptied,) = copy.of(Emptied)
    assert sorted(copy.old) == list(emptied.accounts)
    local = copy.day.chains[0]
    assert all(local.accounts[who].free == 0 for who in copy.old)
    assert local.totals.holds
    entering = copy.rotation.entering
    assert entering == scenario.funds.participant
    assert local.totals.minted >= 2 * 18 * entering
    assert local.totals.burned > 0


def test_trade_goes_on_and_pays_the_new_addresses(copy: Copy) -> None:
    later = [fill for row in copy.day.intervals[PERIOD:] for fill in row.cleared.fills]
    assert later
    assert {fill.buyer for fill in later} <= {*copy.new}


# the adversary


def test_old_and_new_share_no_word_and_no_sum(copy: Copy) -> None:
    for attack in (by_words, by_amounts):
        guess: Guess = attack(copy.transactions, copy.old, copy.new)
        assert hits(guess, copy.truth) == 0, attack.__name__


def test_turn_tells_no_more_than_chance(copy: Copy) -> None:
    """One right guess is what chance gives; five or more it gives once in 250 times."""
    assert hits(by_turn(copy.transactions, copy.old, copy.new), copy.truth) < 5


def test_meters_begin_at_zero(copy: Copy) -> None:
    """A register that went on would link everybody by its first reading."""
    said = {
        one.reading.meter: one.reading
        for record in copy.of(Meters)
        for one in record.readings
        if one.reading.interval in (PERIOD - 1, PERIOD)
    }
    total = {who: said[who].import_wh + said[who].export_wh for who in (*copy.old, *copy.new)}
    grown = sum(total[now] > total[was] for was, now in copy.truth.items())
    assert grown < len(copy.old) / 2
    careless = {
        was: min(copy.new, key=lambda now: abs(total[now] - total[was])) for was in copy.old
    }
    assert hits(careless, copy.truth) < 5


def test_place_roles_and_rating_fit_three_at_least(copy: Copy) -> None:
    """What is registered of a newcomer fits at least three of the old ones, and the other way."""
    was = {one.address: (one.bus, one.roles, one.reference_wh) for one in copy.found.participants}
    now = {
        one.address: (one.bus, one.roles, one.reference_wh) for one in copy.rotation.participants
    }
    assert all(was[old] == now[new] for old, new in copy.truth.items())
    assert min(Counter(now.values()).values()) >= AMONG
    assert len({bus for bus, _, _ in now.values()}) > 1


def test_reputation_follows_in_classes_of_three(copy: Copy) -> None:
    shares = copy.rotation.inheritances
    heirs = {heir.participant: heir.score for share in shares for heir in share.heirs}
    leaving = [who for share in shares for who in share.leaving]
    before = {row.participant: row.after for said in copy.of(Rating) for row in said.rated
              if row.participant in copy.old}  # fmt: skip
    assert before.keys() <= {*leaving}
    assert len(heirs) == len(leaving) >= AMONG
    place = {one.address: one.bus for one in copy.rotation.participants}
    alike = Counter((place[who], score) for who, score in heirs.items())
    assert min(alike.values()) >= AMONG
    prior = 500_000
    had = sum(before.get(who, prior) for who in leaving)
    assert had - len(heirs) < sum(heirs.values()) <= had


def test_no_name_stands_in_the_file(copy: Copy) -> None:
    held = copy.file.read_bytes()
    assert not any(f"home {n}".encode() in held for n in range(18))


# a run that is cut off


class PowerCut(Exception):
    """The machine is gone."""


class Cut:
    """A ledger whose machine dies before or after it writes a part of a period's beginning."""

    def __init__(self, ledger: Any, part: int, after: bool) -> None:
        self._ledger, self._part, self._after = ledger, part, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def write(self, key: Key, record: Record) -> Head:
        here = key.phase is Phase.FOUND and key.interval > 0 and key.part == self._part
        if here and not self._after:
            raise PowerCut
        head: Head = self._ledger.write(key, record)
        if here:
            raise PowerCut
        return head


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load(write(tmp_path_factory.mktemp("pair"), SMALL + ROTATING.format(2)))


def ends(scenario: Scenario, file: Path, cut: tuple[int, bool] | None = None) -> list[Head]:
    ledgers = embedded_ledgers(scenario, file)
    opened = ledgers if cut is None else replace(ledgers, local=Cut(ledgers.local, *cut))
    try:
        return [one.head for one in run_day(scenario, opened, quietly).chains]
    finally:
        ledgers.close()


@pytest.fixture(scope="module")
def undisturbed(pair: Scenario, tmp_path_factory: pytest.TempPathFactory) -> list[Head]:
    return ends(pair, tmp_path_factory.mktemp("whole") / "ledger.db")


@pytest.mark.parametrize("cut", [(0, False), (0, True), (EMPTIED, False), (EMPTIED, True)])
def test_period_that_is_cut_off_begins_once(
    pair: Scenario, undisturbed: list[Head], tmp_path: Path, cut: tuple[int, bool]
) -> None:
    """Cut after all applied, after they were let in, after the old ones paid out, after that."""
    with pytest.raises(PowerCut):
        ends(pair, tmp_path / "ledger.db", cut)
    assert ends(pair, tmp_path / "ledger.db") == undisturbed


def test_ledger_in_memory_rotates_as_well(scenario: Scenario, copy: Copy) -> None:
    """Who trades with whom it draws by other hashes; who stands where and enters is the same."""
    ledgers: Ledgers = memory_ledgers(scenario)
    day = run_day(scenario, ledgers, quietly)
    here, there = day.chains[0], copy.day.chains[0]
    assert here.accounts.keys() == there.accounts.keys()
    assert all(here.accounts[who].free == 0 for who in copy.old)
    assert here.totals.minted == there.totals.minted
    assert here.totals.holds


# what is refused


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("rotation_intervals = 2\ncertificates = false", "pseudonyms need certificates"),
        ("rotation_intervals = 0", "expected a whole number"),
        ("hidden_among = 3", "nobody hides"),
        ("period = 1\nhidden_among = 0", "expected a whole number"),
    ],
)
def test_settings_that_hide_nobody_are_refused(tmp_path: Path, lines: str, problem: str) -> None:
    with pytest.raises(ScenarioError, match=problem):
        load(write(tmp_path, f"{SMALL}[identity]\n{lines}\n"))


def test_deposits_do_not_rotate(tmp_path: Path) -> None:
    text = SMALL + "[reputation]\ndeposit_share = 0.5\n" + ROTATING.format(2)
    with pytest.raises(ScenarioError, match="deposits do not follow"):
        load(write(tmp_path, text))


def test_credibility_does_not_rotate(tmp_path: Path) -> None:
    text = SMALL.replace("seed = 7", 'seed = 7\nscheme = "credibility"') + ROTATING.format(2)
    with pytest.raises(ScenarioError, match="credibility does not follow"):
        load(write(tmp_path, text))
