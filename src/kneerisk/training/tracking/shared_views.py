"""Ready-made views of MLflow's lists of runs: which columns they show, in which order.

MLflow keeps a view that is shared under *Views* as a tag of the experiment, named
`mlflow.sharedViewState.` and an id; an address opens it by that id (read in the page of MLflow
3.17). It has no call to make one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kneerisk.training.tracking.naming import BEST_CALIBRATED, TRAINED_MODELS, Purpose
from kneerisk.words import variant

_TAG = "mlflow.sharedViewState."
#: MLflow's page gives every column the same width and cuts longer names: 7 pixels a letter fit.
_PIXELS_A_LETTER, _LEAST_PIXELS = 7, 90


@dataclass(frozen=True, slots=True)
class View:
    """A list of runs: its id, which names it in an address, its order and its columns."""

    key: str
    order_by: str
    """A metric, lowest first."""
    metrics: tuple[str, ...]
    params: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    """Of which experiments it is a view."""

    def tag(self) -> tuple[str, str]:
        """The tag of an experiment by which MLflow knows it."""
        now = int(1_000 * time.time())
        columns = {
            _column(kind, name): max(_LEAST_PIXELS, _PIXELS_A_LETTER * (len(name) + 3))
            for kind, names in (("metrics", self.metrics), ("params", self.params))
            for name in names
        }
        state = {
            "orderByKey": _column("metrics", self.order_by),
            "orderByAsc": True,
            "selectedColumns": list(columns),
            "columnOrder": list(columns),
            "columnWidths": columns,
        }
        named = {"name": variant("training.view", self.key), "createdAt": now, "updatedAt": now}
        return _TAG + self.key, json.dumps({**named, "state": json.dumps(state)})


_EVALUATED: tuple[Purpose, ...] = ("train", "adapt", "tune")
#: What a run's model is chosen by: it ranks, its risks come true, it is worth acting on, it
#: travels; and on which cohort that was measured.
FIRST_VIEW = View(
    "best-calibrated",
    BEST_CALIBRATED.removeprefix("metrics."),
    (
        "auc", "log_loss", "calibration_slope", "calibration_intercept",
        "integrated_calibration_index", "net_benefit_at_10_pct", "iecv_auc",
    ),
    ("source",),
    _EVALUATED,
)  # fmt: skip
#: The same of whole groups, a club or a sport, that the model had not seen.
_TRAVELS = View(
    "left-out-groups",
    "iecv_log_loss",
    (
        "iecv_auc", "iecv_log_loss", "iecv_calibration_slope", "iecv_calibration_intercept",
        "does_not_travel", "auc", "iecv_groups",
    ),
    ("source",),
    _EVALUATED,
)  # fmt: skip
VIEWS: Sequence[View] = (FIRST_VIEW, _TRAVELS)


def missing_views(purpose: Purpose, tags: Mapping[str, Any]) -> dict[str, str]:
    """The views that an experiment does not have yet.

    Parameters
    ----------
    purpose
        Of the experiment's runs.
    tags
        Of the experiment; a view that a person has changed stays as it is.

    Returns
    -------
    The tags to set, by name.
    """
    views = dict(view.tag() for view in VIEWS if purpose in view.purposes)
    return {name: value for name, value in views.items() if name not in tags}


def view_address(experiment: str, view: View) -> str:
    """The address, within MLflow, of a view of an experiment's runs."""
    return f"/#/experiments/{experiment}/runs?{TRAINED_MODELS}&viewStateShareKey={view.key}"


def _column(kind: str, name: str) -> str:
    """A column as MLflow names it."""
    return f"{kind}.`{name}`"
