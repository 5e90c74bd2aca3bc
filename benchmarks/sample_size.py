"""How many athletes it takes: the model against logistic regression and plain XGBoost.

`python -m benchmarks.sample_size` draws simulated cohorts of each size, fits every model to their
outcomes as to any observed cohort, and scores athletes that no model was fitted to. The score is
the expected log loss of a leg under the true risks, which has no noise from drawn outcomes. Bounds:
the oracle, a model fitted to the true risks of many athletes, and the base rate.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.learning_curve import CohortLosses, LearningCurve, as_markdown, plot
from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.oracle import FEWER_POINTS, oracle
from kneerisk.cohort.simulation.simulated_cohort import Simulated, simulate
from kneerisk.evaluation.baselines.baseline_design import Design, logistic_design
from kneerisk.evaluation.baselines.baselines import fit_logistic, fit_prior, fit_xgboost
from kneerisk.evaluation.task_rows import Risks
from kneerisk.schema import SIDES, Columns, FloatArray, Side
from kneerisk.training.fitting.fit import fit

ROOT = Path(__file__).parents[1]
NUMBERS = ROOT / "benchmarks" / "results" / "sample-size.json"
PAGE = NUMBERS.with_suffix(".md")
PLOT = ROOT / "docs" / "plots" / "sample-size.png"
SIZES = (500, 1000, 2000, 5000)
COHORTS = 20
#: The cohort of size n and number k is drawn with seed n * 1000 + k.
SEED_STEP = 1_000
#: Athletes on whom every model is scored.
TEST, TEST_SEED = 20_000, 71
#: Athletes whose true risks the reference model is fitted to.
TRUE_RISK, TRUE_RISK_SEED = 30_000, 72


class LegRisks(Protocol):
    """Risks of legs, shape (n,) each; None for a cohort without sides."""

    @property
    def left(self) -> FloatArray | None:
        """The left legs."""

    @property
    def right(self) -> FloatArray | None:
        """The right legs."""


class Predictor(Protocol):
    """Our model or a baseline."""

    def predict(self, data: Columns) -> LegRisks:
        """Predict the risks of n screenings."""


@dataclass(frozen=True, slots=True)
class OwnLeg:
    """Logistic regression on the athlete's values and those of one leg: a third as many columns.

    With few outcomes it is a better baseline than one that reads both legs and their difference.
    """

    design: Design
    model: Pipeline

    @classmethod
    def fit(cls, cohort: Cohort) -> OwnLeg:
        """Fit to the legs with an outcome; the penalty is chosen in folds of athletes."""
        design, data, outcomes = logistic_design(), cohort.columns(), cohort.outcomes()
        rows = np.vstack([_own_columns(design, data, side) for side in SIDES])
        outcome = np.concatenate([outcomes.left, outcomes.right])
        athlete = np.tile(cohort.frame["athlete_id"].to_numpy(), 2)
        known = np.isfinite(outcome)
        search = GridSearchCV(
            make_pipeline(
                SimpleImputer(strategy="median", keep_empty_features=True),
                StandardScaler(), LogisticRegression(max_iter=2_000),
            ),
            {"logisticregression__C": np.logspace(-4, 0, 9)},
            scoring="neg_log_loss", cv=GroupKFold(5),
        )  # fmt: skip
        search.fit(rows[known], outcome[known], groups=athlete[known])
        return cls(design, search.best_estimator_)

    def predict(self, data: Columns) -> Risks:
        """Predict the risks of n screenings."""
        left, right = (
            self.model.predict_proba(_own_columns(self.design, data, side))[:, 1] for side in SIDES
        )
        return Risks(left=left, right=right, either=None)


def _own_columns(design: Design, data: Columns, side: Side) -> FloatArray:
    """The athlete's columns, then those of one leg, shape (n, n_columns)."""
    athlete = Design(design.athlete, ()).leg_matrix(data, side)
    return np.column_stack([athlete, *(data[f"{side}_{name}"] for name in design.leg)])


@dataclass(frozen=True)
class Scorer:
    """Scores models on test athletes by the true risks of their legs."""

    test: Simulated

    @property
    def true_risks(self) -> FloatArray:
        """True risks (n, 2); NaN for a knee that hurts already."""
        return self.test.truth[["risk_left", "risk_right"]].to_numpy(np.float64)

    def loss(self, left: FloatArray | None, right: FloatArray | None) -> float:
        """Expected log loss of a leg in nats, for predicted risks of shape (n,) each."""
        if left is None or right is None:
            raise ValueError("a cohort with sides gives a risk for each leg")
        known = ~np.isnan(self.true_risks)
        true, predicted = self.true_risks[known], np.stack([left, right], axis=1)[known]
        return float(-(true * np.log(predicted) + (1.0 - true) * np.log1p(-predicted)).mean())

    def loss_of(self, model: Predictor) -> float:
        """The expected log loss of a model."""
        predicted = model.predict(self.test.cohort.columns())
        return self.loss(predicted.left, predicted.right)

    def fit_and_score(self, size: int, number: int) -> CohortLosses:
        """Draw one cohort, fit every model to its outcomes, and score them.

        The cohort counts as observed, so that typical values and correlations are estimated too.
        """
        simulated = simulate(size, size * SEED_STEP + number).cohort
        cohort = replace(simulated, kind="observed", source="a simulated club")
        outcomes = cohort.outcomes()
        return CohortLosses(
            athletes=size,
            cohort=number,
            outcomes=int(np.nansum([outcomes.left, outcomes.right])),
            model=self.loss_of(fit(cohort, interval=False).model),
            logistic=self.loss_of(fit_logistic(cohort, logistic_design(), seed=0)),
            own_leg=self.loss_of(OwnLeg.fit(cohort)),
            xgboost=self.loss_of(fit_xgboost(cohort, seed=0, either=False)),
            base_rate=self.loss_of(fit_prior(cohort)),
        )

    def oracle(self) -> float:
        """The lowest expected loss that the measured values allow."""
        risks = oracle(self.test.cohort.columns(), FEWER_POINTS)
        return self.loss(risks.left, risks.right)

    def fitted_to_truth(self, athletes: int = TRUE_RISK) -> float:
        """The loss of a model that was fitted to the true risks of many athletes."""
        simulated = simulate(athletes, TRUE_RISK_SEED)
        return self.loss_of(fit(simulated.cohort, simulated.truth, interval=False).model)


@cache
def _scorer() -> Scorer:
    return Scorer(simulate(TEST, TEST_SEED))


def _fit_and_score(task: tuple[int, int]) -> CohortLosses:
    return _scorer().fit_and_score(*task)


def measure(sizes: Sequence[int], cohorts: int, workers: int) -> LearningCurve:
    """Score every cohort of every size, and the bounds.

    Parameters
    ----------
    sizes
        Athletes of a cohort.
    cohorts
        Cohorts of each size.
    workers
        Processes that fit at the same time.

    Returns
    -------
    LearningCurve
        All losses.
    """
    tasks = [(size, number) for size in sizes for number in range(cohorts)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        losses = list(pool.map(_fit_and_score, tasks))
    scorer = _scorer()
    return LearningCurve(
        fresh=TEST,
        fitted_to=TRUE_RISK,
        true_risk=scorer.loss(scorer.true_risks[:, 0], scorer.true_risks[:, 1]),
        oracle=scorer.oracle(),
        fitted_to_truth=scorer.fitted_to_truth(),
        fits=losses,
    )


def main() -> int:
    """Measure, then print and write the page and the plot; 1 if the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sample_size", description=__doc__)
    parser.add_argument("--cohorts", type=int, default=COHORTS, help="cohorts of each size")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--draw", action="store_true", help="only render earlier results again")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if not options.draw:
        measured = measure(options.sizes, options.cohorts, options.workers)
        NUMBERS.write_text(json.dumps(asdict(measured), indent=1) + "\n", "utf-8")
    curve = LearningCurve.read(NUMBERS)
    text, met = as_markdown(curve)
    PAGE.write_text(text, "utf-8")
    PLOT.parent.mkdir(exist_ok=True)
    plot(curve).savefig(PLOT)
    sys.stdout.write(text)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
