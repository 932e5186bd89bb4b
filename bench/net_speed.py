"""How fast trades are settled net: the five-case rule, the part with leaves and root, the calls.

    python -m bench.net_speed

10,000 trades over 500 accounts in one part, on the default engine, without the disk (three blocks
a part) and without meters and clearing, which are there before. Medians of five, CPU seconds of
one thread: on a quiet machine the same as the wall's.
"""

import json
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

from tests.contracts.harness import LOSS_SHARE, MICRO, World
from tests.contracts.parts import INTERVAL, NetWorld, Settled

from gridpact.ledger.proving.net import Part
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split

TRADES, ACCOUNTS, OWN, TIMES = 10_000, 500, 3, 5
LIMIT = MICRO // 10


def measured() -> dict[str, float]:
    """Return trades per second of all, and microseconds per trade of each step."""
    market = NetWorld.of(World(), ACCOUNTS - OWN, funds=1_000 * MICRO)
    settled = market.market(TRADES)
    spent: dict[str, list[float]] = {}
    for number in range(TIMES):
        market.world.go_to(INTERVAL)
        _once(market, settled, number, spent)
    steps = {name: median(times) / TRADES * 1e6 for name, times in spent.items()}
    whole = [sum(times) for times in zip(*spent.values(), strict=True)]
    return {"trades per second": TRADES / median(whole), **steps}


def _once(market: NetWorld, settled: Settled, number: int, spent: dict[str, list[float]]) -> None:
    rules = market.world.settlement

    def rule() -> None:
        owed = [split(fill, sent, rules, LOSS_SHARE) for _, fill, sent, _ in settled.trades]
        statements = fund(owed, LIMIT, LIMIT, rules)
        settled.trades = [
            (place, fill, sent, statement)
            for (place, fill, sent, _), statement in zip(settled.trades, statements, strict=True)
        ]

    _timed("rule", rule, spent)
    part: Part = _timed("part", lambda: market.part(settled, number), spent)
    root = _timed("leaves and root", lambda: part.root, spent)
    signatures = market.quorum(part.digest(market.world.domain, root))
    market.reserve(part)
    _timed("commit", lambda: market.commit(part), spent)
    _timed("post", lambda: market.post(part, signatures, root=root), spent)
    market.after_window(part)
    _timed("finalise", lambda: market.finalise(part, root=root), spent)


def _timed(name: str, act: Callable[[], Any], spent: dict[str, list[float]]) -> Any:
    began = process_time()
    found = act()
    spent.setdefault(name, []).append(process_time() - began)
    return found


def main() -> None:
    print(json.dumps(measured(), indent=1))


if __name__ == "__main__":
    main()
