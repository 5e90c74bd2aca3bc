"""How near the model comes to the best that can be said of simulated athletes.

`python -m benchmarks.learning_limits` fits the model to simulated athletes as `kneerisk train`
does, and judges it on others beside logistic regression and the oracle, which knows the
simulator.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evaluation.model_evaluation import evaluate_model
from kneerisk.evidence import imbalances
from kneerisk.progress import event
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.settings import SEED
from pipelines.console import progress as console_progress

RESULTS = Path(__file__).parent / "results"
ATHLETES, TRAINED_SEED = 50_000, 1
JUDGED, JUDGED_SEED = 20_000, 50_021
#: Of the risk of a leg: metric, what it is, digits.
RISK = (
    ("auc", "AUC", 4),
    ("log_loss", "log loss", 5),
    ("true_risk_mae", "mean distance from the true risk", 4),
    ("oracle_mae", "mean distance from the oracle's risk", 4),
    ("true_calibration_slope", "slope against the true risk", 3),
)
MODELS = {"model": "", "logistic": "logistic_", "oracle": "oracle_"}


@dataclass(frozen=True, slots=True)
class Limit:
    """Bounds that a metric has to keep."""

    metric: str
    low: float
    high: float

    def holds(self, metrics: Mapping[str, float]) -> bool:
        """Whether it does; a metric that is not there does not."""
        return self.low <= metrics.get(self.metric, float("nan")) <= self.high

    def told(self, metrics: Mapping[str, float]) -> str:
        """The metric beside its bounds, as a row of a table."""
        bounds = f"{self.low:g} to {self.high:g}" if self.low > -1.0 else f"at most {self.high:g}"
        found = metrics.get(self.metric, float("nan"))
        kept = "yes" if self.holds(metrics) else "**no**"
        return f"| `{self.metric}` | {found:.4f} | {bounds} | {kept} |"


def limits() -> list[Limit]:
    """What the model promises on simulated athletes; by how much an AUC may be below has no end."""
    unbounded = float("-inf")
    of_imbalances = [
        Limit(f"imbalance_{name}_auc_below_oracle{part}", unbounded, most)
        for part, most in (("", 0.01), ("_worst_battery", 0.015))
        for name in imbalances()
    ]
    return [
        Limit("auc_below_oracle", unbounded, 0.002),
        Limit("oracle_mae", 0.0, 0.005),
        Limit("true_calibration_slope", 0.95, 1.05),
        *of_imbalances,
    ]


def measured(athletes: int) -> dict[str, float]:
    """Every metric of a model of so many athletes, its baselines and the oracle."""
    with console_progress() as progress:
        progress(event("simulating", athletes=athletes))
        train, test = simulate(athletes, TRAINED_SEED), simulate(JUDGED, JUDGED_SEED)
        fitted = fit(train.cohort, train.truth, seed=SEED, progress=progress)
        return evaluate_model(
            fitted.model, train.cohort, test.cohort, test.truth, seed=SEED, progress=progress
        ).metrics


def as_markdown(metrics: Mapping[str, float], command: str, athletes: int) -> str:
    """The results as Markdown."""
    kept = all(limit.holds(metrics) for limit in limits())
    return "\n".join(
        [
            _HEAD.format(command=command, athletes=athletes, judged=JUDGED),
            "## Risk of a leg",
            "",
            f"| | {' | '.join(MODELS)} |",
            "| --- | ---: | ---: | ---: |",
            *(_risk_row(metrics, *row) for row in RISK),
            "",
            "## Imbalances: AUC",
            "",
            "| | model | oracle | below the oracle | in the worst battery |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(_imbalance_row(metrics, name) for name in imbalances()),
            "",
            "## What was promised",
            "",
            "All of it holds." if kept else "Not all of it holds.",
            "",
            "| metric | found | promised | kept |",
            "| --- | ---: | --- | --- |",
            *(limit.told(metrics) for limit in limits()),
            "",
        ]
    )


def _risk_row(metrics: Mapping[str, float], metric: str, label: str, digits: int) -> str:
    cells = [_cell(metrics, prefix + metric, digits) for prefix in MODELS.values()]
    return f"| {label} | {' | '.join(cells)} |"


def _imbalance_row(metrics: Mapping[str, float], name: str) -> str:
    own = f"imbalance_{name}_auc"
    found = (own, f"oracle_{own}", f"{own}_below_oracle", f"{own}_below_oracle_worst_battery")
    cells = [_cell(metrics, metric, 4) for metric in found]
    return f"| {imbalances()[name].label} | {' | '.join(cells)} |"


def _cell(metrics: Mapping[str, float], name: str, digits: int) -> str:
    return f"{metrics[name]:.{digits}f}" if name in metrics else ""


def main() -> int:
    """Measure, print and write the results; 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning_limits", description=__doc__
    )
    parser.add_argument("--athletes", type=int, default=ATHLETES, help="athletes to fit to")
    given = parser.parse_args()
    metrics = measured(given.athletes)
    asked = "" if given.athletes == ATHLETES else f" --athletes {given.athletes}"
    text = as_markdown(metrics, f"python -m benchmarks.learning_limits{asked}", given.athletes)
    if given.athletes == ATHLETES:
        (RESULTS / "limits.md").write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0 if all(limit.holds(metrics) for limit in limits()) else 1


_HEAD = """# Limits: how near to the best that can be said

Made by `{command}`: fitted to {athletes:,} simulated athletes, judged on {judged:,} others. The
oracle knows the simulator: for what was recorded of an athlete it integrates the true risk over all
that was left open ([how, and how exactly](../../docs/decisions/0018-the-oracle.md)). No model that
reads the same can have a lower expected loss. Risks are ranked against drawn outcomes, imbalances
against their true probabilities; an AUC below the oracle's by less than 0 is above it by chance.
Simulated figures say how well the simulator was learnt, not how well the model does on people.
"""

if __name__ == "__main__":
    sys.exit(main())
