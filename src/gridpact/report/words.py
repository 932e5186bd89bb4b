"""What the report's figures, codes and cases mean, in one plain sentence each."""

from collections.abc import Mapping

from gridpact.model.order import Code
from gridpact.model.statement import Case

FIGURES: Mapping[str, tuple[str, str]] = {
    "energy_by_tier": (
        "Who supplied the participants",
        "What every participant's meter took in, by who sold it: neighbours first, then the"
        " renewable plants, grid supply for the rest.",
    ),
    "gains": (
        "Who gains, who loses",
        "What each group is left with at the end of the day, compared with retail and feed-in"
        " tariff only; the bars add up to zero.",
    ),
    "load_and_battery": (
        "Demand and batteries ([Wang23] fig. 4)",
        "What homes, commerce and vehicles use, and what batteries store and give back.",
    ),
    "deficit_and_pv": (
        "Generation against demand ([Wang23] fig. 5)",
        "Where the coloured area rises above the line, the feeder has more sun than it uses.",
    ),
    "demand_on_grid": (
        "Demand on the grid ([Wang23] fig. 6)",
        "What grid supply has to provide by contract falls; the power that flows through the"
        " substation is set by devices and weather, not by contracts.",
    ),
    "hourly_price": (
        "What a kWh costs ([Wang23] fig. 7)",
        "Mean price of what participants bought, network charges and fees included; dots show what"
        " sellers asked, before network charges.",
    ),
    "dlmp": (
        "Nodal prices",
        "What one more kWh is worth at each bus (DLMP), day ahead; losses, lines and voltages make"
        " places differ.",
    ),
    "voltages": (
        "Voltages",
        "All buses against their limits; the highest and the lowest voltage of the day are named.",
    ),
    "voltage_profile": (
        "Voltage along the feeder",
        "Each dot is a bus, each line a wire: how voltage falls under load and rises with the sun"
        " on the way from the substation.",
    ),
    "curtailment": (
        "Cut generation",
        "What the sun would have given and the wires could not take within their limits.",
    ),
    "imbalances": (
        "Imbalances",
        "Cleared energy that did not come about because forecasts err; grid supply makes it good.",
    ),
    "savings": (
        "Savings",
        "Each dot is one participant's day: how much less it paid, or more it earned, than before.",
    ),
    "reputations": (
        "Reputations",
        "Sellers who deliver what they sold rise, those who fall short sink; a bid may demand a"
        " least reputation.",
    ),
}

CASES: Mapping[Case, str] = {
    Case.DISPUTE: "a reading is missing or cannot be true: the money is held for a while",
    Case.FULL: "delivered in full: paid in full, full reward",
    Case.HALF: "sent in full, loss above the expected: paid in full, half the reward",
    Case.LOSSY: "sent in full, lost beyond reason: paid in full, the network makes it good",
    Case.SHORT: "sent less than sold: paid for what arrived, less a penalty",
}

CODES: Mapping[Code, str] = {
    Code.SIGNATURE: "the signature is not the participant's",
    Code.CERTIFICATE: "no valid certificate",
    Code.FUNDS: "not enough free money",
    Code.EXPIRED: "void before this interval",
    Code.DUPLICATE: "the same order again",
    Code.BLACKLIST: "the participant is suspended",
    Code.OVER_LIMIT: "more energy than load, sun, battery or deposit allow",
    Code.PRICE_FORM: "a price that no pair can use",
    Code.GRID: "cut: the wires could not carry it",
    Code.SENSOR: "held by a sensor",
    Code.CROSSING: "called off: its money did not reach the zone's chain in time",
}

REASONS: Mapping[str, str] = {
    "energy": "traded energy, at the seller's price",
    "network charge": "use of the wires for a trade; a part fills the loss account",
    "unused fee": "what a buyer pays for energy it ordered and did not use",
    "reward": "for delivery as agreed, from the reward account",
    "claim": "loss beyond reason, made good by the loss account",
    "retail": "energy part of what grid supply sells",
    "network share of retail": "the network operator's part of retail",
    "feed-in": "unsold energy, taken by grid supply",
    "network losses": "losses that no trade carries, bought by the network operator",
    "incentive": "to plants for steady supply",
    "fine": "from the deposit of who sent far less than it sold, to the market",
}

PHASES: Mapping[str, str] = {
    "set-up": "reading, keys, founding the chains",
    "price": "day-ahead power flow, posted prices",
    "collect": "orders signed, checked, reserved",
    "clear": "tiers and grid check",
    "commit": "locks, crossings",
    "deliver": "physics and signed readings",
    "settle": "statements, bills, payments",
    "rate": "reputations, fines",
    "seal": "anchor",
    "close": "state hashes, the day before",
}
