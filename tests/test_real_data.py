"""What the published data sets give: the signal that is there, and no more than that.

`pytest -s tests/test_real_data.py` prints the numbers that the README states. Every athlete is
judged by a model fitted without them; the logistic beside it has the very same folds.
"""

from __future__ import annotations

import numpy as np
import pytest
from real_data import real_file
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kneerisk.cohort import Cohort, ric, weightlifters
from kneerisk.evidence.population import published
from kneerisk.schema import FloatArray, athlete_measures, leg_measures
from kneerisk.training.cross_validation import FOLDS, out_of_fold
from kneerisk.training.evaluation import Risks, logit
from kneerisk.training.inputs import inputs_of, stratified_folds
from kneerisk.training.splits import subset

pytestmark = pytest.mark.slow

#: Fold seeds, fixed: the mean over them is the number that is stated.
SEEDS = range(10)
#: What the model may fall behind plain logistic regression before it counts as worse.
MARGIN = 0.01
#: Inverse ridge penalties that the logistic chooses from, inside its own folds.
CHOICES = np.logspace(-4, 0, 5)


def told(name: str, model: list[float], logistic: list[float]) -> tuple[float, float]:
    """The mean AUC of both over the seeds, printed with their range."""
    for who, values in (("kneerisk", model), ("logistic", logistic)):
        spread = f"{min(values):.3f} to {max(values):.3f} over {len(values)} fold seeds"
        print(f"\n{name}: {who} AUC {np.mean(values):.3f} ({spread})", end="")  # noqa: T201 - asked for with -s
    return float(np.mean(model)), float(np.mean(logistic))


def logistic_scores(
    cohort: Cohort, x: FloatArray, y: FloatArray, seed: int, *, centred: bool
) -> FloatArray:
    """Out-of-fold log-odds of a ridge logistic that chooses its penalty inside.

    What is not ``centred`` is a difference between legs: one that is missing is none.
    """
    x = x[:, ~np.isnan(x).all(axis=0)]
    fold = stratified_folds(inputs_of(cohort, None, published()), FOLDS, seed)
    athletes = cohort.frame["athlete_id"].to_numpy()
    model = make_pipeline(
        SimpleImputer(strategy="median") if centred else SimpleImputer(strategy="constant"),
        StandardScaler(with_mean=centred),
        LogisticRegression(fit_intercept=centred, max_iter=2_000),
    )
    search = GridSearchCV(model, {"logisticregression__C": CHOICES}, scoring="neg_log_loss",
                          cv=GroupKFold(5))  # fmt: skip
    scores = np.empty(len(y))
    for number in range(FOLDS):
        inside, outside = fold != number, fold == number
        search.fit(x[inside], y[inside], groups=athletes[inside])
        scores[outside] = search.decision_function(x[outside])
    return scores


class TestWhichLimbHurts:
    """Runners of whom just one knee hurts: which is it? Free of who was measured where."""

    @pytest.fixture(scope="class")
    @classmethod
    def one_sided(cls) -> Cohort:
        files = real_file("ric/run_data_meta.csv"), real_file("ric/run_kinematics.csv")
        cohort = ric.ingest(*files).cohort
        outcomes = cohort.outcomes()
        return subset(cohort, outcomes.left + outcomes.right == 1.0)

    def test_the_set_is_the_one_described(self, one_sided: Cohort) -> None:
        assert len(one_sided.frame) == 262
        assert one_sided.frame["athlete_id"].nunique() == 226

    def test_the_gait_of_the_legs_tells_them_apart(self, one_sided: Cohort) -> None:
        is_left = one_sided.outcomes().left
        model = [auc_of_limb(is_left, risks) for risks in out_of_fold(one_sided, SEEDS)]
        logistic = [roc_auc_score(is_left, self._logistic(one_sided, seed)) for seed in SEEDS]

        ours, plain = told("which knee hurts (Running Injury Clinic)", model, logistic)

        assert ours >= 0.68
        assert ours >= plain - MARGIN
        # More than the field has ever found would be a leak.
        assert ours < 0.78

    @staticmethod
    def _logistic(cohort: Cohort, seed: int) -> FloatArray:
        data = cohort.columns()
        apart = np.column_stack([data[f"left_{m}"] - data[f"right_{m}"] for m in leg_measures()])
        return logistic_scores(cohort, apart, cohort.outcomes().left, seed, centred=False)


def auc_of_limb(is_left: FloatArray, risks: Risks) -> float:
    assert risks.left is not None
    assert risks.right is not None
    return float(roc_auc_score(is_left, logit(risks.left) - logit(risks.right)))


class TestKneeInjuryOfWeightlifters:
    @pytest.fixture(scope="class")
    @classmethod
    def survey(cls) -> Cohort:
        return weightlifters.ingest(real_file("weightlifters/wlinj.csv")).cohort

    def test_is_told_as_well_as_a_survey_allows(self, survey: Cohort) -> None:
        injured = survey.outcomes().either
        seeds = SEEDS[:3]
        model = [float(roc_auc_score(injured, r.either)) for r in out_of_fold(survey, seeds)]
        logistic = [roc_auc_score(injured, self._logistic(survey, seed)) for seed in seeds]

        ours, plain = told("knee injury so far (weightlifters)", model, logistic)

        assert 0.60 <= ours <= 0.76
        assert ours >= plain - MARGIN

    @staticmethod
    def _logistic(cohort: Cohort, seed: int) -> FloatArray:
        data = cohort.columns()
        x = np.column_stack([data[name] for name in athlete_measures()])
        return logistic_scores(cohort, x, cohort.outcomes().either, seed, centred=True)
