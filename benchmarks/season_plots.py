"""Plots of a club's season: what version 1 told, the alarm, and what the adapted version tells."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import sem, t

from kneerisk.monitoring.weekly_alarm import RAISED_AT
from kneerisk.schema import FloatArray
from kneerisk.training.plots.plot_style import (
    FAINT,
    INK,
    MODEL,
    WITH_PAIN,
    label_axes,
    legend,
    percent,
    titled_figure,
)

#: Where the axes of risks end, and into how many equally full bins knees are put.
HIGHEST_RISK, BINS = 0.7, 10
#: Weeks of looks that are drawn.
HALF_A_SEASON = 26
#: Where the axis of evidence ends: far beyond the alarm, higher is of no use.
HIGHEST_EVIDENCE = 1e5
_TELLS = {"first": ("version 1", WITH_PAIN, "s"), "adapted": ("adapted version", MODEL, "o")}


def tenths(told: FloatArray, true: FloatArray) -> dict[str, list[float]]:
    """Mean told and true risk in equally full bins of the told one.

    Parameters
    ----------
    told
        Told risks, shape (n,).
    true
        True ones, shape (n,).

    Returns
    -------
    `told` and `true`, each of `BINS` numbers.
    """
    parts = np.array_split(np.argsort(told, kind="stable"), BINS)
    return {name: [float(values[part].mean()) for part in parts]
            for name, values in (("told", told), ("true", true))}  # fmt: skip


def calibration_plot(observed: dict[str, Any], next_year: dict[str, Any]) -> Figure:
    """Version 1 against what the records say of its year; both versions against next year's truth.

    Parameters
    ----------
    observed
        `predicted`, `observed`, `low` and `high` of version 1 in the records, in bins.
    next_year
        By `first` and `adapted`, what `tenths` gave.

    Returns
    -------
    Figure
        With two panels.
    """
    figure = titled_figure(
        "A club whose knees hurt twice as often as told: before and after",
        "Left: 200 athletes in their first year, outcomes from the club's records, weighted for "
        "who was lost; 95 % intervals.\nRight: 200 other athletes of the next year, against the "
        "risks that they truly have; tenths of the knees.",
        (9.6, 5.65),
    )
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    label_axes(left, "Told by version 1", "Observed share with new pain")
    label_axes(right, "Told", "True risk, mean")
    label, colour, marker = _TELLS["first"]
    told, share, low, high = (np.array(observed[name])
                              for name in ("predicted", "observed", "low", "high"))  # fmt: skip
    left.errorbar(told, share, yerr=np.vstack([share - low, high - share]), fmt=marker,
                  color=colour, capsize=3, markersize=5, label=label)  # fmt: skip
    for name, (label, colour, marker) in _TELLS.items():
        bins = next_year[name]
        right.plot(bins["told"], bins["true"], marker=marker, color=colour, linewidth=1.2,
                   markersize=5, label=label)  # fmt: skip
    for axes in (left, right):
        _ideal(axes)
        legend(axes, "upper left")
    return figure


def _ideal(axes: Axes) -> None:
    axes.plot([0, HIGHEST_RISK], [0, HIGHEST_RISK], color=FAINT, linewidth=1, linestyle=":",
              zorder=1)  # fmt: skip
    axes.annotate(
        "as told", (HIGHEST_RISK * 0.99, HIGHEST_RISK * 0.95), color=FAINT, fontsize=8,
        rotation=45, ha="right", va="top", rotation_mode="anchor", transform_rotates_text=True,
    )  # fmt: skip
    axes.set(xlim=(0, HIGHEST_RISK), ylim=(0, HIGHEST_RISK), aspect="equal")
    percent(axes)


def alarm_plot(looks: dict[str, Any], weeks: int) -> Figure:
    """What the club saw each week: the count beside what was told, and the alarm's evidence.

    Parameters
    ----------
    looks
        `observed`, `told` and `evidence` of each week, and `alarm_week`.
    weeks
        How many are shown.

    Returns
    -------
    Figure
        With two panels, one above the other.
    """
    figure = titled_figure(
        "When does the club see it?",
        "200 athletes, asked once a week; a fifth of the answers is missing, and a fifth of the "
        "athletes stops within\na year. Each week's look uses what was reported by then.",
        (7.2, 6.0),
    )
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1))
    label_axes(upper, "", "Athletes with new pain")
    label_axes(lower, "Weeks since the screening", "Evidence of the alarm")
    week = np.arange(1, weeks + 1)
    upper.step(week, looks["observed"][:weeks], where="post", color=WITH_PAIN, linewidth=1.8)
    upper.plot(week, looks["told"][:weeks], color=MODEL, linewidth=1.8, linestyle="--")
    for name, colour in (("observed", WITH_PAIN), ("told", MODEL)):
        upper.annotate(name, (weeks, looks[name][weeks - 1]), (6, 0), textcoords="offset points",
                       color=colour, fontsize=9, va="center", weight="bold")  # fmt: skip
    upper.set_ylim(bottom=0)
    lower.plot(week, looks["evidence"][:weeks], color=INK, linewidth=1.8)
    lower.set_yscale("log")
    lower.set_ylim(0.5, HIGHEST_EVIDENCE)
    lower.axhline(RAISED_AT, color=FAINT, linewidth=1, linestyle="--")
    lower.annotate(f"alarm at {RAISED_AT}", (weeks, RAISED_AT), (0, -4),
                   textcoords="offset points", color=INK, fontsize=8.5, ha="right",
                   va="top")  # fmt: skip
    raised = looks["alarm_week"]
    if raised is not None:
        for axes in (upper, lower):
            axes.axvline(raised, color=WITH_PAIN, linewidth=1, linestyle=":")
        lower.annotate(f"raised in week {raised}", (raised, RAISED_AT), (8, -34),
                       textcoords="offset points", color=WITH_PAIN, fontsize=9,
                       weight="bold")  # fmt: skip
    lower.set_xlim(0, weeks)
    return figure


def levels_plot(seasons: list[dict[str, Any]], target: float) -> Figure:
    """Calibration in the large of each club: told by version 1, after one year and after two.

    Parameters
    ----------
    seasons
        Of each club, `before` and `after`, each with a level for each year.
    target
        How far from 0 it may be.

    Returns
    -------
    Figure
        One row of points for each version.
    """
    figure = titled_figure(
        "Is calibration restored?",
        f"{len(seasons)} simulated clubs of 200 athletes; each dot is one club, against the true "
        f"risks of its next year.\nBar: mean and its 95 % interval. Band: within {target} "
        "log-odds of the truth.",
        (7.2, 3.8),
    )
    axes = label_axes(figure.add_subplot(), "Log-odds by which the true risks are above the told "
                      "ones", "")  # fmt: skip
    rows = {
        "version 1": ([season["before"][0] for season in seasons], WITH_PAIN),
        "adapted to one year": ([season["after"][0] for season in seasons], MODEL),
        "adapted to two years": ([season["after"][1] for season in seasons], MODEL),
    }
    axes.axvspan(-target, target, color=FAINT, alpha=0.18, linewidth=0)
    axes.axvline(0.0, color=FAINT, linewidth=1, linestyle=":")
    rng = np.random.default_rng(0)
    for place, (levels, colour) in enumerate(rows.values()):
        middle, half = mean_and_half(levels)
        jitter = rng.uniform(-0.17, 0.17, len(levels))
        axes.scatter(levels, place + jitter, color=colour, s=18, alpha=0.6, linewidth=0)
        axes.errorbar([middle], [place + 0.32], xerr=[half], fmt="|", color=colour, capsize=3,
                      markersize=9, linewidth=2)  # fmt: skip
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    return figure


def mean_and_half(values: list[float]) -> tuple[float, float]:
    """A mean and half of its 95 % interval (Student's t).

    Parameters
    ----------
    values
        At least two.

    Returns
    -------
    tuple
        The mean, and half the width.
    """
    found = np.asarray(values)
    return float(found.mean()), float(sem(found) * t.ppf(0.975, len(found) - 1))


def all_plots(result: dict[str, Any]) -> dict[str, Figure]:
    """Every plot of the results, by the end of its file's name.

    Parameters
    ----------
    result
        As in `season.json`.

    Returns
    -------
    Figures.
    """
    served = result["served"]
    return {
        "calibration": calibration_plot(served["first_year"], served["next_year"]),
        "alarm": alarm_plot(served["looks"], HALF_A_SEASON),
        "levels": levels_plot(result["seasons"], result["target"]),
    }
