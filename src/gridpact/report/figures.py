"""All pictures of a market day by name, as SVG."""

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from gridpact.report import figures_energy as energy
from gridpact.report import figures_money as money
from gridpact.report.findings import Findings
from gridpact.report.style import svg

FIGURES: Mapping[str, Callable[[Findings], Figure]] = {
    "energy_by_tier": energy.energy_by_tier,
    "gains": money.gains,
    "load_and_battery": energy.load_and_battery,
    "deficit_and_pv": energy.deficit_and_pv,
    "demand_on_grid": energy.demand_on_grid,
    "hourly_price": money.hourly_price,
    "dlmp": money.dlmp,
    "voltages": energy.voltages,
    "voltage_profile": energy.voltage_profile,
    "curtailment": energy.curtailment,
    "imbalances": energy.imbalances,
    "savings": money.savings,
    "reputations": money.reputations,
}


def figures(found: Findings) -> dict[str, str]:
    """Return all figures as SVG by name; curtailment only where something was cut."""
    cut = bool(found.curves.curtailed.any())
    return {
        name: svg(draw(found), name)
        for name, draw in FIGURES.items()
        if cut or name != "curtailment"
    }
