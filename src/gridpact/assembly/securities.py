"""What the sellers of a simulated market put down when its chains are founded, by their word."""

from collections.abc import Iterable

from gridpact.crypto.eip712 import Domain
from gridpact.errors import ScenarioError
from gridpact.ledger.onchain.attest import security_digest
from gridpact.model.participant import Role
from gridpact.model.record import Security
from gridpact.quantities import MICRO, Money, amount, part
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.people import Party

SELLS = Role.PRODUCER | Role.PLANT


def securities(
    scenario: Scenario, parties: Iterable[Party], brought: Money, domain: Domain, signed: bool
) -> tuple[Security, ...]:
    """Return every seller's deposit, out of what it brought, signed by its device.

    It covers the scenario's share of what a seller can send in an interval, at the highest retail
    price of the day: nobody is ever paid more.

    Raises
    ------
    ScenarioError
        A deposit is more than its seller begins with.
    """
    share, price = scenario.sanctions.deposit, max(scenario.tariff.retail)
    rows = []
    for party in parties:
        one = party.participant
        due = part(amount(price, one.reference_wh), share) if one.roles & SELLS else 0
        if due > brought:
            problem = (
                f"a deposit of {due / MICRO:g} for {one.name} is more than the {brought / MICRO:g}"
                " that it begins with (funds)"
            )
            raise ScenarioError(scenario.file, "reputation.deposit_share", problem)
        if due:
            digest = security_digest(domain, one.address, due)
            rows.append(Security(one.address, due, party.key.sign(digest) if signed else b""))
    return tuple(rows)
