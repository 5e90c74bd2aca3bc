"""Trees as arrays, for few rows: XGBoost's own numbers without the cost of calling it.

A call of XGBoost takes some 0.3 ms however few the rows are. A handful of rows goes through all
trees at once in NumPy, a level at a time, in a tenth of that. Both compare and add the same
single-precision numbers in the same order, so that they give the same bits
(docs/decisions/0058-trees-as-arrays.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneerisk.schema import FloatArray

#: Up to so many rows the arrays are the faster way (measured with 120 trees).
MOST_ROWS = 64

Indices = NDArray[np.intp]
Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeTables:
    """The nodes of all trees, one after the other; a leaf is its own child on both sides.

    ``column``, ``threshold`` and ``missing_right`` (n_nodes,) say which way a row goes: right
    unless its value is below the threshold; ``children`` (2 n_nodes,) are the left and the right
    child of each node in turn. ``leaf`` (n_nodes,) is what a leaf adds to its tree's output.
    ``roots`` (n_trees,) and ``depth`` say where a row begins and how many steps it takes;
    ``trees`` are, for each output, its trees in the order in which they are added to ``base``.
    """

    column: Indices
    threshold: Singles
    missing_right: NDArray[np.bool_]
    children: Indices
    leaf: Singles
    roots: Indices
    depth: int
    trees: tuple[Indices, ...]
    base: Singles

    def sums(self, rows: Singles, start: Singles | None = None) -> FloatArray:
        """What the trees give for some rows.

        Parameters
        ----------
        rows
            Shape ``(n, n_columns)``.
        start
            What the trees of each output are added to, shape ``(n_outputs,)``; None for ``base``.

        Returns
        -------
        Shape ``(n, n_outputs)``.
        """
        is_missing = bool(np.isnan(rows).any())
        flat, first = rows.ravel(), np.arange(len(rows))[:, None] * rows.shape[1]
        node = np.broadcast_to(self.roots, (len(rows), len(self.roots)))
        for _ in range(self.depth):
            value = flat.take(first + self.column.take(node))
            right = value >= self.threshold.take(node)
            if is_missing:
                right |= np.isnan(value) & self.missing_right.take(node)
            node = self.children.take(2 * node + right)
        leaves = self.leaf.take(node)
        begin = self.base if start is None else start
        outputs = np.empty((len(rows), len(self.trees)))
        for output, trees in enumerate(self.trees):
            terms = leaves[:, trees]
            terms[:, 0] += begin[output]
            # One tree after the other, as XGBoost adds them; a sum would add them in pairs.
            outputs[:, output] = terms.cumsum(axis=1, dtype=np.float32)[:, -1]
        return outputs


def tables_of(learner: Any) -> TreeTables:
    """The arrays of a booster.

    Parameters
    ----------
    learner
        The ``learner`` of its file, whose structure was checked.

    Returns
    -------
    Its trees.
    """
    model = learner["gradient_booster"]["model"]
    trees, groups = model["trees"], np.array(model["tree_info"], dtype=np.intp)
    sizes = [len(tree["left_children"]) for tree in trees]
    starts = np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.intp)

    def of_all(name: str, kind: Any) -> NDArray[Any]:
        return np.concatenate([np.asarray(tree[name]) for tree in trees]).astype(kind)

    first = np.repeat(starts, sizes)
    left, right = of_all("left_children", np.intp), of_all("right_children", np.intp)
    is_leaf, own = left == -1, np.arange(len(left))
    condition = of_all("split_conditions", np.float32)
    children = np.stack([np.where(is_leaf, own, first + child) for child in (left, right)], axis=1)
    base = np.array(json.loads(learner["learner_model_param"]["base_score"]), dtype=np.float32)
    return TreeTables(
        column=np.where(is_leaf, 0, of_all("split_indices", np.intp)),
        threshold=condition,
        missing_right=of_all("default_left", np.uint8) == 0,
        children=children.ravel(),
        # XGBoost keeps the value of a leaf where other nodes have their threshold.
        leaf=np.where(is_leaf, condition, np.float32(0.0)),
        roots=starts,
        depth=_depth(children, starts),
        trees=tuple(np.flatnonzero(groups == output) for output in range(base.size)),
        base=base.reshape(-1),
    )


def _depth(children: Indices, roots: Indices) -> int:
    """How many steps lead from the roots to the deepest leaf."""
    depth, level = 0, roots
    while (children[level] != level[:, None]).any():
        depth, level = depth + 1, children[level].ravel()
    return depth
