# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Thief
@notice Code of tests alone. Whoever calls it finds it calling back: it looks whether the vault's
        books add up at that very moment, then tries what it was told to try, and answers yes.
"""


interface Vault:
    def totals() -> (uint256, uint256, uint256, uint256, uint256, uint256): view


called: uint256  # slot 1: how often
broken: uint256  # slot 2: how often the vault's books did not add up
entered: uint256  # slot 3: how often what it tried was let through
busy: bool
victim: address
target: address
booty: Bytes[8192]


@external
def aim(victim: address, target: address, booty: Bytes[8192]):
    """
    @notice Whom to watch, and what to try.
    """
    self.victim = victim
    self.target = target
    self.booty = booty


@external
@view
def allowance(owner: address, spender: address) -> uint256:
    """
    @notice As a currency: nobody allowed anything, so that the vault asks for the permit.
    """
    return 0


@external
@view
def balanceOf(owner: address) -> uint256:
    """
    @notice As a currency: the vault holds more than its books say, so that it retires some.
    """
    return 2**128


@external
@payable
def __default__() -> uint256:
    """
    @notice Count, look, try, and say yes.
    """
    if self.busy:
        return 1
    self.busy = True
    self.called += 1
    if self.victim != empty(address):
        totals: (uint256, uint256, uint256, uint256, uint256, uint256) = (
            staticcall Vault(self.victim).totals()
        )
        if totals[0] - totals[1] != totals[2] + totals[3] + totals[4] + totals[5]:
            self.broken += 1
        if raw_call(self.target, self.booty, revert_on_failure=False):
            self.entered += 1
    self.busy = False
    return 1
