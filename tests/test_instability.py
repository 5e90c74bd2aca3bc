"""How far risks move when a model is built again on resampled athletes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kneerisk.cohort import Cohort
from kneerisk.cohort.files import write
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evaluation.instability import Instability, measure_instability
from kneerisk.evaluation.run_verdict import verdict
from kneerisk.evaluation.task_rows import Risks
from kneerisk.evidence.population import published
from kneerisk.model import Bundle
from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.features import FeatureMatrix, feature_matrix
from kneerisk.model.imputation import MeasurementUpdate
from kneerisk.model.intervals import BootstrapInterval
from kneerisk.model.margin import Margin, Scaler
from kneerisk.model.prediction import Prediction
from kneerisk.training.fitting.cross_validation import refit_people
from kneerisk.training.fitting.fit import fit
from kneerisk.training.plots.instability_plot import instability_plot
from kneerisk.training.tracking import CARD, Tracking
from kneerisk.training.updating.model_updating import update_model
from kneerisk.training.updating.update_comparison import refit_update
from pipelines.__main__ import app


@pytest.fixture
def by_hand() -> Instability:
    """The hand test of the numbers: two rows, two refits."""
    return Instability(
        predicted=np.array([0.2, 0.5]),
        refitted=np.array([[0.3, 0.4], [0.1, 0.7]]),
        low=np.array([0.15, 0.45]),
        high=np.array([0.25, 0.75]),
    )


class TestByHand:
    def test_mean_absolute_prediction_error(self, by_hand: Instability) -> None:
        assert by_hand.mape == pytest.approx([0.10, 0.15])
        assert by_hand.metrics["instability_mape"] == pytest.approx(0.125)

    def test_classification(self, by_hand: Instability) -> None:
        assert by_hand.classification(0.25) == pytest.approx([0.5, 0.0])
        assert by_hand.metrics["instability_at_15_pct"] == pytest.approx(0.25)

    def test_refits_and_those_outside_the_interval(self, by_hand: Instability) -> None:
        assert by_hand.metrics["instability_refits"] == 2
        assert by_hand.metrics["instability_outside_interval"] == pytest.approx(0.75)

    def test_band_is_of_each_row(self) -> None:
        refitted = np.stack([np.linspace(0.1, 0.3, 41), np.full(41, 0.5)], axis=1)
        band = Instability(predicted=np.array([0.2, 0.5]), refitted=refitted,
                           low=np.zeros(2), high=np.ones(2)).band  # fmt: skip
        assert band[:, 0] == pytest.approx([0.105, 0.295])
        assert band[:, 1] == pytest.approx([0.5, 0.5])


def people(athletes: int, seed: int) -> Cohort:
    """Athletes as a club's file would hold them."""
    return replace(simulate(athletes, seed).cohort, kind="observed", source="a made-up club")


class TestResampling:
    @pytest.fixture
    def cohort(self) -> Cohort:
        """Two screenings of each of forty athletes."""
        cohort = people(40, 2)
        frame = cohort.frame.iloc[np.repeat(np.arange(40), 2)].reset_index(drop=True)
        return replace(cohort, frame=frame)

    def prediction(self, cohort: Cohort) -> Prediction:
        risk = np.full(len(cohort.frame), 0.2)
        ends = dict.fromkeys(("left", "right", "either"), (risk - 0.1, risk + 0.1))
        return Prediction(left=risk, right=risk, either=risk, intervals=ends, imbalances=None)

    def test_athletes_are_drawn_with_all_their_screenings(self, cohort: Cohort) -> None:
        samples = []

        def refit(rows: np.ndarray) -> Risks:
            samples.append(rows)
            risk = np.full(len(cohort.frame), 0.3)
            return Risks(risk, risk, risk)

        measured = measure_instability(cohort, self.prediction(cohort), refit, 3, seed=1)
        assert measured is not None
        assert measured.metrics["instability_mape"] == pytest.approx(0.1)
        assert len(samples) == 3
        for rows in samples:
            assert len(rows) == 80
            drawn = np.bincount(rows, minlength=80).reshape(-1, 2)
            assert (drawn[:, 0] == drawn[:, 1]).all()
            assert len(np.unique(rows)) < 70
        assert not np.array_equal(samples[0], samples[1])

    def test_samples_that_allow_no_model_are_not_counted(self, cohort: Cohort) -> None:
        answers = iter([None, 0.25, None, 0.35])

        def refit(_: np.ndarray) -> Risks | None:
            value = next(answers)
            risk = None if value is None else np.full(len(cohort.frame), value)
            return None if risk is None else Risks(risk, risk, risk)

        measured = measure_instability(cohort, self.prediction(cohort), refit, 4, seed=1)
        assert measured is not None
        assert measured.metrics["instability_refits"] == 2
        assert measured.metrics["instability_mape"] == pytest.approx(0.1)

    def test_none_is_stated_where_nothing_could_be_refitted(self, cohort: Cohort) -> None:
        prediction = self.prediction(cohort)
        assert measure_instability(cohort, prediction, lambda _: None, 5, seed=1) is None
        assert measure_instability(cohort, prediction, lambda _: None, 0, seed=1) is None


class TestInterval:
    """Of models of people: a bootstrap of the linear part, drawn together by the calibration."""

    @pytest.fixture(scope="class")
    @classmethod
    def legs(cls) -> FeatureMatrix:
        cohort = people(40, 2)
        population = published()
        expected = MeasurementUpdate(population).expected(cohort.columns())
        return feature_matrix(population, expected, cohort.columns())

    def margin(self, intercept: float, weight: float) -> Margin:
        column = Column(ColumnKind.EXPECTED, "slr_deg")
        raised = Scaler(columns=(column,), centre=np.zeros(1), spread=np.ones(1))
        none = Scaler(columns=(), centre=np.zeros(0), spread=np.zeros(0))
        weights = {"within_weights": np.zeros(0), "between_weights": np.array([weight])}
        return Margin(within=none, between=raised, **weights, scale=1.0, intercept=intercept)

    def half(self, interval: BootstrapInterval, legs: FeatureMatrix) -> np.ndarray:
        low, high = interval.bounds(legs, np.zeros((len(legs.values), 2)))
        return (high - low) / 2.0

    @pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
    def test_how_often_it_happens_is_no_surer_for_a_model_that_found_little(
        self, legs: FeatureMatrix, slope: float
    ) -> None:
        refits = tuple(self.margin(intercept, 0.0) for intercept in (-2.2, -2.0, -1.8))
        half = self.half(BootstrapInterval(refits=refits, slope=slope), legs)
        assert half == pytest.approx(np.full_like(half, 1.6449 * 0.2), abs=1e-4)

    def test_what_sets_athletes_apart_is_drawn_together(self, legs: FeatureMatrix) -> None:
        refits = tuple(self.margin(-2.0, weight) for weight in (-0.3, 0.0, 0.3))
        whole, fifth = (
            self.half(BootstrapInterval(refits=refits, slope=slope), legs) for slope in (1.0, 0.2)
        )
        assert fifth == pytest.approx(0.2 * whole)

    def test_is_stretched_everywhere_alike(self, legs: FeatureMatrix) -> None:
        refits = tuple(self.margin(*pair) for pair in ((-2.2, 0.3), (-2.0, 0.1), (-1.7, -0.2)))
        interval = BootstrapInterval(refits=refits, slope=0.4)
        half = self.half(interval, legs)
        assert self.half(interval.stretched(1.7), legs) == pytest.approx(1.7 * half)


@pytest.mark.slow
class TestModels:
    def test_where_nothing_is_to_be_found_it_says_how_far_risks_move(self) -> None:
        """Outcomes dealt anew among the athletes: whatever moves from refit to refit is chance."""
        cohort = people(400, 6)
        sides = ["outcome_left", "outcome_right"]
        order = np.random.default_rng(3).permutation(len(cohort.frame))
        dealt = cohort.frame[sides].iloc[order].set_axis(cohort.frame.index)
        null = replace(cohort, frame=cohort.frame.assign(**dealt))
        measured = refit_people(null, fit(null).model, 10)
        assert measured is not None
        metrics = measured.metrics
        assert metrics["instability_refits"] == 10
        # Where nothing is to be found a refit moves everyone, by the error of the overall share.
        legs = null.outcomes().left
        share, n = float(np.nanmean(legs)), 2 * np.isfinite(legs).sum()
        error = float(np.sqrt(share * (1.0 - share) / n))
        assert 0.4 * error < metrics["instability_mape"] < 3.0 * error
        assert metrics["instability_mape"] > 3.0 * float(np.std(measured.predicted))
        assert metrics["instability_outside_interval"] < 0.4
        assert f"{100 * metrics['instability_mape']:.1f} points of 100" in verdict(metrics)

    def test_of_an_update_is_less_than_of_a_model_from_scratch(self, released: Bundle) -> None:
        club = people(300, 8)
        updated = update_model(released.model, club).model
        of_update = refit_update(released.model, club, updated, 8)
        scratch = refit_people(club, fit(club).model, 8)
        assert of_update is not None
        assert scratch is not None
        assert 0.0 < of_update.metrics["instability_mape"] < scratch.metrics["instability_mape"]

    def test_a_run_has_its_metrics_plot_and_line_on_the_card(self, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        monkeypatch.setattr(
            "kneerisk.training.new_versions.trained_version.CROSS_VALIDATION_SEEDS", range(1)
        )
        write(people(260, 3), Path("club.csv"))
        result = CliRunner().invoke(app, ["train", "--data", "club.csv", "--refits", "3", "--json"])
        assert result.exception is None, result.stderr
        trained = json.loads(result.stdout)
        assert trained["metrics"]["instability_refits"] == 3
        tracking = Tracking(tmp_path)
        _, metrics = tracking.logged_values(trained["run_id"])
        assert metrics["instability_mape"] == pytest.approx(trained["metrics"]["instability_mape"])
        card = tracking.download(trained["run_id"], CARD, tmp_path).read_text("utf-8")
        assert "Built again in 3 bootstrap samples of its athletes" in card
        assert "](plots/instability.png)" in card
        assert tracking.has_artifact(trained["run_id"], "instability.png")


def test_the_plot_shows_every_refit_and_the_band(by_hand: Instability) -> None:
    figure = instability_plot(by_hand, "a made-up club")
    dots = figure.axes[0].lines[0]
    assert sorted(zip(*dots.get_data(), strict=True)) == [
        (0.2, 0.1), (0.2, 0.3), (0.5, 0.4), (0.5, 0.7)
    ]  # fmt: skip
    assert len(figure.axes[0].lines) == 4
