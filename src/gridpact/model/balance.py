"""What a region lost in an interval, and what of its balance must stay open for the next one.

The substation's meter, the exports and the imports leave a rest: the loss. It is known only when
every meter was heard. A meter that fell silent, or that was heard with readings which cannot be,
says later (or never) what flowed; until then the region loses what was expected, and the rest is
carried into the balance of the next interval, on record, so that no energy disappears and nobody
else's trade pays for it. `cycle.deliver` decides by this rule and `ledger.audit_zone` holds it.
"""

from typing import NamedTuple

from gridpact.quantities import MAX_ENERGY, Score, Wh, part


class Closed(NamedTuple):
    """An interval's loss, >= 0, and what is carried into the next balance, of either sign. [Wh]"""

    loss_wh: Wh
    carried_wh: int


def close(open_wh: int, imports_wh: Wh, expected: Score, complete: bool) -> Closed:
    """Return what becomes of a region's balance.

    Parameters
    ----------
    open_wh
        Substation import - substation export + exports - imports of all meters that were heard,
        plus what was carried into the interval. [Wh]
    imports_wh
        Sum of the imports that were heard.
    expected
        The loss share posted with the prices. [10⁻⁶]
    complete
        Whether every meter was heard.
    """
    if complete and 0 <= open_wh <= MAX_ENERGY:
        return Closed(open_wh, 0)
    loss = min(part(imports_wh, expected), MAX_ENERGY)
    return Closed(loss, open_wh - loss)
