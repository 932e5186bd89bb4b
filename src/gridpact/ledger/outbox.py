"""Steps of a cross-chain effect: sent, received, confirmed; or sent, refused, returned.

Nothing is atomic across chains (5-decisions, section 17, "Two ledgers"). Each step is recorded in
the block that takes it, once, after those before it, with the same crossing: a resumed run sees
where each effect stands and takes the next step. What the target has received it cannot refuse and
the other way round, so money is never both minted there and returned here.
"""

from collections.abc import Callable, Iterable, Sequence

from gridpact.errors import LedgerError
from gridpact.ledger.chain import OutboxStep
from gridpact.ledger.files.rows import StepRow
from gridpact.model.record import Crossing

BEFORE = {
    "sent": (),
    "received": ("sent",),
    "confirmed": ("sent", "received"),
    "refused": ("sent",),
    "returned": ("sent", "refused"),
}
"""The steps of a crossing, each with those that were taken before it."""
ON_TARGET = ("received", "refused")


def crossing_of(row: StepRow) -> Crossing:
    """Return the crossing of a stored step."""
    return Crossing(row.id, row.source, row.target, int(row.amount))


def rank(state: str) -> int:
    """Return how many steps go before this one; an unknown state comes last."""
    return len(BEFORE[state]) if state in BEFORE else len(BEFORE)


def problem(chain: str, step: OutboxStep, earlier: Sequence[OutboxStep]) -> str:
    """Say why a step may not be taken on `chain` after the `earlier` ones; empty if it may."""
    crossing, state = step
    if state not in BEFORE:
        return f"{state!r} is no step of a crossing"
    if crossing.source == crossing.target:
        return "source and target are the same chain"
    if chain != (crossing.target if state in ON_TARGET else crossing.source):
        return f"{state} does not belong on chain {chain}"
    if tuple(taken.state for taken in earlier) != BEFORE[state]:
        return f"cannot be {state} after {[taken.state for taken in earlier]}"
    if any(taken.crossing != crossing for taken in earlier):
        return "differs from the crossing that was sent"
    return ""


def require_legal(
    recorded: Callable[[bytes], Iterable[StepRow]], chain: str, steps: Sequence[OutboxStep]
) -> None:
    """Refuse steps out of order; `recorded` returns what the file holds of a crossing."""
    new: dict[bytes, list[OutboxStep]] = {}
    for step in steps:
        identity = step.crossing.id
        if identity not in new:
            rows = sorted(recorded(identity), key=lambda row: rank(row.state))
            new[identity] = [OutboxStep(crossing_of(row), row.state) for row in rows]
        if wrong := problem(chain, step, new[identity]):
            raise LedgerError(f"crossing {identity.hex()[:16]}…: {wrong}")
        new[identity].append(step)
