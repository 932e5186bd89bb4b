"""Steps of a cross-chain effect: sent on the source, received on the target, then confirmed.

Nothing is atomic across chains (5-decisions, section 17, "Two ledgers"). Each step is recorded in
the block that takes it, once, in this order, with the same crossing: a resumed run sees where each
effect stands and takes the next step.
"""

from collections.abc import Callable, Iterable, Sequence

from gridpact.errors import LedgerError
from gridpact.ledger.chain import OutboxStep
from gridpact.ledger.rows import StepRow
from gridpact.model.record import Crossing

ORDER = ("sent", "received", "confirmed")


def crossing_of(row: StepRow) -> Crossing:
    """Return the crossing of a stored step."""
    return Crossing(row.id, row.source, row.target, int(row.amount))


def problem(chain: str, step: OutboxStep, earlier: Sequence[OutboxStep]) -> str:
    """Say why a step may not be taken on `chain` after the `earlier` ones; empty if it may."""
    crossing, state = step
    if state not in ORDER:
        return f"{state!r} is no step of a crossing"
    if crossing.source == crossing.target:
        return "source and target are the same chain"
    if chain != (crossing.target if state == "received" else crossing.source):
        return f"{state} does not belong on chain {chain}"
    if [taken.state for taken in earlier] != list(ORDER[: ORDER.index(state)]):
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
            rows = sorted(recorded(identity), key=lambda row: ORDER.index(row.state))
            new[identity] = [OutboxStep(crossing_of(row), row.state) for row in rows]
        if wrong := problem(chain, step, new[identity]):
            raise LedgerError(f"crossing {identity.hex()[:16]}…: {wrong}")
        new[identity].append(step)
