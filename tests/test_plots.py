"""What a run's pictures show: measures that move risks, imbalances, and axes that runs share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kneerisk.answer.drivers import contributions_of
from kneerisk.answer.predictions import predictions_of
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evaluation.driver_ranking import drivers
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.task_rows import risks_of, task_rows
from kneerisk.schema import coded, read_screening
from kneerisk.training.plots.detail_plots import MOST_DRIVERS
from kneerisk.training.plots.evaluation_plots import plots
from kneerisk.training.plots.plot_style import highest_shown


@pytest.fixture(scope="module")
def judged(released):
    """The champion on other simulated athletes."""
    drawn = simulate(600, 5)
    data = drawn.cohort.columns()
    prediction = released.model.predict(data)
    found = evaluate(
        drawn.cohort, risks_of(prediction), truth=drawn.truth, imbalances=prediction.imbalances
    )
    return replace(found, drivers=drivers(released.model, data, found.task_rows))


class TestDrivers:
    def test_points_are_those_of_an_answer(self, released):
        """One athlete, one leg: the same split as the answer's, without signs."""
        screening = read_screening(
            {"athlete": {"age_years": 27, "sex": "female", "sport": "running"},
             "left": {"hip_drop_deg": 8, "fppa_deg": 13}, "right": {"hip_drop_deg": 4},
             "protocol": {"valgus_task": "single_leg_squat"}}
        )  # fmt: skip
        only_right = task_rows(
            np.array([np.nan, 0.2]), np.array([np.nan, 1.0]), np.array([0, 0]), sided=True
        )
        found = drivers(released.model, coded([screening]), only_right)
        points = {one.measure: one.points for one in found}
        told = contributions_of(predictions_of(released, [screening]), 0, ["right"])
        assert {one.measure: abs(one.points) for one in told} == pytest.approx(points, abs=1e-9)

    def test_directions_are_those_of_the_evidence(self, judged):
        by_name = {one.measure: one for one in judged.drivers}
        assert by_name["prior_knee_injury"].direction == "higher"
        assert by_name["wblt_dorsiflexion_deg"].direction == "lower"
        assert by_name["quad_torque_nm_kg"].direction == "lower"
        assert by_name["quad_torque_nm_kg"].measured < 0.9 < by_name["age_years"].measured
        points = [one.points for one in judged.drivers]
        assert points == sorted(points, reverse=True)


class TestPictures:
    def test_the_strongest_measures_are_drawn_by_label(self, judged):
        axes = plots(judged, "a test")["drivers"].axes[0]
        labels = [text.get_text() for text in axes.get_yticklabels()]
        assert len(labels) == MOST_DRIVERS
        assert labels[0].startswith(judged.drivers[0].label[:20])

    def test_imbalances_are_drawn_where_they_are_known(self, judged):
        assert "imbalances" in plots(judged, "a test")
        told = {name: x for name, x in judged.metrics.items() if not name.startswith("imbalance_")}
        assert "imbalances" not in plots(replace(judged, metrics=told), "a test")

    def test_two_models_of_one_cohort_have_the_same_axes(self, judged):
        other = replace(
            judged,
            task_rows=replace(judged.task_rows, probability=judged.task_rows.probability / 3),
        )
        drawn = [plots(one, "a test") for one in (judged, other)]
        for name in ("calibration", "decision_curve", "risk_distribution", "roc", "slices"):
            (one, another) = ([axes.get_xlim() for axes in each[name].axes] for each in drawn)
            assert one == another

    def test_an_axis_of_risks_holds_most_of_them(self):
        assert [highest_shown(share) for share in (0.01, 0.07, 0.165, 0.5)] == [0.05, 0.3, 0.6, 1.0]
