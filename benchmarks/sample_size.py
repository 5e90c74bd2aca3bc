"""How many athletes it takes: the model beside logistic regression and plain XGBoost.

`python -m benchmarks.sample_size` draws simulated cohorts of each size, fits everything to their
outcomes as to any other cohort's, and judges on athletes that nobody was fitted to, by the expected
log loss of a leg under the true risks: no draw of outcomes blurs it. Floors and ceilings beside
them: the oracle, a model fitted to the true risks of many athletes, the base rate.
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

from benchmarks.sample_size_report import Curve, Fit, as_markdown, draw
from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.oracle import FEWER_POINTS, oracle
from kneerisk.cohort.simulation.simulated_cohort import Simulated, simulate
from kneerisk.evaluation.baselines import Design, fit_logistic, fit_prior, logistic_design
from kneerisk.evaluation.evaluation import Risks
from kneerisk.evaluation.xgboost_baseline import fit_xgboost
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
#: Those on whom everything is judged, and those whose true risks the reference model learns.
FRESH, FRESH_SEED = 20_000, 71
TRUE, TRUE_SEED = 30_000, 72


class Told(Protocol):
    """Risks of legs."""

    left: FloatArray | None
    right: FloatArray | None


class Predicts(Protocol):
    """Whatever predicts risks from coded columns: ours and the baselines."""

    def predict(self, data: Columns) -> Told:
        """The risks of n screenings."""


@dataclass(frozen=True, slots=True)
class OwnLeg:
    """Logistic regression on a leg's own values alone, and the athlete's: a third as many columns.

    With few outcomes that is a better baseline than one that reads both legs and their difference.
    """

    design: Design
    model: Pipeline

    @classmethod
    def fit(cls, cohort: Cohort) -> OwnLeg:
        """Fit on legs with an outcome; the penalty is chosen in folds of athletes."""
        design, data, outcomes = logistic_design(), cohort.columns(), cohort.outcomes()
        rows = np.vstack([_own(design, data, side) for side in SIDES])
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
        """The risks of n screenings."""
        left, right = (
            self.model.predict_proba(_own(self.design, data, side))[:, 1] for side in SIDES
        )
        return Risks(left=left, right=right, either=None)


def _own(design: Design, data: Columns, side: Side) -> FloatArray:
    """Columns of the athlete, then of one leg."""
    athlete = Design(design.athlete, ()).of_leg(data, side)
    return np.column_stack([athlete, *(data[f"{side}_{name}"] for name in design.leg)])


@dataclass(frozen=True)
class Judge:
    """Fresh athletes and the true risks of their legs, shape (n, 2); NaN for one that hurts."""

    fresh: Simulated

    @property
    def true(self) -> FloatArray:
        """True risks (n, 2)."""
        return self.fresh.truth[["risk_left", "risk_right"]].to_numpy(np.float64)

    def loss(self, left: FloatArray | None, right: FloatArray | None) -> float:
        """Expected log loss of a leg, in nats."""
        if left is None or right is None:
            raise ValueError("a cohort with sides gives a risk for each leg")
        known = ~np.isnan(self.true)
        true, told = self.true[known], np.stack([left, right], axis=1)[known]
        return float(-(true * np.log(told) + (1.0 - true) * np.log1p(-told)).mean())

    def of(self, model: Predicts) -> float:
        """The loss of a model."""
        found = model.predict(self.fresh.cohort.columns())
        return self.loss(found.left, found.right)

    def fitted(self, size: int, number: int) -> Fit:
        """One cohort: drawn, and fitted to its outcomes in each way.

        As an observed one: what is usual and what goes with what are estimated as well.
        """
        drawn = simulate(size, size * SEED_STEP + number).cohort
        cohort = replace(drawn, kind="observed", source="a simulated club")
        outcomes = cohort.outcomes()
        return Fit(
            athletes=size,
            cohort=number,
            outcomes=int(np.nansum([outcomes.left, outcomes.right])),
            model=self.of(fit(cohort, interval=False).model),
            logistic=self.of(fit_logistic(cohort, logistic_design(), seed=0)),
            own_leg=self.of(OwnLeg.fit(cohort)),
            xgboost=self.of(fit_xgboost(cohort, seed=0, either=False)),
            base_rate=self.of(fit_prior(cohort)),
        )

    def oracle(self) -> float:
        """The least loss that the measured values allow."""
        best = oracle(self.fresh.cohort.columns(), FEWER_POINTS)
        return self.loss(best.left, best.right)

    def fitted_to_truth(self, athletes: int = TRUE) -> float:
        """The loss of a model that was told the true risks of many athletes."""
        drawn = simulate(athletes, TRUE_SEED)
        return self.of(fit(drawn.cohort, drawn.truth, interval=False).model)


@cache
def _judge() -> Judge:
    return Judge(simulate(FRESH, FRESH_SEED))


def _fitted(task: tuple[int, int]) -> Fit:
    return _judge().fitted(*task)


def measure(sizes: Sequence[int], cohorts: int, workers: int) -> Curve:
    """Every cohort of every size, and the losses that they lie between."""
    tasks = [(size, number) for size in sizes for number in range(cohorts)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        fits = list(pool.map(_fitted, tasks))
    judge = _judge()
    return Curve(
        fresh=FRESH,
        fitted_to=TRUE,
        true_risk=judge.loss(judge.true[:, 0], judge.true[:, 1]),
        oracle=judge.oracle(),
        fitted_to_truth=judge.fitted_to_truth(),
        fits=fits,
    )


def main() -> int:
    """Measure, print and write the results; 1 where the promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sample_size", description=__doc__)
    parser.add_argument("--cohorts", type=int, default=COHORTS, help="cohorts of each size")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--draw", action="store_true", help="only draw what was measured again")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if not given.draw:
        curve = measure(given.sizes, given.cohorts, given.workers)
        NUMBERS.write_text(json.dumps(asdict(curve), indent=1) + "\n", "utf-8")
    curve = Curve.read(NUMBERS)
    text, met = as_markdown(curve)
    PAGE.write_text(text, "utf-8")
    PLOT.parent.mkdir(exist_ok=True)
    draw(curve).savefig(PLOT)
    sys.stdout.write(text)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
