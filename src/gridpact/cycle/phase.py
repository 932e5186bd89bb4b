"""How a phase happens once, however often it is run.

Phases lie minutes apart and a machine may die between them. Each derives its record from what
the ledger holds and writes it under its key; a phase that finds its key taken reads instead.
"""

from collections.abc import Callable

from gridpact.ledger.ledger import Ledger
from gridpact.model.interval import Key
from gridpact.model.record import R


def once(ledger: Ledger, key: Key, kind: type[R], decide: Callable[[], R]) -> R:
    """Return what stands under `key`; if nothing does, decide it and write it first."""
    found = ledger.read(key, kind)
    if found is not None:
        return found
    record = decide()
    ledger.write(key, record)
    return record
