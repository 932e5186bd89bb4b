"""Does any sequence of calls lose money? Stateful fuzzing of the contracts on titanoboa.

`tests/contracts/fuzz/machine.py` says what may be done and what must hold after each step; the
tests run a little of it, this runs much more. A broken promise ends it with the shortest sequence
found.
"""

import warnings

from bench.rows import Row

EXAMPLES, STEPS = 150, 40
NOTES = (
    "Hypothesis draws sequences of calls on the whole suite in titanoboa: the operator's verbs "
    "with sensible and with absurd numbers, the same twice, out of order, and any function of any "
    "contract by anybody. After each step: free + reserved + locked + transit = minted - burned = "
    "the vault's currency, every open fill's lock is there, no lock is paid twice, each lock is "
    "shared out to the micro-unit, no contract is entered while it is under way, nothing outside "
    'the suite is called, every refusal says "contract: reason".'
)


def run() -> list[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # titanoboa's, at import
        from hypothesis import HealthCheck, settings
        from hypothesis.stateful import run_state_machine_as_test
        from tests.contracts.fuzz.machine import Market

        much = settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        Market.counts.clear()
        broken = 0
        try:
            run_state_machine_as_test(Market, settings=much)
        except AssertionError as error:
            print(error)
            broken = 1
    counts = (Row(what, n, "") for what, n in sorted(Market.counts.items()))
    return [
        Row("sequences", EXAMPLES, ""),
        *counts,
        Row("promises broken", broken, "", "", None, "0", broken == 0),
    ]
