"""Regions report to the zone: who speaks for them, what if it is wrong, and how many fit.

A region's aggregators are elected for an epoch from the qualified ones by trust; each interval one
of them is its delegate, who reports the region's root to the zone. Reports come when they come. The
next global block holds what came; whoever knows a region's true root shows a wrong one, the block
after it corrects it, and the delegate loses its bond, at least half of it to nobody
(5-decisions, sections 9, 16, 17). `contracts/anchor.vy` is what runs; here is the rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridpact.errors import TreeError
from gridpact.quantities import Money, Score, half


@dataclass(frozen=True)
class Candidate:
    """Somebody who may become an aggregator. fingerprint: of its certificate."""

    fingerprint: bytes
    trust: Score
    qualified: bool = True


def elect(candidates: Sequence[Candidate], seats: int) -> tuple[Candidate, ...]:
    """Return the aggregators of an epoch: the most trusted qualified ones, ties by fingerprint."""
    if seats < 1:
        raise TreeError("seats", f"{seats} is no whole number of at least 1")
    able = [one for one in candidates if one.qualified]
    return tuple(sorted(able, key=lambda one: (-one.trust, one.fingerprint))[:seats])


def delegate(elected: Sequence[Candidate], interval: int) -> Candidate:
    """Return whose turn it is to report: one after the other, by fingerprint."""
    return sorted(elected, key=lambda one: one.fingerprint)[interval % len(elected)]


@dataclass(frozen=True)
class Report:
    """A region's root of an interval, and who reports it."""

    region: str
    interval: int
    root: bytes
    delegate: bytes


@dataclass(frozen=True)
class Proof:
    """Somebody shows which root a region's quorum really signed."""

    region: str
    interval: int
    root: bytes
    by: bytes


@dataclass(frozen=True)
class Struck:
    """A bond that was taken. burned + rewarded = the bond."""

    delegate: bytes
    burned: Money
    rewarded: Money
    to: bytes


@dataclass(frozen=True)
class GlobalBlock:
    """What the zone records at once: new reports, corrections of earlier ones, punishments."""

    number: int
    reports: tuple[Report, ...]
    corrected: tuple[Report, ...]
    struck: tuple[Struck, ...]


Chain = tuple[GlobalBlock, ...]


def recorded(chain: Chain) -> dict[tuple[str, int], Report]:
    """Return what stands of each region and interval: the latest correction, else the report."""
    standing: dict[tuple[str, int], Report] = {}
    for block in chain:
        for one in (*block.reports, *block.corrected):
            standing[one.region, one.interval] = one
    return standing


def extended(
    chain: Chain, came: Sequence[Report], proofs: Sequence[Proof], bonds: Mapping[bytes, Money]
) -> GlobalBlock:
    """Return the next global block.

    came
        Reports since the last block, in the order in which they came; the first of a region and
        interval counts, and none in the place of what stands.
    proofs
        Shown since the last block. One against a root that stands and differs corrects it.
    bonds
        What each delegate has pledged and not lost yet.
    """
    before, new = recorded(chain), dict[tuple[str, int], Report]()
    for one in came:
        if (one.region, one.interval) not in before:
            new.setdefault((one.region, one.interval), one)
    corrected, struck = list[Report](), dict[bytes, Struck]()
    for proof in proofs:
        wrong = before.pop((proof.region, proof.interval), None)
        if wrong is None or wrong.root == proof.root:
            continue
        corrected.append(Report(proof.region, proof.interval, proof.root, wrong.delegate))
        bond = bonds.get(wrong.delegate, 0)
        if bond and wrong.delegate not in struck:
            share = half(bond)
            struck[wrong.delegate] = Struck(wrong.delegate, bond - share, share, proof.by)
    return GlobalBlock(len(chain), tuple(new.values()), tuple(corrected), tuple(struck.values()))
