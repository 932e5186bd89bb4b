"""The gas page: each figure is held to its goal, and a goal that nobody measures is told."""

from bench.gas import GOALS, rows


def test_each_figure_is_held_to_the_goal_of_its_whole_name() -> None:
    found = {
        "post a bid, own call": 60_001,
        "match and lock": 84_000,
        "match and lock, signed orders": 100_000,
        "something else": 5,
        "net 80 accounts, 1000 trades: post + finalise per account": 10_500,
        "net 80 accounts, 1000 trades: commit + post + finalise per account": 15_000,
    }
    told = {row.what: row for row in rows(found)}
    assert [told[name].holds for name in found] == [False, True, True, None, True, True]
    assert told["match and lock"].goal == "<= 85,000"


def test_a_goal_without_a_figure_is_not_met() -> None:
    told = list(rows({}))
    assert len(told) == len(GOALS)
    assert all(row.holds is False and row.what.startswith("not measured") for row in told)


def test_settlement_is_flat_only_within_its_band() -> None:
    for most, holds in ((1_105, True), (1_106, False)):
        found = {
            "settle, 100 fills, book of 10, per trade": 1_000,
            "settle, 100 fills, book of 10000, per trade": most,
        }
        assert list(rows(found))[-1].holds is holds
