"""How fast are trades settled net: the five-case rule, the part with leaves and root, the calls?

    python -m bench.net_speed

10,000 trades over 500 accounts in one part, on the embedded chain: each call is a block on disk
when it returns. Meters and clearing are there before. Medians of five.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.contracts.harness import LOSS_SHARE, MICRO, World
from tests.contracts.parts import NOW, NetWorld, Settled

from bench.on_disk import on_disk
from gridpact.crypto.keys import Key as Device
from gridpact.ledger.proving.part import Part
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split

TRADES, ACCOUNTS, OWN, TIMES, MEMBERS = 10_000, 500, 3, 5, 4
LIMIT = MICRO // 10


class Spent(NamedTuple):
    """What a step took on the wall's clock and of the CPU. [s]"""

    wall: float
    cpu: float


class Net(NamedTuple):
    """Trades per second by either clock, and microseconds of CPU per trade of each step."""

    rate: float
    cpu_rate: float
    steps: dict[str, float]


def measured() -> Net:
    """Settle several parts, each of `TRADES`."""
    members = [Device.derive(b"net", f"member {n}") for n in range(MEMBERS)]
    with (
        tempfile.TemporaryDirectory() as folder,
        on_disk(Path(folder) / "ledger.db", members) as world,
    ):
        return _measured(world)


def _measured(world: World) -> Net:
    market = NetWorld.of(world, ACCOUNTS - OWN, MEMBERS, funds=1_000 * MICRO)
    settled = market.market(TRADES)
    spent: dict[str, list[Spent]] = {}
    for number in range(TIMES):
        market.world.go_to(NOW)
        _once(market, settled, number, spent)
    runs = list(zip(*spent.values(), strict=True))
    return Net(
        TRADES / median(sum(step.wall for step in run) for run in runs),
        TRADES / median(sum(step.cpu for step in run) for run in runs),
        {name: median(s.cpu for s in each) / TRADES * 1e6 for name, each in spent.items()},
    )


def _once(market: NetWorld, settled: Settled, number: int, spent: dict[str, list[Spent]]) -> None:
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


def _timed(name: str, act: Callable[[], Any], spent: dict[str, list[Spent]]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    found = act()
    took = Spent(time.perf_counter() - wall, time.process_time() - cpu)
    spent.setdefault(name, []).append(took)
    return found


def main() -> None:
    print(json.dumps(measured()._asdict(), indent=1))


if __name__ == "__main__":
    main()
