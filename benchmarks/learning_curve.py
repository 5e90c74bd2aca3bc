"""A learning curve: log loss over sample size for the model and baselines, as table and plot.

Two ways of doing something are compared on the same cohorts, pair by pair.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import sem

from kneerisk.schema import FloatArray
from kneerisk.training.plots.plot_style import (
    FAINT,
    INK,
    LOGISTIC,
    MODEL,
    XGBOOST,
    label_axes,
    titled_figure,
)

#: A difference within so many of its standard errors may be chance.
STANDARD_ERRORS = 2.0


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean difference in expected log loss, its standard error, and the share of pairs above 0.

    All are NaN with fewer than two pairs.
    """

    mean: float
    standard_error: float
    share_worse: float
    pairs: int

    @classmethod
    def between(cls, losses: Sequence[float], reference: Sequence[float]) -> PairedDifference:
        """Losses less those of a reference, pair by pair; a pair with a NaN is left out."""
        differences = np.array(losses) - np.array(reference)
        differences = differences[np.isfinite(differences)]
        if len(differences) < 2:
            return cls(float("nan"), float("nan"), float("nan"), len(differences))
        return cls(
            mean=float(differences.mean()),
            standard_error=float(sem(differences)),
            share_worse=float((differences > 0.0).mean()),
            pairs=len(differences),
        )

    @property
    def no_worse(self) -> bool:
        """Whether the mean is not above 0 by more than chance."""
        return self.pairs < 2 or self.mean <= STANDARD_ERRORS * self.standard_error

    def __str__(self) -> str:
        if self.pairs < 2:
            return "none"
        return f"{self.mean:+.5f} ± {STANDARD_ERRORS * self.standard_error:.5f}"


#: Target: by how much the mean log loss may exceed that of the better baseline.
MOST_WORSE = 5e-4
#: The green of the palette, free here since no oracle is drawn.
OWN_LEG = "#009E73"
#: Baselines that the target compares the model with.
BASELINES = ("logistic", "xgboost")
#: Label, colour, line and marker of each model, by its field of `CohortLosses`.
MODELS = {
    "model": ("kneerisk", MODEL, "-", "o"),
    "logistic": ("logistic, both legs", LOGISTIC, "--", "s"),
    "own_leg": ("logistic, own leg", OWN_LEG, ":", "D"),
    "xgboost": ("plain XGBoost", XGBOOST, "-.", "^"),
}
#: Differences in nats are small: the plot shows thousandths.
THOUSANDTHS = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortLosses:
    """One cohort: its painful knees, and the expected log loss of a leg for each model, in nats."""

    athletes: int
    cohort: int
    outcomes: int
    model: float
    logistic: float
    own_leg: float
    xgboost: float
    base_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """The losses of all cohorts, and the bounds that they lie between, on the same test athletes.

    ``fresh`` is the number of test athletes. Bounds: the true risk, the oracle, and the model
    fitted to the true risks of ``fitted_to`` athletes.
    """

    fresh: int
    fitted_to: int
    true_risk: float
    oracle: float
    fitted_to_truth: float
    fits: list[CohortLosses]

    @classmethod
    def read(cls, path: Path) -> LearningCurve:
        """Read the JSON file that a run wrote."""
        content = json.loads(path.read_text("utf-8"))
        return cls(**content | {"fits": [CohortLosses(**entry) for entry in content["fits"]]})

    @property
    def sizes(self) -> list[int]:
        """Athletes of a cohort, fewest first."""
        return sorted({losses.athletes for losses in self.fits})

    def values(self, field: str, size: int) -> FloatArray:
        """A field of `CohortLosses` for every cohort of one size, shape (n_cohorts,)."""
        return np.array([getattr(row, field) for row in self.fits if row.athletes == size])

    def better_baseline(self, size: int) -> str:
        """The baseline with the lower mean loss at a size."""
        return min(BASELINES, key=lambda model: self.values(model, size).mean())

    def difference(self, reference: str, size: int) -> PairedDifference:
        """The model's loss less another's, over the cohorts of one size."""
        return PairedDifference.between(
            list(self.values("model", size)), list(self.values(reference, size))
        )

    def target_met(self) -> bool:
        """Whether the model is at no size worse than the better baseline by more than allowed."""
        return all(
            self.difference(self.better_baseline(size), size).mean <= MOST_WORSE
            for size in self.sizes
        )


def as_markdown(curve: LearningCurve) -> tuple[str, bool]:
    """Render the page, and tell whether the target is met."""
    rows = []
    for size in curve.sizes:
        means = [f"{curve.values(model, size).mean():.4f}" for model in ("base_rate", *MODELS)]
        gains = [str(curve.difference(model, size)) for model in ("logistic", "own_leg", "xgboost")]
        lost = curve.difference(curve.better_baseline(size), size).share_worse
        outcomes = curve.values("outcomes", size).mean()
        rows.append(f"| {size:,} | {outcomes:.0f} | {' | '.join((*means, *gains))} | {lost:.0%} |")
    cohorts = len(curve.values("model", curve.sizes[0]))
    verdict = "Met at every size." if curve.target_met() else "MISSED."
    page = _PAGE.format(
        **{name: getattr(curve, name) for name in ("true_risk", "oracle", "fitted_to_truth")},
        cohorts=cohorts, fresh=curve.fresh, fitted_to=curve.fitted_to, rows="\n".join(rows),
        columns=f"{_COLUMNS}\n|{' --- |' * (_COLUMNS.count('|') - 1)}",
        most=MOST_WORSE, verdict=verdict,
    )  # fmt: skip
    return page, curve.target_met()


def plot(curve: LearningCurve) -> Figure:
    """Plot the loss above the oracle's over sample size, with bands of two standard errors."""
    cohorts = len(curve.values("model", curve.sizes[0]))
    subtitle = (
        f"Mean over {cohorts} simulated cohorts of each size, fitted to their outcomes; bands: two "
        f"standard errors.\nScored on {curve.fresh:,} other athletes, under their true risks."
    )
    figure = titled_figure("How many athletes does it take?", subtitle, (7.2, 4.8))
    axes = label_axes(figure.add_subplot(), "Athletes in the cohort (mean number of painful knees)",
                 "Log loss above the oracle's, 0.001 nats")  # fmt: skip
    axes.set_xscale("log")
    sizes = curve.sizes
    for model in MODELS:
        _plot_model(axes, curve, model)
    bounds = {
        "base rate for everybody": float(np.mean([row.base_rate for row in curve.fits])),
        f"kneerisk, fitted to {curve.fitted_to:,} athletes' true risks": curve.fitted_to_truth,
    }
    for label, loss in bounds.items():
        above = (loss - curve.oracle) * THOUSANDTHS
        axes.axhline(above, color=FAINT, linewidth=1, linestyle=":")
        axes.annotate(label, (sizes[-1], above), (0, 3), textcoords="offset points", color=INK,
                      fontsize=8.5, ha="right")  # fmt: skip
    outcomes = [curve.values("outcomes", size).mean() for size in sizes]
    ticks = [f"{size:,}\n({count:.0f})" for size, count in zip(sizes, outcomes, strict=True)]
    axes.set_xticks(sizes, ticks)
    axes.set_xticks([], minor=True)
    axes.set_ylim(bottom=0.0)
    axes.set_xlim(sizes[0] / 1.05, sizes[-1] * 1.75)
    return figure


def _plot_model(axes: Axes, curve: LearningCurve, model: str) -> None:
    """Plot one model over sample size, with its label at the end of the line."""
    label, colour, line, marker = MODELS[model]
    sizes = curve.sizes
    excess = [(curve.values(model, size) - curve.oracle) * THOUSANDTHS for size in sizes]
    mean = np.array([losses.mean() for losses in excess])
    band = np.array([STANDARD_ERRORS * sem(losses) for losses in excess])
    axes.plot(sizes, mean, color=colour, linestyle=line, marker=marker, markersize=5, zorder=3)
    axes.fill_between(sizes, mean - band, mean + band, color=colour, alpha=0.18, linewidth=0)
    axes.annotate(label, (sizes[-1], mean[-1]), (8, 0), textcoords="offset points", color=colour,
                  fontsize=9, va="center", weight="bold")  # fmt: skip


_COLUMNS = (
    "| athletes | painful knees | base rate | model | logistic | own-leg logistic | plain XGBoost "
    "| model less logistic | model less own-leg logistic | model less plain XGBoost "
    "| cohorts where the better baseline won |"
)

_PAGE = """# How many athletes it takes

Made by `python -m benchmarks.sample_size`: {cohorts} simulated cohorts of each size, each fitted to
its *outcomes* as a club's would be (`fit`, as `kneerisk train` does). On the same cohorts: logistic
regression with a tuned ridge penalty (the baseline of every run: a leg's values, the other leg's
and their difference), and XGBoost on the same columns with tuned depth and rounds; both are tuned
in folds of athletes. *Own-leg* is logistic regression on a leg's own values alone: with a third as
many columns it does better when outcomes are few. The score is the expected log loss of a leg, in
nats, under the true risks of {fresh:,} athletes that no model was fitted to. A difference below 0
is a gain of the model; ± is two standard errors over cohorts.

![Log loss above the best possible, over sample size](../../docs/plots/sample-size.png)

{columns}
{rows}

On the same athletes: the true risk itself {true_risk:.4f}; the oracle, the best possible prediction
from what was measured, {oracle:.4f}; the model when it is fitted to the *true risks* of
{fitted_to:,} other athletes, as the default model is, {fitted_to_truth:.4f}. The gap between that
and the models above is the price of learning from outcomes: whether a knee came to hurt says little
about its risk.

## Target

At 500 to 5,000 athletes, mean log loss at most {most:g} above that of the better of logistic
regression and plain XGBoost, the baselines of every run. {verdict}

Compared with the smaller own-leg model the gain is smaller, and the fewer the athletes the smaller
it is: with a hundred or so painful knees, the choice of columns matters as much as the choice of
model.

The model knows the direction of each published risk factor and the measures that it depends on,
and the simulator is drawn from the same tables. On people, that knowledge is worth as much as the
studies behind it.
"""
