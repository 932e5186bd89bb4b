"""The operator's desk dies, wherever it likes; another on the same file goes on as if it had not.

Money, ratings and records are those of a desk that lived.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.attacks.town import BUYERS, COST, DUE, LOCKED, PEOPLE, RICH, VOLUME, Town, device, opened

from gridpact.cycle.purchase.store import open_desk
from gridpact.errors import BadInput, Misplaced, Reverted
from gridpact.identity.messages import Message
from gridpact.ledger.chain import Receipt
from gridpact.ledger.onchain.purchases import Purchases

Course = Callable[[Town], None]


class Died(Exception):
    """The desk is no more."""


class DiesBeforeSending(Purchases):
    """The desk's ledger, whose desk dies when a transaction is signed and not sent."""

    def _submit(self, _raw: bytes, _label: str) -> Receipt:
        raise Died


class DiesAfterSending(Purchases):
    """The same, when it is sent and its effect not noted."""

    def _submit(self, raw: bytes, label: str) -> Receipt:
        super()._submit(raw, label)
        raise Died


def stands(town: Town) -> dict[str, Any]:
    """Return all that a purchase changes: money, ratings, records, what is on offer."""
    desk = town.desk
    accounts = [device(name).address for name in PEOPLE]
    records = [desk.standings.record(device(name).address) for name in BUYERS]
    return {
        "free": [desk.ledger.free(one) for one in accounts],
        "deposits": [desk.ledger.deposit(one) for one in accounts],
        "tills": town.tills(),
        "standings": [desk.standings.of(one, DUE) for one in accounts],
        "payments": [(one.timely, one.late, len(one.payments)) for one in records],
        "blacklist": desk.standings.blacklist,
        "open": dict(desk.records.purchases),
        "offers": [one.left for one in desk.records.offers.values()],
        "requests": len(desk.records.requests),
    }


def confirmed(town: Town) -> None:
    """Run a purchase that its buyer confirms, in two steps."""
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    town.confirm(voucher, 1_000)
    town.confirm(voucher)
    town.rate(ann=(VOLUME, 0), sue=(0, VOLUME))


def metered(town: Town) -> None:
    """Run a purchase of which its seller delivers a third and its buyer says nothing."""
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    word = town.sellers["sue"].correct(voucher.purchase, 1_000)
    town.answer(town.say("sue", word))
    for interval, act in (
        (DUE + 3, lambda: town.metered(voucher, sent=1_000, taken=VOLUME)),
        (DUE + 3, lambda: town.rate(ann=(VOLUME, 0), sue=(0, 1_000))),
        (DUE + 5, town.fined),
    ):
        town.go_to(interval)
        if town.dies(0):
            town.kill_desk()
        act()


def lived(place: Path, course: Course) -> dict[str, Any]:
    """Return how a course ends whose desk lives."""
    place.mkdir()
    town, store = opened(place)
    with store:
        course(town)
        found = stands(town)
        town.desk.records.store.close()
    return found


@pytest.mark.parametrize("course", [confirmed, metered])
def test_desk_dies_before_every_message(town: Town, tmp_path: Path, course: Course) -> None:
    town.dies = lambda _: True
    course(town)
    assert town.heard >= 5
    assert stands(town) == lived(tmp_path / "lived", course)


@pytest.mark.parametrize("at", range(6))
def test_desk_dies_once_between_two_messages(town: Town, at: int) -> None:
    town.dies = lambda heard: heard == at
    confirmed(town)
    assert (town.free("ann"), town.free("sue")) == (RICH - LOCKED, COST)
    assert town.desk.standings.record(device("ann").address).timely == 1
    assert town.credit("sue") > 0
    assert not town.desk.records.purchases


@pytest.mark.parametrize("ledger", [DiesBeforeSending, DiesAfterSending])
def test_desk_dies_in_the_middle_of_a_payment(town: Town, ledger: type[Purchases]) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    word = town.say("ann", town.buyers["ann"].confirm(voucher.purchase, VOLUME))
    restarted(town, ledger)
    heard = town.hear(word)
    with pytest.raises(Died):
        town.desk.hear(heard, town.now)
    restarted(town)
    # the buyer need not say it again: whatever is heard next finds the payment made
    town.sell_again("sol")
    assert (town.free("ann"), town.free("sue")) == (RICH - LOCKED, COST)
    assert town.desk.standings.record(device("ann").address).timely == 1
    town.rate(ann=(VOLUME, 0), sue=(0, VOLUME))
    assert town.credit("sue") > 0


@pytest.mark.parametrize("ledger", [DiesBeforeSending, DiesAfterSending])
def test_desk_dies_while_meters_settle_and_while_it_fines(
    town: Town, ledger: type[Purchases]
) -> None:
    sue = device("sue").address
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    town.go_to(DUE + 3)
    restarted(town, ledger)
    with pytest.raises(Died):
        town.metered(voucher, sent=1_000, taken=VOLUME)
    restarted(town)
    town.desk.settling.resume(town.now)
    town.rate(ann=(VOLUME, 0), sue=(0, 1_000))
    assert town.free("sue") == voucher.due(1_000)
    assert sue in town.desk.standings.blacklist
    town.go_to(DUE + 5)
    before = town.desk.ledger.deposit(sue)
    restarted(town, ledger)
    with pytest.raises(Died):
        town.fined()
    restarted(town)
    town.fined()
    after = town.desk.ledger.deposit(sue)
    town.fined()
    assert 0 < after < before
    assert town.desk.ledger.deposit(sue) == after


def test_refused_transaction_is_forgotten(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    with pytest.raises(Reverted, match="too early"):
        town.desk.settling.time_out(voucher.purchase, town.now)
    assert town.desk.records.pending is None
    town.kill_desk()
    assert town.desk.records.nonce == 1
    town.go_to(DUE + 5)
    town.desk.settling.time_out(voucher.purchase, town.now)
    assert town.free("ann") == RICH


def test_message_that_comes_again_after_a_crash_has_the_same_answer(town: Town) -> None:
    """A dead desk forgot what it heard: replays pass its inbox, and change nothing."""
    said: list[Message] = []
    hear = town.hear

    def noted(message: Message) -> Message:
        said.append(message)
        return hear(message)

    town.hear = noted  # type: ignore[method-assign]
    town.offer()
    town.choose()
    before = stands(town)
    assert len(said) == 3
    for message in said:
        answers = []
        for _ in range(2):
            town.kill_desk()
            heard = hear(message)
            answers.append(town.desk.hear(heard, town.now))
        assert answers[0] == answers[1] is not None
    assert stands(town) == before
    assert [one.left for one in town.desk.records.offers.values()] == [0]


def test_answers_are_forgotten_when_no_message_can_come_again(town: Town) -> None:
    town.offer()
    town.now += 1_300
    town.publish()
    town.sell_again("sue")
    assert len(town.desk.records.store.shelf("answer", object)) == 1


def test_payment_that_the_buyer_brought_itself_is_noted(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    town.buyers["ann"].confirm(voucher.purchase, VOLUME)
    paid = town.buyers["ann"].insist(voucher.purchase)
    with pytest.raises(Misplaced, match="is open"):
        town.rate(ann=(VOLUME, 0), sue=(0, VOLUME))
    settled = town.desk.settling.seen(paid, town.now)
    assert (settled.paid, settled.delivered_wh) == (COST, VOLUME)
    for nothing in (paid, bytes(32)):
        with pytest.raises(Misplaced, match="settles no open purchase"):
            town.desk.settling.seen(nothing, town.now)
    town.rate(ann=(VOLUME, 0), sue=(0, VOLUME))
    assert town.desk.standings.record(device("ann").address).timely == 1


def test_part_that_the_buyer_brought_itself_was_not_withheld(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher, 1_000)
    town.buyers["ann"].confirm(voucher.purchase, 1_000)
    town.buyers["ann"].insist(voucher.purchase)
    town.go_to(DUE + 3)
    town.metered(voucher, sent=1_000, taken=VOLUME)
    assert town.desk.standings.record(device("ann").address).late == 0


def test_what_is_written_together_stands_as_a_whole(tmp_path: Path) -> None:
    desk = open_desk(tmp_path / "desk.db")
    shelf = desk.shelf("number", int)
    shelf[b"b"], shelf[b"a"] = 2, 2**90

    def change() -> None:
        with desk.together():
            shelf[b"c"] = 3
            with desk.together():
                del shelf[b"a"]
            raise Died

    with pytest.raises(Died):
        change()
    desk.close()
    desk = open_desk(tmp_path / "desk.db")
    again = desk.shelf("number", int)
    assert dict(again) == {b"a": 2**90, b"b": 2}
    again.drop_below(b"b")
    assert (list(again), len(again)) == ([b"b"], 1)
    with pytest.raises(KeyError):
        del again[b"a"]
    desk.close()


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(b"no database, but long enough to be read as one" * 20)
    with pytest.raises(BadInput, match="is no desk's file"):
        open_desk(tmp_path / "note")
    db = sqlite3.connect(tmp_path / "other.db")
    db.execute("PRAGMA user_version = 7")
    db.close()
    with pytest.raises(BadInput, match="is version 7 of a desk's file, expected 1"):
        open_desk(tmp_path / "other.db")


def restarted(town: Town, ledger: type[Purchases] = Purchases) -> None:
    """Let the desk die, and open another, with this end of the ledger."""
    town.desk.records.store.close()
    town.begin_desk(ledger)
