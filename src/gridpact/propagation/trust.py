"""Trust of an aggregator: what it forwarded and signed correctly, the late more than the early.

t = (1 + ok) / (2 + ok + fail), rounded down; ok and fail are decayed with every task of its own,
and data that are provably invalid count as five failures (5-decisions, section 9).
"""

import msgspec

from gridpact.quantities import PPM, Score

INVALID = 5
"""How many failures one provably invalid message counts for."""


class Conduct(msgspec.Struct, frozen=True):
    """What is remembered of a node. ok, fail: decayed counts [10⁻⁶]; tasks: ever done."""

    ok: int = 0
    fail: int = 0
    tasks: int = 0

    @property
    def trust(self) -> Score:
        return PPM * (PPM + self.ok) // (2 * PPM + self.ok + self.fail)


def earlier(trust: Score, tasks: int = 20) -> Conduct:
    """Return the conduct of a node that comes with a trust, as if it had done so many tasks.

    trust: between 1 / (2 + tasks) and 1 less that; what lies beyond, tasks cannot show. [ppm]
    """
    counted = (2 + tasks) * trust - PPM
    ok = min(max(counted, 0), tasks * PPM)
    return Conduct(ok, tasks * PPM - ok, tasks)


def after(before: Conduct, ok: int, fail: int, invalid: int, decay: Score) -> Conduct:
    """Return what is remembered after one more task, from the verdicts on it.

    decay: what is kept of what was before. [ppm]
    """
    return Conduct(
        ok=before.ok * decay // PPM + ok * PPM,
        fail=before.fail * decay // PPM + (fail + INVALID * invalid) * PPM,
        tasks=before.tasks + 1,
    )


def standing(trust: Score, was_trusted: bool, min_trust: Score, margin: Score) -> bool:
    """Say whether a node counts as trusted: it has to cross the threshold by a margin to change.

    Trees are made anew only where a standing changed, so that trust that hovers about the
    threshold does not tear them down in every interval.
    """
    return trust >= (min_trust - margin if was_trusted else min_trust + margin)
