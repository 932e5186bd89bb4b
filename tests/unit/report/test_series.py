"""The day's curves obey physics."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridpact.report.findings import Findings
from gridpact.report.series import clock


def test_power_into_the_feeder_is_power_used_in_it(found: Findings) -> None:
    curves = found.curves
    supplied = curves.generation + curves.discharge + curves.substation
    used = curves.demand + curves.charge + curves.loss
    # the power flow stops at 1e-8 pu of 1 MVA or better
    np.testing.assert_allclose(supplied, used, atol=0.05)


def test_batteries_never_give_more_than_they_hold(found: Findings) -> None:
    curves = found.curves
    held = np.concatenate([[0.0], curves.stored])[:-1]
    assert (curves.discharge * curves.hours <= held + curves.charge * curves.hours + 1e-6).all()


def test_shares_follow_from_the_substation(found: Findings) -> None:
    curves = found.curves
    taken = float(np.maximum(curves.substation, 0).sum())
    assert curves.self_sufficiency == 1 - taken / float((curves.demand + curves.loss).sum())
    assert 0.3 < curves.self_sufficiency < 0.7
    assert 0.8 < curves.self_consumption < 1


def test_edges_enclose_every_interval(found: Findings) -> None:
    curves = found.curves
    assert len(curves.edges) == len(curves.begins) + 1
    np.testing.assert_allclose(np.diff(curves.edges), curves.hours)


@given(st.integers(0, 24 * 60))
def test_clock_tells_hours_and_minutes(minutes: int) -> None:
    hours, rest = clock(minutes / 60).split(":")
    assert int(hours) * 60 + int(rest) == minutes
