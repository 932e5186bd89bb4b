"""The door keepers of a simulated market: this process holds their keys, a pilot's are apart."""

from gridpact.assembly.ledgers import operator_key
from gridpact.cycle.market import Door
from gridpact.model.door import DoorTerms
from gridpact.scenario.scenario import Scenario


def door(scenario: Scenario, signed: bool) -> Door:
    """Return who lets money in; the first keepers by address sign, as many as it takes.

    Without signatures (studies in memory) the terms count, and nobody signs.
    """
    settings = scenario.door
    keys = sorted(
        (operator_key(scenario, f"door keeper {n}") for n in range(settings.keepers)),
        key=lambda key: key.address,
    )
    return Door(
        DoorTerms(tuple(key.address for key in keys), settings.needed, settings.daily_cap),
        tuple(key.sign for key in keys[: settings.needed]) if signed else (),
    )
