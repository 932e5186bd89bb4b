"""Meters count what flowed, in whole Wh, and never hide the region's loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridpact.simulation import meters

energies = st.lists(st.floats(-50_000, 50_000), min_size=1, max_size=20)


@settings(deadline=None)
@given(energies, st.floats(0, 5_000), st.floats(0, 0.01), st.integers(0, 99))
def test_balance_by_readings_is_never_negative(net, lost, deviation, seed):
    true = np.array([*net, sum(net) + lost])
    gain = meters.gains(len(true), deviation, seed)
    after = meters.advance(meters.fresh(len(true)), true, gain)
    assert meters.loss(after.import_wh, after.export_wh) >= 0


@settings(deadline=None)
@given(energies, st.floats(0, 5_000), st.integers(0, 99))
def test_every_meter_reads_within_its_class_and_one_way_only(net, lost, seed):
    true = np.array([*net, sum(net) + lost])
    after = meters.advance(meters.fresh(len(true)), true, meters.gains(len(true), 0.005, seed))
    read = after.import_wh - after.export_wh
    assert (np.abs(read - true) <= meters.CLASS * np.abs(true) + 1).all()
    assert (np.minimum(after.import_wh, after.export_wh) == 0).all()


def test_registers_add_up_over_intervals():
    gain = np.ones(3)
    first = meters.advance(meters.fresh(3), np.array([1000.0, -400.0, 650.0]), gain)
    second = meters.advance(first, np.array([-200.0, -100.0, -250.0]), gain)
    assert second.import_wh.tolist() == [1000, 0, 650]
    assert second.export_wh.tolist() == [200, 500, 250]


def test_error_that_would_eat_the_loss_is_not_read():
    true = np.array([100_000.0, -100_000.0, 10.0])
    after = meters.advance(meters.fresh(3), true, np.array([1.01, 0.99, 1.0]))
    assert after.import_wh.tolist() == [100_000, 0, 10]
    assert after.export_wh.tolist() == [0, 100_000, 0]


def test_gains_are_within_class_one_and_the_substation_is_finer():
    gain = meters.gains(4001, 0.005, 1)
    assert np.abs(gain - 1).max() <= meters.CLASS + 1e-12
    assert (gain[:-1] - 1).std() == pytest.approx(0.005, rel=0.1)
    lasts = np.array([meters.gains(3, 0.004, seed)[-1] - 1 for seed in range(400)])
    assert lasts.std() == pytest.approx(0.001, rel=0.15)
