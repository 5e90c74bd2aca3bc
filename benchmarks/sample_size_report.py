"""What was measured over sample size, as a table and as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.club_updating_table import Difference
from kneerisk.schema import FloatArray
from kneerisk.training.plots.plot_style import FAINT, INK, LOGISTIC, MODEL, XGBOOST, dress, figure

#: What the mean log loss may exceed that of the better baseline by.
MOST_WORSE = 5e-4
#: The green of those colours; no oracle is drawn here.
OWN_LEG = "#009E73"
#: What the model is held to.
BASELINES = ("logistic", "xgboost")
#: What is drawn, by the field it stands in: its label, colour, line and marker.
WAYS = {
    "model": ("kneerisk", MODEL, "-", "o"),
    "logistic": ("logistic, both legs", LOGISTIC, "--", "s"),
    "own_leg": ("logistic, own leg", OWN_LEG, ":", "D"),
    "xgboost": ("plain XGBoost", XGBOOST, "-.", "^"),
}
#: Nats are small numbers: thousandths of them are drawn.
THOUSANDTHS = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One cohort: its outcomes, and the expected log loss a leg of each way, in nats."""

    athletes: int
    cohort: int
    outcomes: int
    model: float
    logistic: float
    own_leg: float
    xgboost: float
    base_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """All fits, and the losses on the same fresh athletes that they lie between."""

    fresh: int
    fitted_to: int
    true_risk: float
    oracle: float
    fitted_to_truth: float
    fits: list[Fit]

    @classmethod
    def read(cls, path: Path) -> Curve:
        """What a run left."""
        found = json.loads(path.read_text("utf-8"))
        return cls(**found | {"fits": [Fit(**one) for one in found["fits"]]})

    @property
    def sizes(self) -> list[int]:
        """Athletes of a cohort, least first."""
        return sorted({one.athletes for one in self.fits})

    def losses(self, way: str, size: int) -> FloatArray:
        """The losses of one way at one size, by cohort."""
        return np.array([getattr(one, way) for one in self.fits if one.athletes == size])

    def better(self, size: int) -> str:
        """The baseline with the lower mean loss at a size."""
        return min(BASELINES, key=lambda way: self.losses(way, size).mean())

    def against(self, way: str, size: int) -> Difference:
        """The model less another way, over the same cohorts."""
        return Difference.of(list(self.losses("model", size)), list(self.losses(way, size)))

    def kept(self) -> bool:
        """Whether the model is at no size worse than the better baseline by more than promised."""
        return all(self.against(self.better(n), n).mean <= MOST_WORSE for n in self.sizes)


def as_markdown(curve: Curve) -> tuple[str, bool]:
    """The results as a page, and whether the promise is kept."""
    rows = []
    for size in curve.sizes:
        told = [f"{curve.losses(way, size).mean():.4f}" for way in ("base_rate", *WAYS)]
        apart = [str(curve.against(way, size)) for way in ("logistic", "own_leg", "xgboost")]
        worse = curve.against(curve.better(size), size).worse
        outcomes = curve.losses("outcomes", size).mean()
        rows.append(f"| {size:,} | {outcomes:.0f} | {' | '.join((*told, *apart))} | {worse:.0%} |")
    cohorts = len(curve.losses("model", curve.sizes[0]))
    kept = "It is, at every size." if curve.kept() else "MISSED."
    page = _PAGE.format(
        **{name: getattr(curve, name) for name in ("true_risk", "oracle", "fitted_to_truth")},
        cohorts=cohorts, fresh=curve.fresh, fitted_to=curve.fitted_to, rows="\n".join(rows),
        columns=f"{_COLUMNS}\n|{' --- |' * (_COLUMNS.count('|') - 1)}",
        most=MOST_WORSE, kept=kept,
    )  # fmt: skip
    return page, curve.kept()


def draw(curve: Curve) -> Figure:
    """The loss above the oracle's over sample size, with bands of two standard errors."""
    cohorts = len(curve.losses("model", curve.sizes[0]))
    about = (
        f"Mean over {cohorts} simulated cohorts of each size, fitted to their outcomes; bands: two "
        f"standard errors.\nJudged on {curve.fresh:,} other athletes, under their true risks."
    )
    drawn = figure("How many athletes does it take?", about, (7.2, 4.8))
    axes = dress(drawn.add_subplot(), "Athletes in the cohort (mean number of painful knees)",
                 "Log loss above the oracle's, 0.001 nats")  # fmt: skip
    axes.set_xscale("log")
    sizes = curve.sizes
    for way in WAYS:
        _line(axes, curve, way)
    bounds = {
        "base rate for everybody": float(np.mean([one.base_rate for one in curve.fits])),
        f"kneerisk, told the true risks of {curve.fitted_to:,} athletes": curve.fitted_to_truth,
    }
    for said, loss in bounds.items():
        above = (loss - curve.oracle) * THOUSANDTHS
        axes.axhline(above, color=FAINT, linewidth=1, linestyle=":")
        axes.annotate(said, (sizes[-1], above), (0, 3), textcoords="offset points", color=INK,
                      fontsize=8.5, ha="right")  # fmt: skip
    outcomes = [curve.losses("outcomes", size).mean() for size in sizes]
    told = [f"{size:,}\n({count:.0f})" for size, count in zip(sizes, outcomes, strict=True)]
    axes.set_xticks(sizes, told)
    axes.set_xticks([], minor=True)
    axes.set_ylim(bottom=0.0)
    axes.set_xlim(sizes[0] / 1.05, sizes[-1] * 1.75)
    return drawn


def _line(axes: Axes, curve: Curve, way: str) -> None:
    """One way over sample size, named at its end."""
    label, colour, line, marker = WAYS[way]
    sizes: Sequence[int] = curve.sizes
    losses = [(curve.losses(way, size) - curve.oracle) * THOUSANDTHS for size in sizes]
    mean = np.array([one.mean() for one in losses])
    band = np.array([2.0 * one.std(ddof=1) / np.sqrt(len(one)) for one in losses])
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
its *outcomes* as a club's would be (`fit`, as `kneerisk train` does). Beside it, on the same
cohorts: logistic regression with a tuned ridge penalty (the baseline of every run: a leg's values,
the other leg's and their difference), and XGBoost on the same with depth and rounds tuned; both
choose among athletes. *Own-leg* is logistic regression on a leg's own values alone, a third as many
columns, which suits a model of one leg where outcomes are few. All are judged by the expected log
loss of a leg, in nats, under the true risks of {fresh:,} athletes that nobody was fitted to. A
difference below 0 is a gain of the model; ± is two standard errors over cohorts.

![Log loss above the best possible, over sample size](../../docs/plots/sample-size.png)

{columns}
{rows}

On the same athletes: the true risk itself {true_risk:.4f}; the oracle, the best that can be said
from what was measured, {oracle:.4f}; the model when it is fitted to the *true risks* of
{fitted_to:,} other athletes, as the default model is, {fitted_to_truth:.4f}. What lies between that
and the others is the price of outcomes: a knee that hurts tells little about its risk.

## What was promised

At 500 to 5,000 athletes, mean log loss at most {most:g} above that of the better of logistic
regression and plain XGBoost, the baselines of every run. {kept}

Beside the leaner own-leg model the gain is smaller, the more so the fewer athletes there are: with
some hundred painful knees, which columns a model is given matters as much as which model it is.

The model knows which way a risk factor may count, and which measures published factors rest on; the
simulator is drawn from the same tables. On people that knowledge is worth what the studies are.
"""
