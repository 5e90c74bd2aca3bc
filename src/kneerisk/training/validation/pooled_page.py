"""The page of pooled validations: a forest plot of each metric, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass

from kneerisk.evaluation.external.pooled_validation import POOLED, PooledMetric, PooledValidation
from kneerisk.evaluation.pooling import FEWEST_CLUBS, FEWEST_FOR_PREDICTION
from kneerisk.training.validation.forest_plot import Forest, forest
from kneerisk.training.validation.page_rendering import decimal, render, with_interval
from kneerisk.words import listed, text, variant

#: The value of each metric at which a line is drawn: chance, or right.
REFERENCE = {"auc": 0.5, "observed_to_expected": 1.0, "calibration_slope": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A metric: its forest plot and the texts around it."""

    title: str
    plot: Forest
    total: str
    ahead: str | None
    spread: str


def pooled_html(pooled: PooledValidation) -> str:
    """Pooled validations as one HTML page that can be printed and sent: no script, no request."""
    outcome, months = pooled.outcome_kind.replace("_", " "), pooled.horizon_months
    if months:
        outcome = text("shared.within_months", outcome=outcome, months=months)
    there = {metric.metric for metric in pooled.metrics}
    return render(
        "pooled.html.j2",
        pooled=pooled,
        outcome=outcome,
        findings=[finding(metric) for metric in pooled.metrics],
        panels=[_panel(pooled, metric) for metric in pooled.metrics],
        missing=listed(
            [variant("validation.pooled_metric", name) for name in POOLED if name not in there]
        ),
        fewest=FEWEST_CLUBS,
        predicts=len(pooled.clubs) >= FEWEST_FOR_PREDICTION,
        fewest_for_prediction=FEWEST_FOR_PREDICTION,
    )


def finding(metric: PooledMetric) -> str:
    """What a pooled metric says, in one sentence."""
    right = REFERENCE[metric.metric]
    side = "above" if metric.low > right else "below" if metric.high < right else "unclear"
    mean, low, high = (decimal(value, 2) for value in (metric.mean, metric.low, metric.high))
    limits = _ahead(metric)
    ahead = "" if limits is None else text("validation.pooled.finding.ahead", limits=limits)
    values = {"mean": mean, "low": low, "high": high, "ahead": ahead}
    if metric.metric == "auc":
        return variant("validation.pooled.finding.auc", side, **values)
    if metric.metric == "observed_to_expected":
        return variant("validation.pooled.finding.observed_to_expected", side, **values)
    return variant("validation.pooled.finding.calibration_slope", side, **values)


def _ahead(metric: PooledMetric) -> str | None:
    if metric.prediction_low is None or metric.prediction_high is None:
        return None
    low, high = (decimal(end, 2) for end in (metric.prediction_low, metric.prediction_high))
    return text("shared.range", low=low, high=high)


def _panel(pooled: PooledValidation, metric: PooledMetric) -> Panel:
    name = metric.metric
    clubs = [
        (
            club.label,
            with_interval(club.metrics, name),
            club.metrics[name],
            club.metrics[f"{name}_low"],
            club.metrics[f"{name}_high"],
        )
        for club in pooled.clubs
        if f"{name}_low" in club.metrics
    ]
    low, high = (decimal(value, 3) for value in (metric.tau2_low, metric.tau2_high))
    total = with_interval({name: metric.mean, f"{name}_low": metric.low,
                           f"{name}_high": metric.high}, name)  # fmt: skip
    return Panel(
        title=variant("validation.pooled_metric", name),
        plot=forest(clubs, metric, metric.scale, REFERENCE[name]),
        total=total,
        ahead=_ahead(metric),
        spread=text(
            "validation.pooled.spread", tau2=decimal(metric.tau2, 3), low=low, high=high,
            scale=variant("validation.scale", metric.scale), i2=decimal(100 * metric.i2, 0),
            q=decimal(metric.q, 1),
        ),
    )  # fmt: skip
