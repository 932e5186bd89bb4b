"""No re-entrancy: our contracts call their own peers and nobody else, and never in a circle.

By the sources (every call out is read from the syntax trees), and by a thief with code that stands
at a participant's address and, what cannot be on a real chain, in the place of the currency.
"""

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import pytest
from tests.contracts.fuzz import calls_out, surface
from tests.contracts.fuzz.boachain import BoaChain
from tests.contracts.fuzz.calling import aim, plant, told
from tests.contracts.harness import ANN, BOB, DEVICES, MICRO, STRANGER, World, delivery
from tests.contracts.reading import Contract, call

from gridpact.crypto.keccak import keccak
from gridpact.model.participant import Participant, Role

CONTRACTS = {contract.value for contract in Contract}


def every_call() -> list[calls_out.Call]:
    return [one for module in calls_out.modules() for one in calls_out.calls(module)]


# by the sources


def test_every_call_out_goes_to_a_peer_that_was_fixed_at_deployment() -> None:
    fixed = {module: calls_out.immutables(module) for module in calls_out.modules()}
    assert len(every_call()) > 60
    for one in every_call():
        known = set(fixed[one.module])
        for module in calls_out.imported(one.module):
            known |= fixed[module]
        if one.function == "__init__":
            known.add("registry_")  # deployed before: only asked for the domain of signatures
        assert one.variable in known, one
        assert one.peer in CONTRACTS, one
        # the immutable's name says whom it holds: the deployed values are compared below
        assert one.variable.strip("_").lower() == one.peer, one


def test_no_source_calls_or_creates_by_the_language_s_own_means() -> None:
    found = {module: calls_out.built_ins(module) for module in calls_out.modules()}
    assert not any(found.values()), found


def test_the_peers_deployed_are_the_suite_s_own(founded: World) -> None:
    seen = 0
    for one in every_call():
        if one.module in CONTRACTS and one.variable.isupper():
            try:
                found = founded.view(Contract(one.module), one.variable)
            except KeyError:  # no getter: the frames of every fuzzed call show it
                continue
            assert bytes.fromhex(found[2:]) == founded.suite[one.peer], one
            seen += 1
    assert seen > 40


def test_calls_form_no_circle() -> None:
    # a module's calls are those of the contracts that import it
    peers: dict[str, set[str]] = {}
    for contract in CONTRACTS:
        reached, waiting = set(), {contract}
        while waiting:
            module = waiting.pop()
            reached.add(module)
            waiting |= calls_out.imported(module) - CONTRACTS - reached
        peers[contract] = {one.peer for module in reached for one in calls_out.calls(module)}
    assert set(TopologicalSorter(peers).static_order()) == CONTRACTS  # raises at a circle
    assert peers["currency"] == set()
    assert peers["vault"] == {"currency"}


# by a thief


@pytest.fixture(scope="module")
def robbed() -> World:
    """A market whose people have money, on titanoboa."""
    world = World(engine=BoaChain)
    for account in (ANN, BOB):
        world.mint(account, MICRO)
    world.engine.keep()
    return world


def test_a_participant_with_code_is_never_called(robbed: World) -> None:
    robbed.engine.undo()
    people = [device.address for device in DEVICES.values()]
    for one in people:
        plant(robbed.engine, one)
        loot = call(Contract.VAULT, "withdraw", 1)
        aim(robbed, one, robbed.at[Contract.VAULT], robbed.at[Contract.VAULT], loot)
    _use(robbed)
    assert [told(robbed.engine, one)[0] for one in people] == [0] * len(people)
    # and it would have told: called by anybody it calls back
    robbed.engine.env.execute_code(to_address=ANN, sender=STRANGER, data=b"")
    assert told(robbed.engine, ANN) == (1, 0, 1)


def _use(world: World) -> None:
    """Let money and currency reach and leave participants in every way there is."""
    bid, offer, trade = world.trade()
    world.commit(trade)
    world.close(bid, offer)
    world.deliver()
    world.settle((trade, delivery(trade, 1000, 47)))
    world.send(Contract.VAULT, "withdraw", 1000, sender=BOB)
    world.send(Contract.CURRENCY, "transfer", "0x" + ANN.hex(), 10, sender=BOB)
    world.send(Contract.CURRENCY, "approve", "0x" + ANN.hex(), 10, sender=BOB)
    given = "0x" + BOB.hex(), "0x" + STRANGER.hex(), 10
    world.send(Contract.CURRENCY, "transferFrom", *given, sender=ANN)


REF = keccak(b"thief")
MONEY = (Contract.VAULT, Contract.COUNCIL)
WAYS_OUT: Mapping[str, tuple[Contract | None, tuple[Any, ...]]] = {
    # function of the vault that calls the currency: who may call it, with what
    "mint": (None, ("0x" + ANN.hex(), 7, REF, 0, [])),
    "deposit": (None, (7,)),
    "deposit_with_permit": (None, ("0x" + ANN.hex(), 7, 2**40, 27, REF, REF)),
    "withdraw": (None, (7,)),
    "burn": (Contract.CROSSING, ("0x" + ANN.hex(), 7, REF)),
    "retire": (None, ()),
}


@pytest.fixture(scope="module")
def counterfeit() -> World:
    """A market with a thief in the place of the currency, itself a participant."""
    world = World(engine=BoaChain)
    money = world.at[Contract.CURRENCY]
    plant(world.engine, money)  # before anything is stored under the currency's address
    world.register([Participant("thief", money, 1, Role.CONSUMER, REF, REF)])
    for account in (ANN, BOB, money):
        world.mint(account, MICRO)
    world.send(Contract.VAULT, "pledge", ANN, 100, sender=world.at[Contract.COUNCIL])
    world.engine.keep()
    return world


def test_the_ways_out_are_all_there_are() -> None:
    out = {one.function for one in calls_out.calls("vault") if not one.static}
    assert out == {"mint", "deposit_with_permit", "withdraw", "_deposit", "burn", "retire"}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_whoever_is_called_finds_the_books_in_order_and_takes_nothing(
    counterfeit: World, way: str
) -> None:
    world, chain = counterfeit, counterfeit.engine
    money, vault = world.at[Contract.CURRENCY], world.at[Contract.VAULT]
    role, given = WAYS_OUT[way]
    through = 0
    chain.undo()
    calls = told(chain, money)[0]
    for contract, selector in surface.everything():
        if contract is Contract.CURRENCY or (way != "withdraw" and contract not in MONEY):
            continue  # it is gone; and one way out suffices for what holds no money
        chain.undo()
        before = _worth(world, money)
        entry = surface.functions(contract)[selector]
        booty = call(
            contract, entry["name"], *(surface.plain(one, money) for one in entry["inputs"])
        )
        aim(world, money, vault, world.at[contract], booty)
        world.send(Contract.VAULT, way, *given, sender=world.at[role] if role else ANN)
        called, broken, entered = told(chain, money)
        assert called > calls, entry["name"]
        assert broken == 0, entry["name"]
        minted, burned, *pots = world.view(Contract.VAULT, "totals")
        assert sum(pots) == minted - burned
        # what it may do as a participant it may do here: take out its own money, no more
        after = _worth(world, money)
        assert before - after == (entered if entry["name"] == "withdraw" else 0) or (
            after > before and entry["name"] in ("deposit", "deposit_with_permit", "mint")
        ), entry["name"]
        through += entered
    assert through >= 3  # its own withdrawal among them: the calls back are real


def _worth(world: World, account: bytes) -> int:
    pots = world.account(account)
    return pots.free + pots.reserved + pots.locked
