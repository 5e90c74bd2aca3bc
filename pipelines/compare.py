"""Runs by id, version or cohort -> their metrics side by side, and what they were made with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kneerisk.errors import KneeriskError
from kneerisk.evaluation.comparison import ComparedRun, Comparison, Row, compare
from kneerisk.training.tracking import CHALLENGER, CHAMPION, Logged, Purpose, Tracking
from kneerisk.training.tracking.page_addresses import BEST_CALIBRATED, of_cohort
from pipelines.console import Cell, Table

#: A beginning of a run's id or of a cohort's digest; shorter ones would name several by chance.
_HEXADECIMAL = re.compile(r"[0-9a-f]{4,64}")
#: Whose runs are judged on held-out athletes, and so compare.
_PURPOSES: tuple[Purpose, ...] = ("train", "adapt", "tune", "benchmark")
_MOST_RUNS = 8


class NotCompared(KneeriskError):
    """Runs that can't be found, or are not enough to compare."""


def compare_runs(
    wanted: Sequence[str], cohort: str | None, *, every_run: bool, every_metric: bool
) -> Comparison:
    """Compare runs of the store of this folder.

    Parameters
    ----------
    wanted
        Beginnings of run ids, versions, or the aliases ``champion`` and ``challenger``.
    cohort
        The beginning of a cohort's digest: all runs on it, best calibrated first.
    every_run
        All runs there are, best calibrated first.

    Raises
    ------
    NotCompared
        Where a run is not there or is named ambiguously, or fewer than two are left.
    """
    tracking = Tracking(Path.cwd())
    if (bool(wanted), cohort is not None, every_run).count(True) != 1:
        raise NotCompared("name the runs to compare, or give --cohort, or --all")
    runs = _named(tracking, wanted) if wanted else _all_on(tracking, cohort)
    if len(runs) < 2:
        raise NotCompared(f"{len(runs)} such run is there; two are needed to compare")
    return compare(runs, every=every_metric)


def _all_on(tracking: Tracking, cohort: str | None) -> list[Logged]:
    if cohort is not None and _HEXADECIMAL.fullmatch(cohort) is None:
        raise NotCompared(f"{cohort} is not the beginning of a digest: 4 to 64 of 0-9 and a-f")
    where = of_cohort(cohort) if cohort else ""
    found = tracking.find(_PURPOSES, where, [f"{BEST_CALIBRATED} ASC"])
    return [run for run in found if "log_loss" in run.metrics][:_MOST_RUNS]


def _named(tracking: Tracking, wanted: Sequence[str]) -> list[Logged]:
    known = tracking.find(_PURPOSES)
    chosen = [_one(tracking, known, text) for text in wanted]
    return list({run.run_id: run for run in chosen}.values())


def _one(tracking: Tracking, known: Sequence[Logged], text: str) -> Logged:
    if text in (CHAMPION, CHALLENGER):
        found = [run for run in known if text in (run.alias or "").split(", ")]
    elif _HEXADECIMAL.fullmatch(text):
        found = [run for run in known if run.run_id.startswith(text)]
    else:
        run_id = tracking.version(text).run_id
        found = [run for run in known if run.run_id == run_id]
    if not found:
        raise NotCompared(f"there is no finished run {text}")
    if len(found) > 1:
        ids = ", ".join(run.run_id[:12] for run in found)
        raise NotCompared(f"{text} is several runs: name one of {ids}")
    return found[0]


def told(found: Comparison) -> list[str | Table]:
    """The result for a person."""
    names = [_heading(run) for run in found.runs]
    two = len(names) == 2
    metrics = Table(
        ["metric", *names, *(["difference"] if two else [])],
        [[row.metric, *_cells(row), *([_apart(row)] if two else [])] for row in found.rows],
    )
    made = [
        [name, *(_short(one or "-") for one in values)] for name, values in found.params.items()
    ]
    same = "Made with the same parameters."
    return [
        *found.warnings,
        metrics,
        *(["* best of these runs"] if any(row.best is not None for row in found.rows) else []),
        Table(["made with", *names], made) if made else same,
        found.verdict,
    ]


def _heading(run: ComparedRun) -> str:
    alias = f" {run.alias}" if run.alias else ""
    return f"{run.name.partition(' ')[0]}{alias} {run.run_id[:8]}"


def _cells(row: Row) -> list[str | Cell]:
    return [
        "-" if value is None
        else Cell(f"{_number(value)} *", "bold green") if place == row.best
        else f"{_number(value)}{'  ' if row.best is not None else ''}"
        for place, value in enumerate(row.values)
    ]  # fmt: skip


def _apart(row: Row) -> str:
    first, second = row.values
    if first is None or second is None or first == second:
        return ""
    return f"{second - first:+,.0f}" if _whole(first, second) else f"{second - first:+.4f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if _whole(value) and abs(value) > 1.0 else f"{value:.4f}"


def _whole(*values: float) -> bool:
    return all(float(value).is_integer() for value in values)


def _short(text: str, most: int = 24) -> str:
    """A parameter as far as it tells runs apart at a glance; --json has the whole."""
    if text.count(".") == 1 and text.replace(".", "").isdecimal():
        return f"{float(text):.5g}"
    return text if len(text) <= most else f"{text[: most - 3]}..."
