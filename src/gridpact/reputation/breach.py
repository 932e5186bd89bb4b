"""What a broken word costs (5-decisions, section 9, A): so much for each kWh promised and not kept.

Fills of the order book and purchases by voucher are fined by this one rule. `contracts/breach.vy`
computes the same numbers; `tests/agreement/test_breach.py` holds the two together.
"""

from gridpact.quantities import PPM, Money, Price, Score, Wh, amount


def broken(promised: Wh, kept: Wh, tolerance: Score) -> Wh:
    """Return what of the promised energy was broken; within the tolerance nothing. [Wh]"""
    return 0 if kept * PPM >= promised * (PPM - tolerance) else promised - kept


def fine(promised: Wh, kept: Wh, rate: Price, tolerance: Score, deposit: Money) -> Money:
    """Return what a breach costs, rounded once; never more than is left of the deposit.

    It goes to the market's fines and not to the other side, who would else profit from provoking
    breaches. `rate` is for each kWh that was broken.
    """
    return min(deposit, amount(rate, broken(promised, kept, tolerance)))
