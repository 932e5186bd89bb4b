"""LFT: whoever can serve most stands first; a baseline of [Yu23] with the fewest rounds."""

from gridpact.propagation.costs import Costs, require_size
from gridpact.propagation.nodes import Nodes
from gridpact.propagation.rule import Order, Rule, descending
from gridpact.propagation.tree import Tree, breadth_first, within


def links_first(nodes: Nodes, costs: Costs, rule: Rule) -> Tree:
    """Return the tree of the nodes by (-links, index); of the rule only `forbid` matters."""
    require_size(costs, nodes.size)
    sequence = descending(nodes.links)
    if rule.forbid:
        return within(Order(sequence, 0, False), nodes, costs, rule.max_cost)
    return breadth_first(sequence, nodes.links)
