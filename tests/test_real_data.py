"""What the published data sets give: the signal that is there, and no more than that.

The rules and the code are the benchmark's own (`kneerisk benchmark`), which makes
`docs/real-benchmark.md` with ten fold seeds; here are fewer, so that it fits into the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from real_data import real_file

from kneerisk.training.benchmark.benchmark_page import target_checks
from kneerisk.training.benchmark.contenders import out_of_fold
from kneerisk.training.benchmark.scoring import TaskScores, score_task
from kneerisk.training.benchmark.tasks import (
    MAYBE_LATER,
    Task,
    ric_tasks,
    weightlifter_tasks,
)
from kneerisk.training.fitting.cross_validation import evaluate_people
from kneerisk.training.registry.verdict import GROUPS_PARAMETER, gates_of, verdict_of

pytestmark = pytest.mark.slow

#: Fold seeds, fixed. More for the limbs: there are fewest of them.
SEEDS = {"which_limb": range(2)}
#: More than the field has ever found would be a leak.
LEAK = 0.78


@pytest.fixture(scope="module")
def tasks() -> dict[str, Task]:
    runners = real_file("ric/run_data_meta.csv"), real_file("ric/run_kinematics.csv")
    found = (*ric_tasks(*runners), *weightlifter_tasks(real_file("weightlifters/wlinj.csv")))
    return {task.name: task for task in found}


@pytest.fixture(scope="module")
def judged(tasks: dict[str, Task]) -> Callable[[str], TaskScores]:
    """A task judged by its name, once."""

    @cache
    def by_name(name: str) -> TaskScores:
        seeds = SEEDS.get(name, range(1))
        return score_task(tasks[name], [out_of_fold(tasks[name], seed) for seed in seeds])

    return by_name


def test_the_sets_are_those_described(tasks: dict[str, Task]) -> None:
    sizes = {
        name: (int(task.evaluated.sum()), len(set(task.athletes[task.evaluated])),
               int(np.nansum(task.label)))
        for name, task in tasks.items()
    }  # fmt: skip
    assert sizes == {
        "which_limb_years": (262, 226, 144),
        "which_limb": (262, 226, 144),
        "painful_knee_years": (1201, 949, 363),
        "painful_knee": (1201, 949, 363),
        "knee_or_other": (870, 692, 363),
        "patellofemoral_or_itb": (207, 180, 110),
        "weightlifters": (773, 773, 204),
        "weightlifters_without_later": (773, 773, 204),
    }


def test_no_model_can_read_who_was_measured_where(tasks: dict[str, Task]) -> None:
    for task in tasks.values():
        told = {name for name in task.cohort.frame.columns if "speed" in name or "site" in name}
        assert not told
    assert not set(MAYBE_LATER) & set(tasks["weightlifters_without_later"].cohort.frame.columns)


@pytest.mark.parametrize("name", ["which_limb", "weightlifters", "weightlifters_without_later"])
def test_what_is_there_is_found(judged: Callable[[str], TaskScores], name: str) -> None:
    found = judged(name)
    missed = [(one.target, one.measured) for one in target_checks(found) if not one.met]
    assert not missed
    assert found.metrics["model"]["auc"] < LEAK


def test_painful_legs_do_not_travel_to_other_years_and_the_painful_limb_does(
    tasks: dict[str, Task],
) -> None:
    """By leg the model knows the years that it has seen: it is refused, for that reason."""
    metrics = evaluate_people(tasks["which_limb"].cohort, range(1)).metrics
    assert metrics["iecv_groups"] == 5.0
    assert metrics["cv_auc"] > 0.63
    assert metrics["iecv_auc"] < 0.60
    params = {"cohort_kind": "observed", "outcome_kind": "present_pain", GROUPS_PARAMETER: "5"}
    assert "does_not_travel" in verdict_of(gates_of(params, metrics, dict))["reasons"]
    assert metrics["cv_which_limb_auc"] >= 0.69
    assert metrics["cv_which_limb_auc"] >= metrics["cv_logistic_which_limb_auc"] - 0.005
    assert metrics["iecv_which_limb_auc"] > 0.65


def test_which_limb_hurts_is_explained_by_no_control(judged: Callable[[str], TaskScores]) -> None:
    assert judged("which_limb").reached_by["model"] == ()


def test_knee_or_another_injury_is_told_by_nothing(judged: Callable[[str], TaskScores]) -> None:
    found = judged("knee_or_other")
    assert all(found.is_chance(name) for name in ("model", "logistic", "xgboost"))
