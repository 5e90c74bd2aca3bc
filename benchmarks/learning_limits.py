"""How close the model comes to the best possible predictions for simulated athletes.

`python -m benchmarks.learning_limits` fits the model to simulated athletes as `kneerisk train`
does, and evaluates it on others together with logistic regression and the oracle, which knows the
simulator.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evaluation.model_validation import evaluate_model
from kneerisk.evidence import imbalances
from kneerisk.progress import event
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.settings import SEED
from pipelines.console import progress as console_progress

PAGE = Path(__file__).parent / "results" / "limits.md"
TRAIN, TRAIN_SEED = 50_000, 1
TEST, TEST_SEED = 20_000, 50_021
#: Metrics of the risk of a leg: name, label, decimals.
RISK_METRICS = (
    ("auc", "AUC", 4),
    ("log_loss", "log loss", 5),
    ("true_risk_mae", "mean absolute error against the true risk", 4),
    ("oracle_mae", "mean absolute error against the oracle's risk", 4),
    ("true_calibration_slope", "slope against the true risk", 3),
)
#: Models by the prefix of their metrics.
MODELS = {"model": "", "logistic": "logistic_", "oracle": "oracle_"}


@dataclass(frozen=True, slots=True)
class Limit:
    """Target: the range that a metric must lie in."""

    metric: str
    low: float
    high: float

    def holds(self, metrics: Mapping[str, float]) -> bool:
        """Whether it does; a missing metric does not."""
        return self.low <= metrics.get(self.metric, float("nan")) <= self.high

    def as_row(self, metrics: Mapping[str, float]) -> str:
        """The metric and its range as a table row."""
        bounds = f"{self.low:g} to {self.high:g}" if self.low > -1.0 else f"at most {self.high:g}"
        value = metrics.get(self.metric, float("nan"))
        met = "yes" if self.holds(metrics) else "**no**"
        return f"| `{self.metric}` | {value:.4f} | {bounds} | {met} |"


def limits() -> list[Limit]:
    """The targets on simulated athletes; how far an AUC may exceed the oracle's has no bound."""
    unbounded = float("-inf")
    imbalance_limits = [
        Limit(f"imbalance_{name}_auc_below_oracle{suffix}", unbounded, most)
        for suffix, most in (("", 0.01), ("_worst_battery", 0.015))
        for name in imbalances()
    ]
    return [
        Limit("auc_below_oracle", unbounded, 0.002),
        Limit("oracle_mae", 0.0, 0.005),
        Limit("true_calibration_slope", 0.95, 1.05),
        *imbalance_limits,
    ]


def measure(athletes: int) -> dict[str, float]:
    """Compute every metric of a model fitted to so many athletes, its baselines and the oracle."""
    with console_progress() as progress:
        progress(event("simulating", athletes=athletes))
        train, test = simulate(athletes, TRAIN_SEED), simulate(TEST, TEST_SEED)
        fitted = fit(train.cohort, train.truth, seed=SEED, progress=progress)
        return evaluate_model(
            fitted.model, train.cohort, test.cohort, test.truth, seed=SEED, progress=progress
        ).metrics


def as_markdown(metrics: Mapping[str, float], command: str, athletes: int) -> str:
    """Render the page of a model fitted to so many athletes by a command."""
    met = all(limit.holds(metrics) for limit in limits())
    return "\n".join(
        [
            _HEAD.format(command=command, athletes=athletes, test=TEST),
            "## Risk of a leg",
            "",
            f"| | {' | '.join(MODELS)} |",
            "| --- | ---: | ---: | ---: |",
            *(_risk_row(metrics, *row) for row in RISK_METRICS),
            "",
            "## Imbalances: AUC",
            "",
            "| | model | oracle | below the oracle | in the worst battery |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(_imbalance_row(metrics, name) for name in imbalances()),
            "",
            "## Targets",
            "",
            "All are met." if met else "Not all are met.",
            "",
            "| metric | measured | target | met |",
            "| --- | ---: | --- | --- |",
            *(limit.as_row(metrics) for limit in limits()),
            "",
        ]
    )


def _risk_row(metrics: Mapping[str, float], metric: str, label: str, decimals: int) -> str:
    cells = [_cell(metrics, prefix + metric, decimals) for prefix in MODELS.values()]
    return f"| {label} | {' | '.join(cells)} |"


def _imbalance_row(metrics: Mapping[str, float], name: str) -> str:
    auc = f"imbalance_{name}_auc"
    names = (auc, f"oracle_{auc}", f"{auc}_below_oracle", f"{auc}_below_oracle_worst_battery")
    cells = [_cell(metrics, metric, 4) for metric in names]
    return f"| {imbalances()[name].label} | {' | '.join(cells)} |"


def _cell(metrics: Mapping[str, float], name: str, decimals: int) -> str:
    return f"{metrics[name]:.{decimals}f}" if name in metrics else ""


def main() -> int:
    """Measure, print and write the page; 1 if a target is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning_limits", description=__doc__
    )
    parser.add_argument("--athletes", type=int, default=TRAIN, help="athletes to fit to")
    options = parser.parse_args()
    metrics = measure(options.athletes)
    default = options.athletes == TRAIN
    command = parser.prog + ("" if default else f" --athletes {options.athletes}")
    text = as_markdown(metrics, command, options.athletes)
    if default:
        PAGE.write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0 if all(limit.holds(metrics) for limit in limits()) else 1


_HEAD = """# Limits: how close to the best possible prediction

Made by `{command}`: fitted to {athletes:,} simulated athletes, evaluated on {test:,} others. The
oracle knows the simulator: given what was recorded of an athlete, it integrates the true risk over
everything that was not ([how, and how exactly](../../docs/decisions/0018-the-oracle.md)). No model
that reads the same values can have a lower expected loss. AUCs of risk are against drawn outcomes,
those of imbalances against true probabilities; a negative difference from the oracle is chance.
Simulated figures show how well the model learned the simulator, not how well it does on people.
"""

if __name__ == "__main__":
    sys.exit(main())
