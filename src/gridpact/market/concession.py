"""How two automatic negotiators meet: each gives way a little every round.

A person may answer each message by hand; a device left alone does this. Both sides know the limits
that stand in the orders: the seller asks at first the most that the pair may trade at, the buyer
offers what the seller's order asks. Each round both concede a share of the gap; as soon as one's
word reaches the other's it is accepted.
"""

from dataclasses import dataclass

from gridpact.quantities import PPM, Price, Score, part


@dataclass(frozen=True)
class Concession:
    """rounds: most that are exchanged, k. buyer, seller: share of the gap conceded each round."""

    rounds: int = 8
    buyer: Score = 100_000
    seller: Score = 100_000

    def offered(self, low: Price, high: Price, rounds: int) -> Price:
        """Return what the buyer offers in a round, counted from 1, within [low, high]."""
        return low + part(high - low, min(PPM, rounds * self.buyer))

    def demanded(self, low: Price, high: Price, rounds: int) -> Price:
        """Return what the seller asks for in a round, within [low, high]."""
        return high - part(high - low, min(PPM, rounds * self.seller))

    def meeting(self, low: Price, high: Price) -> tuple[int, Price] | None:
        """Return the round and the price at which two meet; None if the rounds run out.

        The buyer speaks first in each round: where its word reaches what the seller would ask, the
        seller accepts it; where the seller's reaches what the buyer would offer next, the buyer
        accepts that.
        """
        for number in range(1, self.rounds + 1):
            offered, demanded = (one(low, high, number) for one in (self.offered, self.demanded))
            if offered >= demanded:
                return number, offered
            if demanded <= self.offered(low, high, number + 1):
                return number, demanded
        return None
