"""Gradient-boosted trees on rows of legs: the booster, the columns it reads, what it adds.

XGBoost (Chen & Guestrin 2016, doi 10.1145/2939672.2939785); the trees start from the linear part's
log-odds and are held to the same monotone directions. It believes what a file says: a node that
points outside of its tree ends the process. So a file's structure is checked before it reads it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kneerisk.model.feature_columns import Column
from kneerisk.model.features import FeatureMatrix, averaged
from kneerisk.model.tree_tables import MOST_ROWS, TreeTables, tables_of
from kneerisk.schema import FloatArray

if TYPE_CHECKING:
    import xgboost as xgb

#: Digits of what trees read and are fitted to. Machines differ in the last bits of a sum, and a
#: split or a single-precision number next to them would fall differently; these digits they share.
DIGITS = 6
#: Screenings whose rows are made together (assumption): no number hangs on it. Fewer than this stay
#: in the processor's cache.
BLOCK = 5_000


@dataclass(frozen=True, kw_only=True)
class BoostedTrees:
    """A booster with the columns that it reads; ``booster`` is None where trees don't help."""

    columns: tuple[Column, ...]
    fill: FloatArray
    """The training cohort's mean of each column, which stands for a missing value: so whether
    something was asked is never an input by itself."""
    booster: xgb.Booster | None
    shared: bool = False
    """The trees read the mean of both legs, and so add the same to either."""

    @cached_property
    def tables(self) -> TreeTables:
        """The trees as arrays."""
        if self.booster is None:
            raise ValueError("there are no trees to predict with")
        return tables_of(_read_ubjson(bytes(self.booster.save_raw("ubj")))["learner"])

    def rows(self, features: FeatureMatrix) -> NDArray[np.float32]:
        """The booster's input.

        Parameters
        ----------
        features
            The feature matrix of n screenings.

        Returns
        -------
        Shape ``(2 n, n_columns)``, left and right leg in turn, without missing values.
        """
        legs = averaged(features) if self.shared else features
        n, n_columns = len(legs.values), len(self.columns)
        rows = np.empty((2 * n, n_columns), dtype=np.float32, order="F")
        # Block by block and in place: of a large cohort, each further copy would be gigabytes.
        for start in range(0, n, BLOCK):
            block = legs.take(slice(start, start + BLOCK)).pick(self.columns)
            values = block.reshape(-1, n_columns)
            np.copyto(values, self.fill, where=np.isnan(values))
            rows[2 * start : 2 * (start + BLOCK)] = values.round(DIGITS, out=values)
        return rows

    def values(self, features: FeatureMatrix) -> FloatArray:
        """What the trees predict by themselves.

        Parameters
        ----------
        features
            The feature matrix of n screenings.

        Returns
        -------
        Shape ``(2 n, n_outputs)``, in the unit of what they were fitted to.

        Raises
        ------
        ValueError
            Where there are no trees.
        """
        rows = self.rows(features)
        if self.booster is None or len(rows) <= MOST_ROWS:
            return self.tables.sums(rows)
        predicted = self.booster.inplace_predict(rows)
        return np.asarray(predicted, dtype=np.float64).reshape(len(rows), -1)

    def log_odds(self, features: FeatureMatrix, base: FloatArray) -> FloatArray:
        """Log-odds of the trees on top of a base.

        Parameters
        ----------
        features
            The feature matrix of n screenings.
        base
            Log-odds that the trees add to, shape ``(2 n, ...)``.

        Returns
        -------
        The shape of ``base``; the base itself where there are no trees.
        """
        if self.booster is None:
            return base
        # XGBoost adds in single precision: the base is added here, so that it keeps its own.
        rows = self.rows(features)
        if len(rows) <= MOST_ROWS:
            return base + self.tables.sums(rows, np.zeros(1, dtype=np.float32)).reshape(base.shape)
        zero = np.zeros(base.shape, dtype=np.float32)
        added = self.booster.inplace_predict(rows, predict_type="margin", base_margin=zero)
        return base + np.asarray(added, dtype=np.float64).reshape(base.shape)


#: What our boosters are; anything else is not one of them.
_OBJECTIVES = ("binary:logistic", "reg:quantileerror", "reg:squarederror")
_WHOLE, _REALS = re.compile(r"\d{1,7}", re.ASCII), re.compile(r"[\[\]\d.,eE+-]{1,200}", re.ASCII)
#: Numbers of UBJSON (ubjson.org, draft 12), big-endian, by marker.
_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
#: Objects inside each other in a model: a dozen (assumption).
_DEEPEST = 12
#: The arrays that have a value for each node of a tree.
_BY_NODE = (
    "base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children",
    "split_conditions", "split_indices", "split_type", "sum_hessian",
)  # fmt: skip
#: The parent of a root, as XGBoost writes it.
_NO_PARENT = 2**31 - 1


def read_booster(content: bytes, n_columns: int) -> xgb.Booster:
    """A booster from a file's content, its structure checked first.

    Parameters
    ----------
    content
        UBJSON, as `Booster.save_model` writes it.
    n_columns
        Columns that it has to read.

    Returns
    -------
    The booster, which uses one thread.

    Raises
    ------
    ValueError
        Where the content is not the structure of our boosters.
    """
    import xgboost as xgb  # here: scikit-learn comes with it, a second of a command's start

    _check_booster(_read_ubjson(content), n_columns)
    # One thread: a request is too small to share, and workers would fight over the cores.
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(content))
    return booster


def _check_booster(data: Any, n_columns: int) -> None:
    learner = data["learner"]
    params, boosted = learner["learner_model_param"], learner["gradient_booster"]
    outputs = max(_whole(params["num_target"]), 1)
    model = boosted["model"]
    trees, counted = model["trees"], model["gbtree_model_param"]
    steps, groups = np.array(model["iteration_indptr"]), np.array(model["tree_info"])
    _require(
        learner["objective"]["name"] in _OBJECTIVES,
        boosted["name"] == "gbtree",
        _whole(params["num_class"]) == 0,
        _whole(params["num_feature"]) == n_columns,
        len(learner["feature_names"]) in (0, n_columns),
        _REALS.fullmatch(params["base_score"]) is not None,
        _whole(counted["num_trees"]) == len(trees) == len(groups),
        _whole(counted["num_parallel_tree"]) == 1,
        all(len(part) == 0 for part in model.get("cats", {}).values()),
        steps[0] == 0 and steps[-1] == len(trees) and bool((np.diff(steps) >= 0).all()),
        set(groups.tolist()) == set(range(outputs)),
    )
    for number, tree in enumerate(trees):
        _check_tree(tree, number, n_columns)


def _check_tree(tree: Any, number: int, n_columns: int) -> None:
    params = tree["tree_param"]
    nodes = _whole(params["num_nodes"])
    left, right, parents = (
        np.array(tree[name]) for name in ("left_children", "right_children", "parents")
    )
    inner = np.flatnonzero(left != -1)
    children, split = np.concatenate([left[inner], right[inner]]), np.array(tree["split_indices"])
    _require(
        tree["id"] == number,
        nodes >= 1 and all(len(tree[name]) == nodes for name in _BY_NODE),
        _whole(params["num_feature"]) == n_columns,
        _whole(params["num_deleted"]) == 0 and _whole(params["size_leaf_vector"]) <= 1,
        all(len(tree[name]) == 0 for name in tree if name.startswith("categories")),
        not np.array(tree["split_type"]).any(),
        bool((right[left == -1] == -1).all()),
        # Every node but the root is the child of one node, which comes before it.
        bool(np.array_equal(np.sort(children), np.arange(1, nodes))),
        bool((children > np.tile(inner, 2)).all()),
        parents[0] == _NO_PARENT and bool((parents[children] == np.tile(inner, 2)).all()),
        bool(((split >= 0) & (split < n_columns)).all()),
    )


def _require(*conditions: bool) -> None:
    if not all(conditions):
        raise ValueError("trees that are not as they are written")


def _whole(text: Any) -> int:
    """A whole number, which XGBoost writes as text."""
    _require(isinstance(text, str) and _WHOLE.fullmatch(text) is not None)
    return int(text)


def _read_ubjson(content: bytes) -> Any:
    """Objects, arrays, texts and numbers of a file, each of a length that the file has."""
    value, end = _value(content, 1, chr(content[0]), _DEEPEST)
    _require(end == len(content), isinstance(value, dict))
    return value


def _value(content: bytes, at: int, marker: str, depth: int) -> tuple[Any, int]:
    _require(depth > 0)
    if marker == "{":
        return _object(content, at, depth)
    if marker == "[":
        return _array(content, at, depth)
    if marker == "S":
        return _text(content, at)
    values, at = _numbers(content, at, marker, 1)
    return values[0], at


def _object(content: bytes, at: int, depth: int) -> tuple[dict[str, Any], int]:
    result: dict[str, Any] = {}
    while content[at] != ord("}"):
        name, at = _text(content, at)
        _require(name not in result)
        result[name], at = _value(content, at + 1, chr(content[at]), depth - 1)
    return result, at + 1


def _array(content: bytes, at: int, depth: int) -> tuple[Any, int]:
    if content[at] == ord("$"):
        marker = chr(content[at + 1])
        _require(content[at + 2] == ord("#"))
        length, at = _length(content, at + 3)
        return _numbers(content, at, marker, length)
    _require(content[at] == ord("#"))
    length, at = _length(content, at + 1)
    values = []
    for _ in range(length):
        value, at = _value(content, at + 1, chr(content[at]), depth - 1)
        values.append(value)
    return values, at


def _text(content: bytes, at: int) -> tuple[str, int]:
    length, at = _length(content, at)
    return content[at : at + length].decode("utf-8"), at + length


def _numbers(content: bytes, at: int, marker: str, count: int) -> tuple[FloatArray, int]:
    kind = np.dtype(_NUMBERS[marker])
    end = at + count * kind.itemsize
    _require(end <= len(content))
    return np.frombuffer(content[at:end], kind), end


def _length(content: bytes, at: int) -> tuple[int, int]:
    """A length, which is never more than what is left."""
    _require(content[at] == ord("L") and at + 9 <= len(content))
    length = int(struct.unpack_from(">q", content, at + 1)[0])
    _require(0 <= length <= len(content) - at - 9)
    return length, at + 9
