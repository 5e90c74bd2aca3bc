"""A model's metrics as a table, with its baselines, and the oracle where there is one."""

from __future__ import annotations

from collections.abc import Mapping

from kneerisk.evaluation.metric_table import listed
from pipelines.console import Table

#: The label of a row, by how the names of its metrics start.
BASELINES = {"": "model", "logistic_": "logistic", "prior_": "base rate", "oracle_": "oracle"}


def metrics_table(metrics: Mapping[str, float], rows: Mapping[str, str], title: str) -> Table:
    """The rows that were measured, and the columns that any of them has.

    Parameters
    ----------
    metrics
        By flat name.
    rows
        The label of each row, by the prefix of its metrics.
    title
        Above the table.

    Returns
    -------
    A row for each model; a metric that it does not have is a hyphen.
    """
    measured = {prefix: label for prefix, label in rows.items() if f"{prefix}log_loss" in metrics}
    columns = {
        metric.name: metric.column
        for metric in listed("printed")
        if any(f"{prefix}{metric.name}" in metrics for prefix in measured)
    }
    return Table(
        ["", *columns.values()],
        [
            [label, *(_number(metrics.get(f"{prefix}{name}")) for name in columns)]
            for prefix, label in measured.items()
        ],
        title,
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
