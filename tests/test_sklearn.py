"""The classifier: scikit-learn's own checks, and the numbers of the training's method."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.errors import BadCells, CohortRefused
from kneerisk.schema import Quantity, columns
from kneerisk.sklearn import KneeRiskClassifier
from kneerisk.training.fitting.fit import fit, fit_label
from kneerisk.training.fitting.settings import Settings

#: Few trees, so that a fit takes a fifth of a second.
QUICK = Settings(most_rounds=5)
#: Angles, but for those that need a task stated or the other side's.
MEASURES = tuple(
    name for name, measure in columns().items()
    if isinstance(measure, Quantity) and measure.model_input
    and name.endswith("_deg") and not name.endswith(("fppa_deg", "tilt_deg"))
)  # fmt: skip
#: What scikit-learn asks and screenings can't give, and why.
EXCEPTIONS = {
    "check_fit2d_1feature": "three outcomes are too few to learn from: five of either sort are "
    "the least, and less is refused with that reason",
}


class OfMatrix(KneeRiskClassifier):
    """The classifier for scikit-learn's matrices: each column is a measure, within its limits."""

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        values, labels = validate_data(self, X, y)
        super().fit(screenings(values), labels)
        del self.feature_names_in_
        validate_data(self, X)
        return self

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        check_is_fitted(self)
        return super().predict_proba(screenings(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = False
        return tags


def screenings(values: np.ndarray) -> pd.DataFrame:
    assert values.shape[1] <= len(MEASURES)
    frame: dict[str, Any] = {"age_years": np.full(len(values), 25.0), "sex": ["male"] * len(values)}
    for name, column in zip(MEASURES, values.T, strict=False):
        measure = columns()[name]
        assert isinstance(measure, Quantity)
        share = expit(column.astype(np.float64) / 8.0)
        frame[name] = measure.low + (measure.high - measure.low) * share
    return pd.DataFrame(frame)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of scikit-learn's own checks
def test_scikit_learns_checks() -> None:
    results = check_estimator(
        OfMatrix(settings=QUICK), expected_failed_checks=EXCEPTIONS, on_fail=None, on_skip=None
    )
    told = {one["check_name"]: one for one in results}
    assert len(told) > 40
    assert {name for name, one in told.items() if one["status"] == "failed"} == set()
    assert {name for name, one in told.items() if one["status"] == "xfail"} == set(EXCEPTIONS)
    skipped = {name for name, one in told.items() if one["status"] == "skipped"}
    assert skipped <= {"check_array_api_input"}


@pytest.fixture(scope="module")
def few(simulated: Simulated) -> Cohort:
    """Some four hundred athletes, with their outcomes."""
    cohort = simulated.cohort
    return Cohort(cohort.frame.head(400), "observed", "new_pain", 12, "scikit-learn")


def measured(cohort: Cohort) -> pd.DataFrame:
    return cohort.frame.drop(columns=["outcome_left", "outcome_right"])


def test_either_has_the_numbers_of_the_trainings_own_fit(few: Cohort) -> None:
    label = few.outcomes().either
    known = ~np.isnan(label)
    frame = measured(few)[known]
    words = np.where(label[known] == 1.0, "pain", "none")
    classifier = KneeRiskClassifier(settings=QUICK).fit(frame, words)
    assert classifier.classes_.tolist() == ["none", "pain"]
    own = Cohort(frame.reset_index(drop=True), "observed", "new_pain", 12, "scikit-learn")
    expected = fit_label(own, label[known], settings=QUICK).predict(own.columns()).either
    probability = classifier.predict_proba(frame)
    np.testing.assert_array_equal(probability[:, 1], expected)
    np.testing.assert_array_equal(probability.sum(axis=1), 1.0)
    assert set(classifier.predict(frame)) <= {"none", "pain"}
    assert classifier.feature_names_in_.tolist() == list(frame.columns)


def test_legs_have_the_numbers_of_the_trainings_own_fit(few: Cohort) -> None:
    outcomes = few.outcomes()
    y = np.stack([outcomes.left, outcomes.right], axis=1)
    assert np.isnan(y).any()
    classifier = KneeRiskClassifier(knee="legs", settings=QUICK).fit(measured(few), y)
    expected = fit(few, interval=False, settings=QUICK).model.predict(few.columns())
    left, right = classifier.predict_proba(measured(few))
    np.testing.assert_array_equal(left[:, 1], expected.left)
    np.testing.assert_array_equal(right[:, 1], expected.right)
    assert classifier.predict(measured(few)).shape == (len(few.frame), 2)


def test_it_goes_into_cross_validation(few: Cohort) -> None:
    label = few.outcomes().either
    known = ~np.isnan(label)
    frame = measured(few)[known]
    probability = cross_val_predict(
        KneeRiskClassifier(settings=QUICK), frame, label[known].astype(int),
        groups=frame["athlete_id"], cv=GroupKFold(2), method="predict_proba",
    )  # fmt: skip
    assert probability.shape == (len(frame), 2)


def test_what_was_not_measured_may_be_left_out(few: Cohort) -> None:
    label = few.outcomes().either
    known = ~np.isnan(label)
    frame = measured(few)[known]
    classifier = KneeRiskClassifier(settings=QUICK).fit(frame, label[known])
    basic = frame[["sex", "age_years"]]
    empty = frame.assign(**dict.fromkeys(set(frame) - {"sex", "age_years", "athlete_id"}, None))
    np.testing.assert_array_equal(classifier.predict_proba(basic), classifier.predict_proba(empty))


def test_it_refuses_what_is_no_screening(few: Cohort) -> None:
    frame, y = measured(few), np.resize([0, 1], len(few.frame))
    with pytest.raises(TypeError, match="data dictionary"):
        KneeRiskClassifier().fit(frame.to_numpy(), y)
    with pytest.raises(CohortRefused, match="hip_dorp_deg"):
        KneeRiskClassifier().fit(frame.assign(hip_dorp_deg=1.0), y)
    with pytest.raises(BadCells, match="age_years"):
        KneeRiskClassifier().fit(frame.assign(age_years=777.0), y)
    with pytest.raises(ValueError, match="labels"):
        KneeRiskClassifier().fit(frame, y[:-1])
    for legs in (y, np.stack([y, y + 1], axis=1)):
        with pytest.raises(ValueError, match="left and right"):
            KneeRiskClassifier(knee="legs").fit(frame, legs)
