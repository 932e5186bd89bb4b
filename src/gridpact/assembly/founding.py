"""What every account of the market brings when its two chains are founded."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from gridpact.assembly.ledgers import operator_key
from gridpact.assembly.securities import securities
from gridpact.crypto.keccak import keccak
from gridpact.cycle.found import UNWATCHED, found
from gridpact.cycle.market import Market
from gridpact.ledger.onchain.suite import fingerprint
from gridpact.model.participant import Named, Role
from gridpact.model.rating import of_zone
from gridpact.quantities import Money
from gridpact.scenario.digest import digest
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.people import People


def founding(
    scenario: Scenario, market: Market
) -> tuple[Mapping[bytes, Money], Mapping[bytes, Money]]:
    """Return what every account brings, on the local and the zonal chain."""
    funds = scenario.funds
    bond = market.council.terms.bond
    bonded = [one.address for one in market.council.participants]
    both = dict.fromkeys((*bonded, Named.OPERATOR.address) if bonded else (), bond) | {
        Named.GRID_SUPPLY.address: funds.grid_supply,
        Named.NETWORK_LOSS.address: funds.network_loss,
        Named.REWARD.address: funds.reward,
    }
    local = {one.address: funds.participant for one in market.participants}
    local |= both | {Named.NETWORK_OPERATOR.address: funds.network_operator}
    zonal = {
        one.address: funds.region if one.roles & Role.REGION else funds.plant
        for one in market.zonal_participants
    }
    return local, zonal | both | {Named.INCENTIVE.address: funds.incentive}


def found_both(scenario: Scenario, market: Market, people: People, signed: bool) -> None:
    """Open both chains' accounts with the scenario's funds, and take the sellers' deposits."""
    local, zonal = founding(scenario, market)
    both = partial(
        found,
        scenario=keccak(digest(scenario) + fingerprint()),
        timing=market.timing,
        door=market.door,
        council=market.council,
        collector=operator_key(scenario, "collector").address,
        watch=market.watch.terms if market.watch else UNWATCHED,
    )
    region = market.region
    rules = market.rules
    of_plants = replace(rules, rating=of_zone(rules.rating), review=rules.review.of_zone)
    funds = scenario.funds
    homes, plants = (
        securities(scenario, parties, brought, ledger.domain, signed)
        for ledger, parties, brought in (
            (market.local, people.sites, funds.participant),
            (market.zonal, people.plants, funds.plant),
        )
    )
    both(
        *(market.local, region.id, market.participants, local, rules),
        substation=region.substation,
        securities=homes,
        period=market.rotating.period if market.rotating else 0,
    )
    both(
        *(market.zonal, market.zone, market.zonal_participants, zonal, of_plants),
        securities=plants,
    )
