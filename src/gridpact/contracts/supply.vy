# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Supply
@notice The grid tier: what grid supply sells at retail and buys at the feed-in tariff of what no
        fill covers, and the losses that the network operator buys. Prices are posted before, and
        the council signed the energies; nobody pays more than it has.
"""

import accounts
import attested
import clearing
import keyed
import rounding
import vault

initializes: keyed
initializes: attested[keyed := keyed]
exports: keyed.written

MAX_BATCH: constant(uint256) = 128


struct BillRow:
    account: address
    bought: uint256
    sold: uint256


OPERATOR: public(immutable(address))
VAULT: public(immutable(address))
CLEARING: public(immutable(address))


event Billed:
    account: indexed(address)
    bought: uint256
    sold: uint256
    purchase: uint256
    network_share: uint256
    sale: uint256
    unpaid_purchase: uint256
    unpaid_sale: uint256


event LossBought:
    key: indexed(bytes32)
    energy: uint256
    cost: uint256
    unpaid: uint256


@deploy
def __init__(operator: address, vault_: address, clearing_: address, council: address):
    """
    @notice Fix the peers, for good.
    """
    attested.__init__(council)
    OPERATOR = operator
    VAULT = vault_
    CLEARING = clearing_


@external
def bill(write: keyed.Write, rows: DynArray[BillRow, MAX_BATCH], expected: bytes32) -> bytes32:
    """
    @notice The grid tier: purchases at retail, sales at the feed-in tariff, as posted.
    @param expected The digest that these bills must have, or zero.
    @return The digest: d = keccak(d | the eight values of `Billed`), from zero.
    """
    assert msg.sender == OPERATOR, "supply: not the operator"
    if not attested.begin(write, 3, keccak256(abi_encode(rows))):
        return expected
    tariffs: clearing.Tariffs = self._tariffs(write.region, write.interval)
    digest: bytes32 = empty(bytes32)
    for row: BillRow in rows:
        digest = self._bill(row, tariffs, digest)
    assert expected == empty(bytes32) or digest == expected, "supply: other amounts"
    return digest


@external
def buy_loss(write: keyed.Write, energy: uint256, expected: uint256) -> uint256:
    """
    @notice The network operator buys the losses that no fill carries, at the energy part of retail.
    @param expected What must be paid.
    @return What was paid; the rest of amount(retail - network share, energy) is a recorded claim.
    """
    assert msg.sender == OPERATOR, "supply: not the operator"
    if not attested.begin(write, 4, keccak256(abi_encode(energy))):
        return expected
    assert energy < 2**40, "supply: energy"
    tariffs: clearing.Tariffs = self._tariffs(write.region, write.interval)
    cost: uint256 = rounding.amount(tariffs.retail - tariffs.network_share, energy)
    paid: uint256 = self._up_to(accounts.NETWORK_OPERATOR, accounts.GRID_SUPPLY, cost)
    assert paid == expected, "supply: other amounts"
    log LossBought(key=keyed.packed(write), energy=energy, cost=paid, unpaid=cost - paid)
    return paid


@internal
@view
def _tariffs(region: bytes32, interval: uint64) -> clearing.Tariffs:
    return staticcall clearing.__interface__(CLEARING).tariffs(
        region, interval, skip_contract_check=True
    )


@internal
def _up_to(account: address, to: address, amount: uint256) -> uint256:
    if amount == 0:
        return 0
    return extcall vault.__interface__(VAULT).transfer_up_to(account, to, amount)


@internal
def _bill(row: BillRow, tariffs: clearing.Tariffs, digest: bytes32) -> bytes32:
    # the energy part first, then the network share; then the sale
    assert row.bought < 2**40 and row.sold < 2**40, "supply: energy"
    owed: uint256 = rounding.amount(tariffs.retail, row.bought)
    share: uint256 = min(rounding.amount(tariffs.network_share, row.bought), owed)
    due: uint256 = rounding.amount(tariffs.feed_in, row.sold)
    paid: uint256 = self._up_to(row.account, accounts.GRID_SUPPLY, owed - share)
    share = self._up_to(row.account, accounts.NETWORK_OPERATOR, share)
    paid += share
    sold: uint256 = self._up_to(accounts.GRID_SUPPLY, row.account, due)
    log Billed(
        account=row.account,
        bought=row.bought,
        sold=row.sold,
        purchase=paid,
        network_share=share,
        sale=sold,
        unpaid_purchase=owed - paid,
        unpaid_sale=due - sold,
    )
    return keccak256(
        abi_encode(
            digest,
            row.account,
            row.bought,
            row.sold,
            paid,
            share,
            sold,
            owed - paid,
            due - sold,
        )
    )
