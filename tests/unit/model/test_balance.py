"""A region's balance closes when every meter was heard; until then its rest is carried on."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.model.balance import Closed, close
from gridpact.quantities import MAX_ENERGY, PPM

_open = st.integers(-(2**44), 2**44)
_imports = st.integers(0, 2**43)
_shares = st.integers(0, PPM)


def test_loss_is_what_all_meters_leave_open() -> None:
    assert close(57, 1_000, 20_000, complete=True) == Closed(57, 0)


def test_missing_meter_leaves_the_expected_loss_and_carries_the_rest() -> None:
    # 1,000 Wh heard, 20 of them expected to be lost; a silent home took 300
    assert close(320, 1_000, 20_000, complete=False) == Closed(20, 300)
    # 300 Wh of it are heard an interval later: the balance closes with the loss of both
    assert close(-280 + 300, 1_300, 20_000, complete=True) == Closed(20, 0)


def test_more_out_of_the_region_than_into_it_is_no_negative_loss() -> None:
    assert close(-500, 1_000, 20_000, complete=True) == Closed(20, -520)


@given(_open, _imports, _shares, st.booleans())
def test_nothing_is_lost_and_a_loss_is_possible(
    open_wh: int, imports: int, expected: int, complete: bool
) -> None:
    loss, carried = close(open_wh, imports, expected, complete)
    assert loss + carried == open_wh
    assert 0 <= loss <= MAX_ENERGY
