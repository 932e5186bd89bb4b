"""Does any sequence of calls lose money? The state machine of the fuzz tests, for much longer.

`tests/contracts/fuzz/everything.py` says what everybody may try and what must hold after each step.
Most of it runs on the ledger's own engine, which is fast; some on titanoboa, which tells the calls
within a call. A broken promise is printed with its seed.
"""

import multiprocessing
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

from bench.rows import Row

STEPS = 60
NOTES = (
    "Hypothesis draws sequences of calls on the whole suite: participants, operator, council, "
    "wallets and strangers, with sensible and with absurd numbers; whole courses with the right "
    "proofs, each call of which comes with changed words first, half of the time; calls sent "
    "again, by others, or with words changed; and any function by anybody "
    "(`tests/contracts/fuzz`). Before it, a tour calls every function once. Half of the "
    "sequences have a consortium's deadlines before delivery. Events alone must "
    "explain what every account is worth, each fill, crossing, reference, part and wallet counted "
    "once; on titanoboa no call may leave the suite or enter a contract that waits. A refusal must "
    "be one of the reasons in the sources, or have arguments that a strict decoder of its own "
    "refuses too. Reasons of constructors are not counted. What was never reached is listed "
    "last."
)


class Job(NamedTuple):
    """Some sequences of one seed on one engine, with a consortium's deadlines or without."""

    fast: bool
    strict: bool
    seed: int
    examples: int


JOBS = [Job(False, seed % 2 == 0, seed, 8) for seed in (21, 22)]
JOBS += [Job(True, seed % 2 == 0, seed, 100) for seed in range(1, 7)]


class Played(NamedTuple):
    """What a job came to: its counters, and the failure in words, "" for none."""

    tally: Any
    broken: str


def play(job: Job) -> Played:
    """Play one job in a process of its own."""
    warnings.simplefilter("ignore")  # titanoboa's, at import
    from hypothesis import HealthCheck, Phase, seed, settings
    from hypothesis.stateful import run_state_machine_as_test
    from tests.contracts.fuzz import tour
    from tests.contracts.fuzz.anybody import sweep
    from tests.contracts.fuzz.everything import (
        Everything,
        Faster,
        FasterStrict,
        Strict,
        market,
    )
    from tests.contracts.fuzz.watched import TALLY
    from tests.contracts.harness import OPERATOR, STRANGER

    much = settings(
        max_examples=job.examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    machine = {
        (True, True): FasterStrict,
        (True, False): Faster,
        (False, True): Strict,
        (False, False): Everything,
    }[job.fast, job.strict]
    broken = ""
    try:
        if not job.fast:
            for sender in (OPERATOR, STRANGER):
                sweep(market()[0], sender)
            tour.take()
        run_state_machine_as_test(seed(job.seed)(machine), settings=much)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        broken = f"seed {job.seed}: {type(error).__name__}: {error}"
    return Played(TALLY, broken)


def run() -> list[Row]:
    return list(_rows())


def _rows() -> Iterator[Row]:
    """Play all jobs and say what was called, refused and checked, and what was never reached."""
    from tests.contracts.fuzz import surface
    from tests.contracts.fuzz.watched import Tally

    total = Tally()
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=fresh, max_tasks_per_child=1) as pool:
        played = list(pool.map(play, JOBS))
    for one in played:
        total.add(one.tally)
    broken = [one.broken for one in played if one.broken]
    for words in broken:
        print(words)
    yield Row("jobs that broke a promise", len(broken), "", "", None, "0", not broken)
    yield Row("calls sent", total.steps, "calls")
    yield Row("accepted", sum(total.accepted.values()), "calls")
    yield Row("refused", sum(total.refused.values()), "calls")
    for check, times in sorted(total.checks.items()):
        yield Row(f"checked: {check}", times, "times")
    functions = len(surface.everything())
    reached = functions - len(total.never_called())
    yield Row("functions that succeeded at least once", reached, "", f"{functions} there are")
    known = len(surface.reasons())
    given = known - len(total.never_given())
    yield Row("reasons given at least once", given, "", f"{known} there are")
    for name in sorted(surface.name(*one) for one in surface.everything()):
        yield Row(
            f"`{name}`",
            total.accepted[name],
            "accepted",
            f"{total.refused[name]} refused, {total.within[name]} within other calls",
        )
    for reason, times in sorted(total.reasons.items()):
        yield Row(f"refused: {reason}", times, "times")
    for reason in total.never_given():
        yield Row(f"never: {reason}", 0, "times")
