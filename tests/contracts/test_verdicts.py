"""Verdicts: what sensors said stands, before the meters are read, and what they hold is kept."""

from tests.contracts.harness import ANN, World, decoded, refused
from tests.contracts.holds import LOG, ROOT, judge
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.model.interval import Phase
from gridpact.model.watch import Hold

FILL, OTHER = keccak(b"a fill"), keccak(b"another")


def test_what_sensors_hold_stands_before_the_meters_are_read(world: World) -> None:
    hold = Hold(FILL, 250, 600, "thunderstorm", "station roof")
    held, judged = judge(world, hold)
    assert held.name == "Held"
    assert (held.values["fill"], held.values["energy"], held.values["since"]) == (FILL, 250, 600)
    assert held.values["reason"] == keccak(b"thunderstorm station roof")
    assert (judged.values["until"], judged.values["root"]) == (900, ROOT)
    assert (judged.values["rows"], judged.values["measured"]) == (3, LOG)
    assert world.view(Contract.SETTLEMENT, "held", FILL) == 250


def test_a_hold_that_cannot_be_is_refused(world: World) -> None:
    hold = Hold(FILL, 250, 600, "stale", "station roof")
    with refused("settlement: nothing held"):
        judge(world, Hold(FILL, 0, 600, "stale", "station roof"))
    judge(world, hold)
    with refused("settlement: held otherwise"):
        judge(world, Hold(FILL, 251, 600, "stale", "station roof"))
    world.deliver()
    with refused("verdicts: the meters have spoken"):
        judge(world, Hold(OTHER, 250, 600, "stale", "station roof"))


def test_only_the_operator_says_what_sensors_said_and_once(world: World) -> None:
    given = decoded(world.write(Phase.DELIVER)), 900, ROOT, 3, LOG, []
    with refused("verdicts: not the operator"):
        world.send(Contract.VERDICTS, "judge", *given, sender=ANN)
    assert len(world.send(Contract.VERDICTS, "judge", *given)) == 1
    assert world.send(Contract.VERDICTS, "judge", *given) == []
