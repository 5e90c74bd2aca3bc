"""Restricted cubic splines, the curve behind smooth calibration."""

from __future__ import annotations

import numpy as np

from kneerisk.schema import FloatArray

#: Where the knots of a cubic spline lie (Harrell 2015, table 2.3, four knots).
KNOTS = (0.05, 0.35, 0.65, 0.95)


def restricted_cubic_spline(x: FloatArray, knots: FloatArray) -> FloatArray:
    """Columns of a cubic spline that is straight beyond the outer knots.

    Parameters
    ----------
    x
        Values, shape (n,).
    knots
        In ascending order, shape (k,).

    Returns
    -------
    One, x, and a curve for all but two of the knots, shape (n, k).

    References
    ----------
    Stone & Koo 1985, as Harrell 2015, Regression Modeling Strategies, 2.4.5, writes it.
    """

    def cube(knot: float) -> FloatArray:
        return np.asarray(np.maximum(x - knot, 0.0) ** 3)

    first, before_last, last = knots[0], knots[-2], knots[-1]
    curves = [
        cube(knot)
        - cube(before_last) * (last - knot) / (last - before_last)
        + cube(last) * (before_last - knot) / (last - before_last)
        for knot in knots[:-2]
    ]
    scaled = [curve / (last - first) ** 2 for curve in curves]
    return np.column_stack([np.ones_like(x), x, *scaled])
