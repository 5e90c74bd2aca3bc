"""A model's metrics as a table: beside its baselines, and the oracle where there is one."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.console import Table

_COLUMNS = {"auc": "AUC", "log_loss": "log loss", "brier": "Brier", "calibration_slope": "slope",
            "integrated_calibration_index": "ICI", "which_limb_auc": "which limb"}  # fmt: skip
#: What a row is of, by how the names of its metrics start.
BESIDE = {"": "model", "logistic_": "logistic", "prior_": "base rate", "oracle_": "oracle"}


def judged(metrics: Mapping[str, float], rows: Mapping[str, str], title: str) -> Table:
    """The rows that were measured, and the columns that any of them has."""
    measured = {start: label for start, label in rows.items() if f"{start}log_loss" in metrics}
    columns = {name: label for name, label in _COLUMNS.items()
               if any(f"{start}{name}" in metrics for start in measured)}  # fmt: skip
    return Table(
        ["", *columns.values()],
        [
            [label, *(_number(metrics.get(f"{start}{name}")) for name in columns)]
            for start, label in measured.items()
        ],
        title,
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
