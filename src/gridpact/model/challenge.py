"""Until when a posted clearing and an anchor can be proven wrong, fixed per chain at founding."""

import msgspec


class ChallengeTerms(msgspec.Struct, frozen=True):
    """Deadlines count back from the beginning of an interval, when delivery starts. [s]

    commit_closes: after it nothing is posted or committed; challenge_closes: after it nothing is
    challenged. On a consortium's chain 600 and 300. Both 0 switch the deadlines off, for chains
    whose clock is simulated: there a clearing can be challenged at any time, and a demand for data
    is answered within `NetTerms.answer` intervals. `anchor_window` is in intervals.
    """

    commit_closes: int = 0
    challenge_closes: int = 0
    anchor_window: int = 2


CONSORTIUM = ChallengeTerms(commit_closes=600, challenge_closes=300)
