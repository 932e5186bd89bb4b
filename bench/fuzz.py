"""Does any sequence of calls lose money? The state machine of the fuzz tests, for much longer.

`tests/contracts/fuzz/everything.py` says what everybody may try and what must hold after each step.
A broken promise ends the campaign with the shortest sequence that Hypothesis found.
"""

import warnings

from bench.rows import Row

EXAMPLES, STEPS = 150, 40
NOTES = (
    "Hypothesis draws sequences of calls on the whole suite in titanoboa: participants, operator, "
    "council, wallets and strangers, with sensible and with absurd numbers, the same twice, out of "
    "order, and any function by anybody (`tests/contracts/fuzz`). After each step money is "
    "conserved, every unit that moved is explained, no lock is paid twice, no contract is entered "
    "while it is under way, nothing outside the suite is called, and every refusal says "
    '"contract: reason".'
)


def run() -> list[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # titanoboa's, at import
        from hypothesis import HealthCheck, settings
        from hypothesis.stateful import run_state_machine_as_test
        from tests.contracts.fuzz.everything import Everything
        from tests.contracts.fuzz.watched import TALLY

        much = settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        broken = 0
        try:
            run_state_machine_as_test(Everything, settings=much)
        except Exception as error:  # noqa: BLE001 - whatever ends the campaign is its finding
            print(f"{type(error).__name__}: {error}")
            broken = 1
    return [
        Row("sequences", TALLY.checks["examples"], ""),
        Row("calls", TALLY.steps, ""),
        Row("of them accepted", TALLY.accepted.total(), ""),
        Row("of them refused", TALLY.refused.total(), ""),
        Row("functions that were accepted at least once", len(TALLY.accepted), ""),
        Row("functions that were refused at least once", len(TALLY.refused), ""),
        Row("different reasons given", len(TALLY.reasons), ""),
        Row("promises broken", broken, "", "", None, "0", broken == 0),
    ]
