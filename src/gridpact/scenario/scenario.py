"""A scenario as frozen values: everything a market day needs, read and judged once.

`scenario.reader.load` makes one from a TOML file; `assembly` hands its parts to the packages.
Power in W, energy in Wh, prices and money in micro-units, time in UTC.
"""

import datetime
import math
from dataclasses import dataclass, field

from gridpact.model.market import MarketTerms
from gridpact.model.participant import ReviewTerms
from gridpact.model.rating import RatingTerms
from gridpact.model.record import IncentiveTerms
from gridpact.model.statement import SettlementTerms
from gridpact.prosumer.devices import Plant, Site
from gridpact.prosumer.neighbours import RequestSettings
from gridpact.prosumer.outlook import ForecastSettings
from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import Money, Score
from gridpact.safety.scripted import SensorSettings
from gridpact.scenario.feeder_file import FeederFile


@dataclass(frozen=True)
class Time:
    """Interval 0 begins at `begins`."""

    begins: datetime.datetime
    intervals: int
    minutes: int

    @property
    def hours(self) -> float:
        """Length of an interval. [h]"""
        return self.minutes / 60


@dataclass(frozen=True, eq=False)
class Grid:
    """The feeder with its limits. `power_factor` is that of the participants' load.

    `inverter_q`: inverters may supply and take reactive power when voltage asks for it.
    """

    file: FeederFile
    root_voltage_pu: float
    v_min_pu: float
    v_max_pu: float
    power_factor: float
    inverter_q: bool


@dataclass(frozen=True)
class Funds:
    """Money brought to the market at founding, per account. [micro-units]"""

    participant: Money
    plant: Money
    region: Money
    grid_supply: Money
    network_operator: Money
    network_loss: Money
    reward: Money
    incentive: Money


@dataclass(frozen=True)
class DoorSettings:
    """How many keepers let money in, how many of them it takes, and how much enters in a day."""

    keepers: int
    needed: int
    daily_cap: Money


@dataclass(frozen=True)
class AggregatorSettings:
    """A member of the council: how many others it serves, where it is [km], how it is trusted.

    `trust` is what it brings with it [ppm]; None for a newcomer.
    """

    links: int
    place_km: tuple[float, float] | None = None
    trust: Score | None = None


@dataclass(frozen=True)
class CouncilSettings:
    """How many aggregators hold office, and what each pledges; none: the operator alone settles.

    links: how many others a member serves in their tree. min_trust: from which trust on it counts
    as trusted there [ppm]. aggregators: members that are described one by one, the first ones.
    max_km: how far from the proposer a member may be without coming late.
    """

    members: int
    bond: Money
    links: int
    min_trust: Score
    aggregators: tuple[AggregatorSettings, ...] = ()
    max_km: float = math.inf

    @property
    def pledged(self) -> Money:
        """All bonds of a chain: the members', and the operator's where there are any."""
        return (self.members + 1) * self.bond if self.members else 0


@dataclass(frozen=True)
class LostCertificate:
    """A participant's certificate ends within an interval, the last in which it counts.

    It is taken back (`revoked`) or runs out.
    """

    participant: str
    interval: int
    revoked: bool


@dataclass(frozen=True)
class IdentitySettings:
    """Whether the registered parties have certificates of the operator, and who loses its own.

    `period`: participants and plants stand on the ledger under pseudonyms of this period; None:
    under their names. `rotation`: after so many intervals households take those of the next one.
    `hidden_among`: under pseudonyms the ledger tells at least so many from each other by nothing
    but what they do.
    """

    certificates: bool = True
    lost: tuple[LostCertificate, ...] = ()
    period: int | None = None
    rotation: int | None = None
    hidden_among: int = 1


@dataclass(frozen=True)
class Sanctions:
    """What a seller puts down, and what a breach takes of it.

    `deposit`: share of what its devices can send in an interval, at the day's highest retail
    price. [ppm]
    """

    deposit: Score = 0
    review: ReviewTerms = field(default_factory=ReviewTerms)


@dataclass(frozen=True, eq=False)
class Scenario:
    """One market day, complete. `strategy` is the owners' battery rule: "own" or "market".

    `pricing` names how they price their orders, with its `mark_up` [ppm] if it has one.
    `meter_error` is the standard deviation of the meters' gain, cut at class 1 (1 %). `splitting`:
    a zonal bid may be served by several plants. Without `sensors` nobody watches the trades.
    `requests`: how owners ask their neighbours; None where each looks after itself. `net`: local
    fills are settled net, as one number per account.
    """

    file: str
    name: str
    scheme: str
    seed: int
    region: str
    zone: str
    time: Time
    grid: Grid
    sites: tuple[Site, ...]
    plants: tuple[Plant, ...]
    tariff: Tariff
    forecast: ForecastSettings
    strategy: str
    meter_error: float
    funds: Funds
    settlement: SettlementTerms
    rating: RatingTerms
    incentive: IncentiveTerms
    door: DoorSettings
    council: CouncilSettings
    market: MarketTerms
    splitting: bool
    requests: RequestSettings | None = None
    pricing: str = "spread"
    mark_up: Score | None = None
    identity: IdentitySettings = IdentitySettings()
    sensors: SensorSettings | None = None
    sanctions: Sanctions = field(default_factory=Sanctions)
    net: bool = False
