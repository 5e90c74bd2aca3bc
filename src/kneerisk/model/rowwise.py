"""Sums whose rows do not depend on how many rows there are.

A BLAS product picks another kernel for one row than for many, and numpy another order of adding
for another memory layout; either would give the same athlete another last digit in a team.
"""

from __future__ import annotations

import numpy as np

from kneerisk.schema import FloatArray


def row_sums(terms: FloatArray) -> FloatArray:
    """Sum over the last axis, each row by itself in the same order."""
    return np.asarray(np.ascontiguousarray(terms).sum(axis=-1))
