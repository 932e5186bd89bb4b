"""Small linear programmes, by HiGHS: least cost within rows and a box, or the least excess."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from gridpact.errors import GridError
from gridpact.grid.feeder import FloatArray


def minimise(
    cost: FloatArray, rows: sparse.csr_array, bounds: FloatArray, box: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Return the optimum and the worth of relaxing each row; None when no point fits.

    Raises
    ------
    GridError
        The solver gave up.
    """
    # the stubs know no sparse A_ub
    answer = linprog(cost, rows, bounds, bounds=box, method="highs")  # type: ignore[call-overload]
    if answer.status == 2:
        return None
    if answer.status != 0 or answer.x is None:
        raise GridError(f"the linear programme of the grid check failed: {answer.message}")
    return np.asarray(answer.x), -np.asarray(answer.ineqlin.marginals)


def least_excess(
    rows: sparse.csr_array,
    bounds: FloatArray,
    hard: sparse.csr_array,
    most: FloatArray,
    box: FloatArray,
) -> FloatArray:
    """Return by how much each row is exceeded when the total excess is least; `hard` rows hold.

    Raises
    ------
    GridError
        The hard rows have no point within the box.
    """
    count, width = len(bounds), rows.shape[1]
    table = sparse.block_array([[rows, -sparse.eye_array(count)], [hard, None]], format="csr")
    answer = minimise(
        np.r_[np.zeros(width), np.ones(count)],
        table,
        np.r_[bounds, most],
        np.r_[box, np.c_[np.zeros(count), np.full(count, np.inf)]],
    )
    if answer is None:
        raise GridError("limits with free excess cannot be kept")
    return answer[0][width:]
