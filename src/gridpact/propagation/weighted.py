"""WCT: the weighted communication tree of [Yu23], trust and links weighed against each other.

5-decisions, section 15, steps 1 to 4. Far nodes come after near ones and untrusted ones last, so
that an untrusted node only ever serves untrusted ones.
"""

from gridpact.propagation.costs import Costs
from gridpact.propagation.nodes import Nodes
from gridpact.propagation.rule import Rule, order
from gridpact.propagation.tree import Tree, breadth_first, within


def weighted(nodes: Nodes, costs: Costs, rule: Rule) -> Tree:
    """Return the weighted communication tree.

    Raises
    ------
    TreeError
        Costs that do not fit the nodes; with `rule.forbid` also `Unreachable`.
    """
    taken = order(nodes, costs, rule)
    if rule.forbid:
        return within(taken, nodes, costs, rule.max_cost)
    return breadth_first(taken.sequence, nodes.links, taken.degraded)
