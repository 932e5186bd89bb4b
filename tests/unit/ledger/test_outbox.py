"""A crossing is sent and then received or refused: each step once, in order, on its own chain."""

from itertools import product

import pytest
from tests.unit.ledger.box import key, open_chain

from gridpact.errors import LedgerError
from gridpact.ledger.chain import OutboxStep
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import Store
from gridpact.ledger.outbox import BEFORE
from gridpact.model.record import Crossing

CROSSING = Crossing(b"\x05" * 32, "north", "zone", 2**90)
PLACES = ("north", "zone", "north")
PATHS = (("sent", "received", "confirmed"), ("sent", "refused", "returned"))


@pytest.fixture
def chains(store: Store) -> dict[str, EmbeddedChain]:
    return {name: open_chain(store, name) for name in ("north", "zone")}


def take(chain: EmbeddedChain, state: str, crossing: Crossing = CROSSING) -> None:
    chain.execute(key(chain.head().number), b"body", [], [OutboxStep(crossing, state)])


@pytest.mark.parametrize("path", PATHS)
def test_a_crossing_takes_its_three_steps(
    store: Store, chains: dict[str, EmbeddedChain], path: tuple[str, ...]
) -> None:
    for state, place in zip(path, PLACES, strict=True):
        take(chains[place], state)
    rows = store.steps(CROSSING.id)
    assert [row.state for row in rows] == list(path)
    assert {int(row.amount) for row in rows} == {2**90}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("taken", [0, 1, 2, 3])
@pytest.mark.parametrize(("state", "place"), list(product((*BEFORE, "lost"), ("north", "zone"))))
def test_any_other_step_is_refused_and_leaves_no_block(
    store: Store,
    chains: dict[str, EmbeddedChain],
    path: tuple[str, ...],
    taken: int,
    state: str,
    place: str,
) -> None:
    for done, where in zip(path[:taken], PLACES[:taken], strict=True):
        take(chains[where], done)
    head = chains[place].head()
    if any(
        state in one[taken : taken + 1] and place == PLACES[taken] and one[:taken] == path[:taken]
        for one in PATHS
    ):
        take(chains[place], state)
        return
    with pytest.raises(LedgerError, match="crossing 0505"):
        take(chains[place], state)
    assert chains[place].head() == head
    assert len(store.steps()) == taken


def test_what_arrives_is_what_was_sent(chains: dict[str, EmbeddedChain]) -> None:
    take(chains["north"], "sent")
    more = Crossing(CROSSING.id, "north", "zone", CROSSING.amount + 1)
    with pytest.raises(LedgerError, match="differs"):
        take(chains["zone"], "received", more)


def test_a_chain_sends_nothing_to_itself(chains: dict[str, EmbeddedChain]) -> None:
    with pytest.raises(LedgerError, match="the same chain"):
        take(chains["north"], "sent", Crossing(b"\x01" * 32, "north", "north", 1))


def test_two_steps_in_one_block_count_one_after_the_other(
    store: Store, chains: dict[str, EmbeddedChain]
) -> None:
    twice = [OutboxStep(CROSSING, "sent")] * 2
    with pytest.raises(LedgerError, match="cannot be sent after"):
        chains["north"].execute(key(1), b"body", [], twice)
    assert store.steps() == []
