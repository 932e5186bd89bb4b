"""Supply: the grid tier is billed at posted prices, as far as an account reaches."""

import pytest
from tests.contracts.harness import ANN, BOB, FEED_IN, MICRO, RETAIL, SHARE, World, decoded, refused
from tests.contracts.reading import Contract, Event

from gridpact.ledger.onchain import packing
from gridpact.model.order import NONE
from gridpact.model.participant import Named
from gridpact.model.statement import Bill
from gridpact.quantities import Wh, amount

GRID, NETWORK = Named.GRID_SUPPLY.address, Named.NETWORK_OPERATOR.address


@pytest.fixture
def rich(world: World) -> World:
    for account in (ANN, BOB, GRID, NETWORK):
        world.mint(account, MICRO)
    return world


def bill(world: World, account: bytes, bought: Wh, sold: Wh, expected: bytes = NONE) -> Event:
    row = packing.bill(Bill(account, bought, sold, 0, 0, 0))
    (log,) = world.rows(Contract.SUPPLY, "bill", [row], after=expected)
    return log


def test_purchase_goes_to_grid_supply_and_its_network_share_to_the_operator(rich: World) -> None:
    rich.price()
    paid = bill(rich, ANN, 1000, 0).values
    assert (paid["purchase"], paid["network_share"]) == (RETAIL, SHARE)
    assert rich.free(ANN) == MICRO - RETAIL
    assert rich.free(GRID) == MICRO + RETAIL - SHARE
    assert rich.free(NETWORK) == MICRO + SHARE


def test_sale_is_paid_by_grid_supply_at_the_feed_in_tariff(rich: World) -> None:
    rich.price()
    assert bill(rich, BOB, 0, 500).values["sale"] == amount(FEED_IN, 500)
    assert rich.free(BOB) == MICRO + amount(FEED_IN, 500)


def test_bill_beyond_the_account_is_paid_as_far_as_it_goes(rich: World) -> None:
    rich.price()
    energy = 4000
    paid = bill(rich, ANN, energy, 0).values
    assert (paid["purchase"], paid["unpaid_purchase"]) == (MICRO, amount(RETAIL, energy) - MICRO)
    assert paid["network_share"] == MICRO - amount(RETAIL - SHARE, energy)
    assert rich.free(ANN) == 0
    assert rich.holds()


def test_empty_grid_supply_leaves_a_recorded_claim(world: World) -> None:
    world.price()
    paid = bill(world, BOB, 0, 500).values
    assert (paid["sale"], paid["unpaid_sale"]) == (0, amount(FEED_IN, 500))


def test_bills_come_to_the_expected_amounts(rich: World) -> None:
    rich.price()
    right = Bill(ANN, 1000, 500, RETAIL, SHARE, amount(FEED_IN, 500))
    with refused("supply: other amounts"):
        bill(rich, ANN, 1000, 501, packing.bills_digest([right]))
    bill(rich, ANN, 1000, 500, packing.bills_digest([right]))


def test_energy_beyond_bounds_is_not_billed(rich: World) -> None:
    rich.price()
    for bought, sold in ((2**40, 0), (0, 2**40)):
        with refused("supply: energy"):
            bill(rich, ANN, bought, sold)


def test_network_operator_buys_the_losses(rich: World) -> None:
    rich.price()
    cost = amount(RETAIL - SHARE, 300)
    (bought,) = rich.send(Contract.SUPPLY, "buy_loss", decoded(rich.write()), 300, cost)
    assert (bought.values["energy"], bought.values["cost"]) == (300, cost)
    assert rich.free(NETWORK) == MICRO - cost
    with refused("supply: other amounts"):
        rich.send(Contract.SUPPLY, "buy_loss", decoded(rich.write()), 300, cost - 1)
    with refused("supply: energy"):
        rich.send(Contract.SUPPLY, "buy_loss", decoded(rich.write()), 2**40, 0)


def test_poor_network_operator_leaves_a_recorded_claim(world: World) -> None:
    world.price()
    world.mint(NETWORK, 10)
    (bought,) = world.send(Contract.SUPPLY, "buy_loss", decoded(world.write()), 300, 10)
    assert bought.values["unpaid"] == amount(RETAIL - SHARE, 300) - 10


def test_the_same_bills_again_move_nothing(rich: World) -> None:
    rich.price()
    rows, write = [packing.bill(Bill(ANN, 1000, 0, 0, 0, 0))], rich.write()
    assert len(rich.rows(Contract.SUPPLY, "bill", rows, after=NONE, write=write)) == 1
    assert rich.rows(Contract.SUPPLY, "bill", rows, after=NONE, write=write) == []
    assert rich.free(ANN) == MICRO - RETAIL


def test_only_the_operator_bills(rich: World) -> None:
    write = decoded(rich.write())
    for name, given in (("bill", ([], NONE)), ("buy_loss", (0, 0))):
        with refused("supply: not the operator"):
            rich.send(Contract.SUPPLY, name, write, *given, sender=ANN)
