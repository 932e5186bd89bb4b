"""A record of newcomers that says more than it may is refused before any chain is asked."""

import pytest

from gridpact.errors import Reverted
from gridpact.ledger.coherence import require_coherent
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.model.door import Warrant
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import Participant, Role
from gridpact.model.record import Emptied, Heir, Inheritance, Rotation

ANN, BOB, OLD = (bytes([n]) * 20 for n in (1, 2, 3))
TWO = (Warrant(), Warrant())


def newcomer(address: bytes) -> Participant:
    return Participant("", address, 1, Role.CONSUMER, b"c" * 32, b"m" * 32)


def rotation(*people: bytes, shares: tuple[Inheritance, ...] = ()) -> Rotation:
    return Rotation(tuple(map(newcomer, people)), 5, TWO, shares)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (rotation(BOB, ANN), "newcomers are not in the order"),
        (rotation(ANN, ANN), "newcomers are not in the order"),
        (rotation(ANN), "one warrant for each newcomer"),
        (
            rotation(ANN, BOB, shares=(Inheritance((OLD,), (Heir(OLD, 1),)),)),
            "an heir is no newcomer",
        ),
        (
            rotation(ANN, BOB, shares=(Inheritance((OLD,), (Heir(BOB, 1), Heir(ANN, 1))),)),
            "heirs are not in the order",
        ),
        (Emptied((BOB, ANN)), "addresses that were emptied are not in the order"),
    ],
)
def test_record_that_says_too_much_is_refused(record: Rotation | Emptied, problem: str) -> None:
    with pytest.raises(Reverted, match=problem):
        require_coherent("north", record)


def test_ledger_in_memory_makes_no_reputation() -> None:
    """The prior of the one who leaves is half; nothing beyond it can be dealt out."""
    ledger, key = MemoryLedger("north"), Key(b"n" * 32, 2, Phase.FOUND)
    greedy = Inheritance((OLD,), (Heir(ANN, 400_000), Heir(BOB, 100_001)))
    with pytest.raises(Reverted, match="more than was left"):
        ledger.write(key, rotation(ANN, BOB, shares=(greedy,)))
    fair = Inheritance((OLD,), (Heir(ANN, 400_000), Heir(BOB, 100_000)))
    ledger.write(key, rotation(ANN, BOB, shares=(fair,)))
    assert [ledger.score(who) for who in (ANN, BOB, OLD)] == [400_000, 100_000, 0]
    assert ledger.account(ANN).free == 5
