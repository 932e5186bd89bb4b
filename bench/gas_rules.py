"""Gas of rating a seller by credibility, the dearest of the three rules: it keeps a second word.

The others are in `gas_orders` (feedback) or cost less (comprehensive).
"""

from bench.gas_orders import Bench, settled
from gridpact.model.rating import CredibilityTerms


def receipts(url: str) -> dict[str, int]:
    """Return the gas of a rating on the node at `url`, which must be new and empty."""
    bench = Bench(url, CredibilityTerms())
    found = settled(bench)
    bench.node.close()
    return {f"{name}, by credibility": found[name] for name in ("rate, first", "rate")}
