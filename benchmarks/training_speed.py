"""Time of training beside that of its own XGBoost calls, and how it grows with the cohort.

`python -m benchmarks.training_speed` trains on 1,000 to 1,000,000 simulated athletes as `kneerisk
train` does, each time in a process and a store of its own, and fails where a target is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import xgboost as xgb
from matplotlib.figure import Figure

from benchmarks.performance_page import RESULTS, write_page
from benchmarks.serving_speed import machine
from kneerisk.evaluation import model_validation
from kneerisk.progress import ProgressEvent
from kneerisk.training.fitting import fit as fitting
from kneerisk.training.plots.plot_style import FAINT, INK, MODEL, XGBOOST, label_axes, titled_figure
from pipelines.options import DEFAULT_ATHLETES, DEFAULT_SEED
from pipelines.train import train_model

SIZES = (1_000, 10_000, DEFAULT_ATHLETES, 100_000, 1_000_000)
PLOT = Path(__file__).parents[1] / "docs" / "plots" / "training-cost.png"
#: What XGBoost itself does in a fit: building its matrices, boosting, predicting.
XGBOOST_CALLS = (
    (xgb, "train"), (xgb.QuantileDMatrix, "__init__"), (xgb.DMatrix, "__init__"),
    (xgb.Booster, "inplace_predict"), (xgb.Booster, "predict"),
)  # fmt: skip
#: Targets: times the XGBoost calls (of a whole training, and the oracle's time); of a million
#: athletes; and the power of the number of athletes that the time may grow with.
MOST_TRAINING, MOST_FIT = 3.0, 1.5
MOST_SECONDS, MOST_GIGABYTES, MOST_SIMULATING = 900.0, 8.0, 30.0
MOST_EXPONENT = 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds of one training and of its parts, and the memory of its process at its largest."""

    athletes: int
    simulating: float
    fit: float
    fit_xgboost: float
    xgboost: float
    oracle: float
    whole: float
    gigabytes: float


class Clock:
    """Seconds spent in some functions, each counted once where one calls another."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._is_running = False

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time added to the clock's."""

        @wraps(function)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            if self._is_running:
                return function(*arguments, **named)
            self._is_running, started = True, time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - started
                self._is_running = False

        return wrapper

    @contextlib.contextmanager
    def on(self, *functions: tuple[Any, str]) -> Iterator[None]:
        """Time these functions, each by its owner and name, until the end of the block."""
        with contextlib.ExitStack() as patches:
            for owner, name in functions:
                patches.enter_context(patch.object(owner, name, self.timed(getattr(owner, name))))
            yield


def measure(athletes: int) -> Cost:
    """Train on so many simulated athletes in the current folder, and time the parts."""
    xgboost, oracle, fit = Clock(), Clock(), Clock()
    in_fit: list[float] = []
    stages: dict[str, float] = {}

    def note(happened: ProgressEvent) -> None:
        stages.setdefault(happened.stage, time.perf_counter())

    def fit_beside(*arguments: Any, **named: Any) -> Any:
        before = xgboost.seconds
        try:
            return fit.timed(whole_fit)(*arguments, **named)
        finally:
            in_fit.append(xgboost.seconds - before)

    whole_fit, started = fitting.fit, time.perf_counter()
    with (
        xgboost.on(*XGBOOST_CALLS),
        oracle.on((model_validation, "oracle_of")),
        patch.object(fitting, "fit", fit_beside),
    ):
        train_model(None, athletes, DEFAULT_SEED, note)
    return Cost(
        athletes=athletes,
        simulating=stages["checking_cohort"] - stages["simulating"],
        fit=fit.seconds,
        fit_xgboost=sum(in_fit),
        xgboost=xgboost.seconds,
        oracle=oracle.seconds,
        whole=time.perf_counter() - started,
        gigabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    )


def measured_alone(athletes: int) -> Cost:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training_speed", "--athletes", str(athletes)]
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory(prefix="kneerisk-bench-") as folder:
        ended = subprocess.run(
            command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, check=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
    return Cost(**json.loads(ended.stdout))


def exponent(costs: list[Cost]) -> float:
    """The power of the number of athletes that the time of a training grows with."""
    x, y = (np.log([getattr(cost, name) for cost in costs]) for name in ("athletes", "whole"))
    return float(np.polyfit(x, y, 1)[0])


def targets(costs: list[Cost]) -> dict[str, tuple[float, float]]:
    """What was reached and what may be, by name; sizes that were not measured have no target."""
    by_size = {cost.athletes: cost for cost in costs}
    reached: dict[str, tuple[float, float]] = {}
    if default := by_size.get(DEFAULT_ATHLETES):
        reached["training, times its XGBoost calls and the oracle"] = (
            default.whole / (default.xgboost + default.oracle), MOST_TRAINING,
        )  # fmt: skip
        reached["fit, times its XGBoost calls"] = (default.fit / default.fit_xgboost, MOST_FIT)
    if million := by_size.get(1_000_000):
        reached["a million athletes, seconds"] = (million.whole, MOST_SECONDS)
        reached["a million athletes, GB"] = (million.gigabytes, MOST_GIGABYTES)
        reached["a million athletes, simulating, seconds"] = (million.simulating, MOST_SIMULATING)
    if len(costs) > 2:
        reached["power of the number of athletes"] = (exponent(costs), MOST_EXPONENT)
    return reached


def as_markdown(costs: list[Cost]) -> str:
    """The page: a row a size, and the targets."""
    versions = ", ".join(f"{name} {value}" for name, value in machine().items())
    rows = [
        f"| {cost.athletes:,} | {cost.simulating:.1f} | {cost.fit:.1f} | {cost.fit_xgboost:.1f} "
        f"| {cost.xgboost:.1f} | {cost.oracle:.1f} | {cost.whole:.1f} | {cost.gigabytes:.1f} |"
        for cost in costs
    ]
    met = [
        f"| {name} | {value:.2f} | {most:g} | {'met' if value <= most else 'MISSED'} |"
        for name, (value, most) in targets(costs).items()
    ]
    return _PAGE.format(versions=versions, rows="\n".join(rows), targets="\n".join(met))


def plot(costs: list[Cost]) -> Figure:
    """Time over the number of athletes, both on logarithmic axes."""
    figure = titled_figure(
        "What does training on more athletes cost?",
        f"`kneerisk train` on simulated athletes, {os.cpu_count()} cores. It grows with the "
        f"{exponent(costs):.2f}th power of their number.",
        (7.2, 4.8),
    )
    axes = label_axes(figure.add_subplot(), "Athletes in the cohort", "Seconds")
    sizes = [cost.athletes for cost in costs]
    lines = {"whole": ("the whole training", MODEL), "fit": ("the fit", INK),
             "xgboost": ("XGBoost's own calls", XGBOOST)}  # fmt: skip
    for name, (label, colour) in lines.items():
        seconds = [getattr(cost, name) for cost in costs]
        axes.plot(sizes, seconds, color=colour, marker="o", markersize=5, label=label, zorder=3)
    axes.axhline(MOST_SECONDS, color=FAINT, linewidth=1, linestyle=":")
    axes.annotate("15 minutes", (sizes[0], MOST_SECONDS), (0, 3), textcoords="offset points",
                  color=INK, fontsize=8.5)  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(frameon=False, loc="lower right", fontsize=8.5)
    return figure


def main() -> int:
    """Measure every size, or one in this process; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--athletes", type=int, help="measure this size alone, and print it")
    alone = parser.parse_args().athletes
    if alone is not None:
        sys.stdout.write(json.dumps(asdict(measure(alone))) + "\n")
        return 0
    costs = [measured_alone(athletes) for athletes in SIZES]
    text = as_markdown(costs)
    result = {"machine": machine(), "costs": [asdict(cost) for cost in costs]}
    (RESULTS / "training-speed.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    (RESULTS / "training-speed.md").write_text(text, "utf-8")
    plot(costs).savefig(PLOT, dpi=150)
    write_page()
    sys.stdout.write(text)
    return int(any(value > most for value, most in targets(costs).values()))


_PAGE = """# Cost of training

Made by `python -m benchmarks.training_speed` ({versions}): seconds of `kneerisk train` on simulated
athletes, from the first to the registered challenger, each in a process of its own. *XGBoost* is
the time inside its own calls: building matrices, boosting, predicting.

| athletes | simulating | fit | XGBoost in the fit | XGBoost in all | oracle | whole | GB at most |
| --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

| target | reached | at most | |
| --- | --- | --- | --- |
{targets}

![Seconds over athletes](../../docs/plots/training-cost.png)
"""

if __name__ == "__main__":
    sys.exit(main())
