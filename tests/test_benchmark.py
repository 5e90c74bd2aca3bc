"""The benchmark's own rules, on made-up people: folds, years left out, controls, what is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kneerisk.cohort import Cohort
from kneerisk.errors import CohortRefused
from kneerisk.schema import FloatArray
from kneerisk.training.benchmark.benchmark_page import page, table, target_checks
from kneerisk.training.benchmark.benchmark_plots import forest
from kneerisk.training.benchmark.contenders import OutOfFold, out_of_fold, plain_matrix
from kneerisk.training.benchmark.scoring import (
    TaskScores,
    recalibration,
    score_task,
    within_fold_auc,
)
from kneerisk.training.benchmark.tasks import MAYBE_LATER, Task, one_hot
from pipelines.benchmark import benchmark_method

PEOPLE, VISITS = 60, 2


def made_up(seed: int = 0) -> Cohort:
    """Sixty runners who come twice; the knee that hurts is the one that everts more."""
    rng = np.random.default_rng(seed)
    n = PEOPLE * VISITS
    left = rng.integers(0, 2, n)
    frame = pd.DataFrame(
        {
            "athlete_id": [f"p{number:03d}" for number in np.repeat(np.arange(PEOPLE), VISITS)],
            "age_years": rng.uniform(18, 60, n),
            "sex": rng.choice(["female", "male"], n),
            "sport": "running",
            "left_run_eversion_peak_deg": rng.normal(8, 1.5, n) + 2.0 * left,
            "right_run_eversion_peak_deg": rng.normal(8, 1.5, n) + 2.0 * (1 - left),
            "outcome_left": left.astype(float),
            "outcome_right": 1.0 - left,
            "outcome_either": 1.0,
        }
    )
    return Cohort(frame, "observed", "present_pain", None, "made up")


def limb_task(cohort: Cohort, **more: object) -> Task:
    speed = np.random.default_rng(1).normal(size=(len(cohort.frame), 1))
    given = {
        "name": "limb",
        "title": "Which limb?",
        "label_means": "the left one",
        "cohort": cohort,
        "label": cohort.outcomes().left,
        "controls": {"speed": speed},
        "limb": True,
    }
    return Task(**(given | more))  # type: ignore[arg-type]


class TestFolds:
    def test_nobody_is_ever_on_both_sides_and_everyone_is_judged_once(self) -> None:
        task = limb_task(made_up())
        for seed in range(3):
            judged = np.zeros(len(task.label), dtype=int)
            for train, test in task.splits(seed):
                assert not set(task.athletes[train]) & set(task.athletes[test])
                judged += test
            assert (judged == 1).all()

    def test_whoever_came_in_the_year_left_out_is_left_out_of_the_others(self) -> None:
        cohort = made_up()
        year = np.tile(["2010", "2011"], PEOPLE).astype(object)
        year[:20] = "2012"
        task = limb_task(cohort, block=year)

        for train, test in task.splits(0):
            assert len(set(year[test])) == 1
            assert not set(year[train]) & set(year[test])
            assert not set(task.athletes[train]) & set(task.athletes[test])

        # The others came in both years: without either of them, only the first ten are left.
        assert [len(set(task.athletes[train])) for train, _ in task.splits(0)] == [10, 10, 50]

    def test_who_has_no_label_is_learnt_from_but_not_judged(self) -> None:
        cohort = made_up()
        label = cohort.outcomes().left.copy()
        label[:30] = np.nan
        task = limb_task(cohort, label=label)

        tested = np.any([test for _, test in task.splits(0)], axis=0)

        assert not tested[:30].any()
        assert any(train[:30].any() for train, _ in task.splits(0))


class TestContenders:
    @pytest.fixture(scope="class")
    @classmethod
    def found(cls) -> tuple[Task, OutOfFold]:
        task = limb_task(made_up())
        return task, out_of_fold(task, 0)

    def test_each_gives_a_probability_to_everyone_judged(
        self, found: tuple[Task, OutOfFold]
    ) -> None:
        _, told = found
        assert list(told.probability) == ["model", "prior", "xgboost", "logistic", "control speed"]
        for chance in told.probability.values():
            assert ((chance > 0.0) & (chance < 1.0)).all()
        assert set(told.fold) == set(range(5))

    def test_a_signal_of_the_legs_is_found_and_no_control_reaches_it(
        self, found: tuple[Task, OutOfFold]
    ) -> None:
        judged = score_task(found[0], [found[1]])
        for name in ("model", "xgboost", "logistic"):
            assert judged.metrics[name]["auc"] > 0.75
            assert judged.reached_by[name] == ()
            assert not judged.is_chance(name)
        assert judged.metrics["model"]["right_limb"] > 0.65
        assert judged.is_chance("control speed")

    def test_swapping_the_legs_swaps_the_answer_of_the_plain_ones(self) -> None:
        task = limb_task(made_up())
        frame = task.cohort.frame
        other = {"left_": "right_", "right_": "left_"}
        swapped = frame.rename(columns={
            name: other[side] + name.removeprefix(side)
            for side in other for name in frame.columns if name.startswith(side)
        })  # fmt: skip
        again = limb_task(Cohort(swapped, "observed", "present_pain", None, "made up"))
        assert np.allclose(plain_matrix(task), -plain_matrix(again))

    def test_a_label_of_athletes_is_learnt_by_the_same_model(self) -> None:
        cohort = made_up()
        data = cohort.columns()
        both = data["left_run_eversion_peak_deg"] + data["right_run_eversion_peak_deg"]
        task = limb_task(cohort, limb=False, label=(both > np.median(both)).astype(float))

        judged = score_task(task, [out_of_fold(task, 0)])

        assert judged.metrics["model"]["auc"] > 0.9
        assert "right_limb" not in judged.metrics["model"]


def told(task: Task, seed: int = 0, **chance: FloatArray) -> OutOfFold:
    part = np.zeros(len(task.label), dtype=np.intp)
    for number, (_, test) in enumerate(task.splits(seed)):
        part[test] = number
    return OutOfFold({name.replace("__", " "): c for name, c in chance.items()}, part)


class TestControls:
    """A score that a control reaches is marked, however high it is."""

    @staticmethod
    def judged(told_by_control: float) -> TaskScores:
        task = limb_task(made_up())
        rng = np.random.default_rng(0)

        def guess(signal: float) -> FloatArray:
            margin = signal * (task.label - 0.5) + rng.normal(0, 0.6, 120)
            return np.asarray(1 / (1 + np.exp(-margin)))

        one = told(task, model=guess(1.0), prior=np.full(120, 0.5), xgboost=guess(0.7),
                   logistic=guess(1.0), control__speed=guess(told_by_control))  # fmt: skip
        return score_task(task, [one])

    def test_a_control_that_does_as_well_confounds(self) -> None:
        judged = self.judged(1.0)
        assert judged.metrics["model"]["auc"] > 0.8
        assert judged.reached_by["model"] == ("control speed",)
        assert "confounded: reached by speed" in table(judged)
        assert "above every control" not in table(judged)

    def test_a_control_that_tells_nothing_does_not(self) -> None:
        judged = self.judged(0.0)
        assert judged.reached_by["model"] == ()
        assert "above every control" in table(judged)
        assert "control speed" not in judged.reached_by, "a control is not judged by itself"

    def test_every_metric_has_a_flat_name_and_is_a_number(self) -> None:
        flat = self.judged(0.0).flat()
        assert {"auc", "auc_low", "log_loss", "calibration_slope_low", "logistic_auc",
                "control_speed_auc", "prior_log_loss", "rows", "athletes"} <= set(flat)  # fmt: skip
        assert np.isfinite(list(flat.values())).all()
        json.dumps(flat)

    def test_the_picture_names_every_contender(self) -> None:
        drawn = forest([self.judged(0.0)])
        names = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
        assert names == ["kneerisk", "plain XGBoost", "logistic regression", "control: speed"]


class TestPage:
    NAMES = ("which_limb", "knee_or_other", "patellofemoral_or_itb", "weightlifters",
             "weightlifters_without_later")  # fmt: skip

    @staticmethod
    def of(name: str, model: float, control: float) -> TaskScores:
        task = limb_task(made_up(), name=name, title=name)
        rng = np.random.default_rng(0)

        def guess(signal: float) -> FloatArray:
            margin = signal * (task.label - 0.5) + rng.normal(0, 0.6, 120)
            return np.asarray(1 / (1 + np.exp(-margin)))

        one = told(task, model=guess(model), prior=np.full(120, 0.5), xgboost=guess(model),
                   logistic=guess(model), control__speed=guess(control))  # fmt: skip
        return score_task(task, [one])

    def test_it_says_what_a_control_reaches_and_what_is_chance(self) -> None:
        signals = dict.fromkeys(self.NAMES, (1.0, 0.0))
        signals |= {"knee_or_other": (0.0, 0.0), "patellofemoral_or_itb": (1.0, 1.2)}
        tasks = [self.of(name, *signal) for name, signal in signals.items()]

        text = page(tasks, "a command", {"forest": "f.png", "calibration": "c.png"})

        head, _, rest = text.partition("![")
        assert "running speed does not explain it" in head
        assert "elsewhere can't be predicted here" in head
        assert "no better than by running speed alone" in head
        sections = dict(zip(self.NAMES, rest.split("## ")[1:], strict=False))
        assert "No model finds anything beyond chance" in sections["knee_or_other"]
        assert "**Confounded**" in sections["patellofemoral_or_itb"]
        assert "No control reaches" in sections["which_limb"]
        assert not re.search(r"\bnan\b", text)

    def test_a_limit_that_is_missed_is_told(self) -> None:
        missed = [one for one in target_checks(self.of("which_limb", 0.3, 0.0)) if not one.met]
        assert "AUC at least 0.69" in [one.target for one in missed]
        assert target_checks(self.of("knee_or_other", 0.3, 0.0)) == []


class TestCommand:
    def test_another_file_than_the_published_one_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("a.csv", "b.csv", "c.csv"):
            (tmp_path / name).write_text("id,knees\n1,0\n", encoding="utf-8")
        with pytest.raises(CohortRefused, match="not the published file"):
            benchmark_method((Path("a.csv"), Path("b.csv"), Path("c.csv")), 1, Path("o.md"), str)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "b.csv", "c.csv"]


class TestScores:
    def test_people_are_compared_within_their_part_alone(self) -> None:
        """Two years: each is told perfectly, and the second has higher scores throughout."""
        score = np.array([1.0, 2.0, 11.0, 12.0])
        label = np.array([0.0, 1.0, 0.0, 1.0])
        once = np.ones((1, 4))
        assert within_fold_auc(score, label, np.array([0, 0, 1, 1]), once)[0] == 1.0
        assert within_fold_auc(score, label, np.zeros(4, dtype=int), once)[0] == 0.75

    def test_the_base_rate_scores_a_half_whatever_the_folds(self) -> None:
        cohort = made_up(3)
        task = limb_task(cohort)
        chance = np.full(len(task.label), np.nan)
        for train, test in task.splits(0):
            chance[test] = task.label[train].mean()
        judged = score_task(task, [told(task, model=chance)])
        assert judged.metrics["model"]["auc"] == 0.5
        assert "calibration_slope" not in judged.metrics["model"]

    def test_the_interval_counts_people_not_visits(self) -> None:
        """The same visit ten times over says no more than once."""
        rng = np.random.default_rng(0)
        label = rng.integers(0, 2, 80).astype(float)
        chance = 1 / (1 + np.exp(-(label - 0.5 + rng.normal(0, 1, 80))))
        part, athlete = np.zeros((1, 80), dtype=int), np.arange(80)

        once = recalibration(chance[None], label, part, athlete)
        often = recalibration(
            np.repeat(chance, 10)[None], np.repeat(label, 10), np.repeat(part, 10, axis=1),
            np.repeat(athlete, 10),
        )  # fmt: skip

        for name, value in once.items():
            assert often[name] == pytest.approx(value, abs=1e-6)

    def test_slope_and_intercept_find_what_was_done_to_true_risks(self) -> None:
        rng = np.random.default_rng(1)
        margin = rng.normal(0, 1.5, 20_000)
        label = (rng.random(20_000) < 1 / (1 + np.exp(-margin))).astype(float)
        bold = 1 / (1 + np.exp(-2.0 * margin))
        parts = rng.integers(0, 4, (1, 20_000))

        found = recalibration(bold[None], label, parts, np.arange(20_000))

        assert found["calibration_slope_low"] < 0.5 < found["calibration_slope_high"]
        assert found["calibration_slope_high"] - found["calibration_slope_low"] < 0.06
        assert abs(found["calibration_intercept"]) < 0.1


def test_a_column_for_each_value() -> None:
    assert one_hot(np.array(["b", "a", "b"], dtype=object)).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_what_may_have_come_later_is_in_the_schema() -> None:
    assert set(MAYBE_LATER) <= set(made_up().columns())
