"""Which trees are known? One file each, found here by name."""

from collections.abc import Callable, Mapping

from gridpact.propagation.costs import Costs
from gridpact.propagation.delay_trust import delay_trust
from gridpact.propagation.links_first import links_first
from gridpact.propagation.nodes import Nodes
from gridpact.propagation.rule import Rule
from gridpact.propagation.tree import Tree
from gridpact.propagation.trust_first import trust_first
from gridpact.propagation.weighted import weighted

ALGORITHMS: Mapping[str, Callable[[Nodes, Costs, Rule], Tree]] = {
    "wct": weighted,
    "lft": links_first,
    "tft": trust_first,
    "dtt": delay_trust,
}
