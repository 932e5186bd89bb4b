"""[Zeng23] figure 8: how long it takes from people's orders to trades on a ledger.

Everything that lies on the way is run: each participant's device signs its order (EIP-712), the
collector judges it, verifies the signature and signs its receipt, the book is sealed and cleared,
and book, prices, fills and locks are written to an embedded chain, on disk.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np

from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key as Device
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.ledger.onchain.suite import Suite
from gridpact.market.admission import Gate, admit
from gridpact.market.caps import Pairs
from gridpact.market.local_book import cleared
from gridpact.market.mechanism import Mechanism
from gridpact.market.mechanisms import mechanism
from gridpact.model.door import DoorTerms, deposit_digest, warrant
from gridpact.model.interval import Key, Phase
from gridpact.model.market import MarketTerms
from gridpact.model.order import Order, Side, SignedOrder, Tier
from gridpact.model.participant import Named, Participant, Role
from gridpact.model.rating import FeedbackTerms
from gridpact.model.record import (
    Book,
    Cleared,
    Commitment,
    Deposit,
    Found,
    IncentiveTerms,
    Prices,
)
from gridpact.model.statement import SettlementTerms
from gridpact.quantities import PPM
from gridpact.report.style import AFTER, BATTERY, LOCAL, ZONAL
from gridpact.studies.repeated import Claimed, Repeated, curve

SIZES = (2, 4, 6, 8, 10, 15, 20, 30, 50)
CLAIMED, UP_TO = 0.2, 10
"""The paper's delay [s], and up to how many participants."""
METHODS = {
    "pareto": ("pareto", AFTER),
    "Nash bargaining": ("nash_bargaining", BATTERY),
    "merit order": ("merit_order", LOCAL),
    "uniform auction": ("uniform_price", ZONAL),
}
_CHAIN_ID = 5_602
_REGION = name_hash("region of zeng2023")
_OPERATOR = Device.derive(b"zeng2023", "operator")
_KEEPER = Device.derive(b"zeng2023", "door keeper")
_PRICES = Prices(300_000, 90_000, 80_000, 0, 40_000, 60_000, 0, (), "none")
_DEPOSIT = 10**12


class Took(NamedTuple):
    """Seconds of one interval: of a clock and of the processor; the mechanism's share; trades."""

    wall: float
    cpu: float
    clearing: float
    fills: int


def delays(people: int, intervals: int, name: str = "pareto") -> list[Took]:
    """Return what each of some intervals takes in a region of so many participants."""
    keys = [Device.derive(b"zeng2023", f"participant {number}") for number in range(people)]
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "ledger.db") as store:
        chain = EmbeddedChain(store, "zeng2023", _CHAIN_ID, _OPERATOR, lambda key: key.interval)
        ledger = MarketLedger(chain, _REGION)
        found = _founding(keys, name)
        ledger.write(Key(_REGION, 0, Phase.FOUND), found)
        match = mechanism(name).match
        return [
            _interval(ledger, keys, found.participants, number, match)
            for number in range(1, intervals + 1)
        ]


def _interval(
    ledger: Ledger,
    keys: Sequence[Device],
    people: tuple[Participant, ...],
    interval: int,
    match: Mechanism,
) -> Took:
    chance = np.random.default_rng(interval)
    drawn = [_order(keys, number, interval, chance) for number in range(len(keys))]
    wall, cpu = perf_counter(), process_time()
    signed = [
        SignedOrder(order, key.sign(order.digest(ledger.domain)))
        for key, order in zip(keys, drawn, strict=True)
    ]
    accepted, refused = admit(signed, _gate(ledger, people, interval), _OPERATOR.sign)
    if refused:
        raise AssertionError(f"an order of the study is refused: {refused[0].detail}")
    seed, scores = keccak(b"seed"), {one.address: PPM // 2 for one in people}
    buses = {one.address: one.bus for one in people}
    began = process_time()
    fills = cleared(match, accepted, Pairs.of(_PRICES, Tier.LOCAL), buses, scores, seed)
    clearing = process_time() - began
    ranked = tuple(scores[one.order.participant] for one in accepted)
    for phase, record in (
        (Phase.COLLECT, Book(seed, accepted, ())),
        (Phase.PRICE, _PRICES),
        (Phase.CLEAR, Cleared(fills, (), (), (), (), (), scores=ranked)),
        (Phase.COMMIT, Commitment(fills)),
    ):
        ledger.write(Key(_REGION, interval, phase), record)
    return Took(perf_counter() - wall, process_time() - cpu, clearing, len(fills))


def _order(
    keys: Sequence[Device], number: int, interval: int, chance: np.random.Generator
) -> Order:
    """Return a bid of the first half, an offer of the second."""
    side = Side.BID if number < len(keys) // 2 else Side.OFFER
    low, high = (150_000, 250_000) if side is Side.BID else (90_000, 200_000)
    return Order(
        *(keys[number].address, side, Tier.LOCAL, _REGION, interval),
        int(chance.integers(500, 5_000)),
        int(chance.integers(low, high)),
        expires=interval + 1,
    )


def _gate(ledger: Ledger, people: tuple[Participant, ...], interval: int) -> Gate:
    everybody = [one.address for one in people]
    return Gate(
        *(ledger.domain, _REGION, interval),
        {one.address: one for one in people},
        frozenset(),
        {Tier.LOCAL: Pairs.of(_PRICES, Tier.LOCAL)},
        frozenset(one.bus for one in people),
        dict.fromkeys(everybody, 10_000),
        dict.fromkeys(everybody, 10_000),
        {one: ledger.account(one).free for one in everybody},
    )


def _founding(keys: Sequence[Device], name: str) -> Found:
    """Return the first record of a region whose people have money."""
    people = tuple(_participant(key, f"participant {number}") for number, key in enumerate(keys))
    funded = [one.address for one in people] + [Named.REWARD.address]
    terms = (SettlementTerms(), FeedbackTerms(), IncentiveTerms())
    return Found(
        *("zeng2023", _REGION, people, tuple(map(_deposit, funded)), *terms),
        door=DoorTerms((_KEEPER.address,)),
        market=MarketTerms(name),
    )


def _participant(key: Device, name: str) -> Participant:
    commitments = (keccak(f"certificate {name}".encode()), keccak(f"meter {name}".encode()))
    return Participant(name, key.address, 1, Role.CONSUMER | Role.PRODUCER, *commitments)


def _deposit(account: bytes) -> Deposit:
    reference, currency = (
        keccak(b"zeng2023" + account),
        Suite(_OPERATOR.address).currency(_CHAIN_ID),
    )
    digest = deposit_digest(currency, account, _DEPOSIT, reference, 0)
    return Deposit(account, _DEPOSIT, reference, warrant(digest, 0, [_KEEPER.sign]))


def figure_8(draws: int, sizes: Sequence[int] = SIZES) -> Repeated:
    """Return the delay of each method against the number of participants, (size, interval)."""
    found = {
        method: np.array(
            [[one.wall for one in delays(size, draws + 1, name)[1:]] for size in sizes]
        )
        for method, (name, _) in METHODS.items()
    }
    ours, nash = found["pareto"], found["Nash bargaining"]
    small = ours[[place for place, size in enumerate(sizes) if size <= UP_TO]]
    below = (ours.mean(axis=1) < nash.mean(axis=1)).mean()
    return Repeated(
        paper="Zeng23",
        name="figure8",
        title="delay from signed orders to locks on disk",
        unit="s",
        axis="participants",
        at=tuple(map(float, sizes)),
        curves=tuple(curve(m, METHODS[m][1], found[m]) for m in METHODS),
        claims=(
            Claimed(
                "about 0.2 s for up to 10 participants",
                f"mean {small.mean(axis=1).max():.3f} s, longest {small.max():.3f} s",
                "yes" if small.max() <= CLAIMED else "in the mean only"
                if small.mean(axis=1).max() <= CLAIMED else "**no**",
            ),
            Claimed(
                "below Nash bargaining",
                f"mean at {sizes[-1]} participants {ours[-1].mean():.3f} s, Nash bargaining "
                f"{nash[-1].mean():.3f} s; below at {below:.0%} of the sizes",
                "yes" if below == 1 else "**no**: signatures and ledger take the time",
            ),
            Claimed(
                "below double-layer and heterogeneous blockchain",
                "no algorithm in the source, nothing to run",
                "cannot be tested",
            ),
        ),
        words=f"{draws} intervals of each size after one that does not count, wall time on this "
        "machine with whatever else it does. Signing, checking, clearing by the exact front (knee) "
        "and four records on an embedded chain with every block on disk; no network between "
        "people, which the paper does not state either. `python -m bench market_pareto` has the "
        "curve to 1,000 participants.",
    )  # fmt: skip
