"""Kill -9 under load, a few times; the whole campaign is `python -m bench kills`."""

from pathlib import Path

from bench.kills import judged, kills


def test_what_was_acknowledged_survives_being_killed(tmp_path: Path) -> None:
    found = list(kills(tmp_path, 4, seed=11))
    assert [one.broken for one in found] == [""] * 4
    assert sum(one.lost for one in found) == 0
    assert max(one.acknowledged for one in found) > 20


def test_an_acknowledgement_of_what_is_not_there_would_be_noticed(tmp_path: Path) -> None:
    for _ in kills(tmp_path, 1, seed=12):
        pass
    path = tmp_path / "0" / "ledger.db"
    with path.with_suffix(".acknowledged").open("a") as notes:
        notes.write("block 1000000 00 1\n")
    assert judged(path).lost == 1
