"""Runs side by side: what is said of them, and the command that says it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from kneerisk.evaluation.comparison import compare, shown_metrics
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.metrics import log_loss, log_loss_over
from kneerisk.evaluation.model_validation import training_metrics
from kneerisk.evaluation.run_verdict import verdict
from kneerisk.evaluation.task_rows import Risks, own_task
from kneerisk.training.tracking import CHALLENGER, CHAMPION, LoggedRun, Tracking
from pipelines.__main__ import app

ONE, OTHER = "ab" * 32, "cd" * 32
CHANCE = {"log_loss_over_logistic_error": 0.001}


def run(number: int, digest: str = ONE, params=None, **metrics: float) -> LoggedRun:
    made = {"data_sha256": digest, "outcome_kind": "new_pain", "horizon_months": "12"}
    return LoggedRun(
        f"{number}" * 32, f"v{number} a run", "1", made | (params or {}), metrics, {}
    )  # fmt: skip


class TestComparison:
    def test_each_metric_has_its_own_best_side(self):
        found = compare(
            [
                run(1, auc=0.70, log_loss=0.30, calibration_slope=0.7, calibration_intercept=-0.1),
                run(2, auc=0.60, log_loss=0.20, calibration_slope=1.2, calibration_intercept=0.3),
            ]
        )
        best = {row.metric: row.best for row in found.rows}
        assert best == {
            "auc": 0, "log_loss": 1, "calibration_slope": 1, "calibration_intercept": 0,
        }  # fmt: skip

    def test_what_one_run_lacks_is_missing_and_never_best(self):
        found = compare([run(1, log_loss=0.3), run(2, log_loss=0.4, auc=0.6)])
        (area,) = [row for row in found.rows if row.metric == "auc"]
        assert area.values == (None, 0.6)
        assert area.best is None

    def test_only_params_that_differ_are_told(self):
        found = compare([run(1, params={"seed": "0", "depth": "3"}), run(2, params={"seed": "1"})])
        assert found.params == {"seed": ("0", "1"), "depth": ("3", None)}

    def test_parts_are_told_where_every_metric_is_asked_for(self):
        runs = [run(1, log_loss=0.3, prior_brier=0.1), run(2, log_loss=0.2)]
        assert [row.metric for row in compare(runs).rows] == ["log_loss"]
        assert [row.metric for row in compare(runs, every=True).rows] == ["log_loss", "prior_brier"]

    def test_other_athletes_are_not_compared(self):
        found = compare(
            [run(1, log_loss=0.2), run(2, OTHER, {"horizon_months": "6"}, log_loss=0.3)]
        )
        assert found.warnings == (
            "The runs differ in cohort and horizon: their numbers are not comparable.",
        )
        assert found.verdict.startswith("No verdict")
        assert [row.best for row in found.rows] == [None]

    def test_a_run_that_does_not_say_its_cohort_is_not_compared(self):
        silent = LoggedRun("3" * 32, "v3", "1", {}, {"log_loss": 0.1}, {})
        found = compare([run(1, log_loss=0.2), silent])
        assert "which cohort" in found.warnings[0]
        assert found.verdict.startswith("No verdict")

    @pytest.mark.parametrize(
        ("other", "said"), [(0.205, "more than chance explains"), (0.203, "may be chance")]
    )
    def test_the_verdict_is_by_log_loss_beyond_chance(self, other, said):
        # The error of the difference is at most 0.001 + 0.001, and 1.96 of these are 0.0039.
        runs = [run(1, log_loss=other, **CHANCE), run(2, log_loss=0.2, **CHANCE)]
        found = compare(runs).verdict
        assert found.startswith(f"kneerisk-new_pain-12m-v2 ({'2' * 8}) has the lowest log loss")
        assert said in found

    def test_equal_runs_have_no_winner(self):
        found = compare([run(1, log_loss=0.2, **CHANCE), run(2, log_loss=0.2, **CHANCE)])
        assert "the same log loss" in found.verdict
        assert [row.best for row in found.rows] == [None]


class TestVerdict:
    """The first line of a run's page."""

    def beside(self, more: float, error: float = 0.001, **metrics: float) -> str:
        over = {"log_loss_over_logistic": more, "log_loss_over_logistic_error": error}
        return verdict(over | metrics)

    def test_better_worse_and_neither(self):
        assert self.beside(-0.002).startswith("Better than logistic regression (log loss 0.0020 lo")
        assert self.beside(+0.002).startswith("Worse than logistic regression (log loss 0.0020 hi")
        assert self.beside(-0.0019).startswith("No clear difference from logistic regression")

    def test_the_champion_comes_first(self):
        champion = {"log_loss_over_champion": 0.01, "log_loss_over_champion_error": 0.001}
        assert self.beside(-0.002, **champion).startswith("Worse than the champion")

    @pytest.mark.parametrize(
        ("low", "slope", "high", "said"),
        [
            (0.9, 1.0, 1.1, "; calibrated (slope 1.00, 0.90 to 1.10)"),
            (0.4, 0.9, 1.4, "; calibration uncertain (slope 0.90"),
            (0.1, 0.5, 0.9, "; risks too far apart, by an uncertain amount (slope 0.50"),
            (1.1, 1.5, 1.9, "; risks too close together, by an uncertain amount"),
            (0.3, 0.5, 0.7, "; not calibrated, risks too far apart"),
            (1.3, 1.5, 1.7, "; not calibrated, risks too close together"),
        ],
    )
    def test_calibration_is_said_as_far_as_it_is_known(self, low, slope, high, said):
        found = self.beside(0.0, calibration_slope=slope, calibration_slope_low=low,
                            calibration_slope_high=high)  # fmt: skip
        assert said in found

    def test_calibration_is_read_where_it_is_known_better(self):
        ends = {"calibration_slope": 0.9, "calibration_slope_low": 0.1,
                "calibration_slope_high": 1.7, "cv_calibration_slope": 1.0,
                "cv_calibration_slope_low": 0.85, "cv_calibration_slope_high": 1.15}  # fmt: skip
        assert "; calibrated (slope 1.00, 0.85 to 1.15, cross-validated)" in self.beside(
            0.0, **ends
        )
        assert "can't be measured" in self.beside(0.0)


class TestMeasured:
    """What the verdict and the columns `train_` are made of, on a real cohort."""

    @pytest.fixture
    def risks(self, simulated) -> tuple[Risks, Risks]:
        """The true risks, and the same for everyone."""
        true = (simulated.truth[f"risk_{task}"].to_numpy() for task in ("left", "right", "either"))
        same = (np.full(len(simulated.truth), rate) for rate in (0.06, 0.06, 0.12))
        return Risks(*true), Risks(*same)

    def test_the_better_model_has_less_log_loss_than_the_other(self, simulated, risks):
        found = log_loss_over(simulated.cohort, *risks, "logistic")
        back = log_loss_over(simulated.cohort, *reversed(risks), "logistic")
        more, error = found["log_loss_over_logistic"], found["log_loss_over_logistic_error"]
        assert more == -back["log_loss_over_logistic"] < -2.0 * error < 0.0
        losses = [log_loss(own_task(simulated.cohort, one)) for one in risks]
        assert more == pytest.approx(losses[0] - losses[1])
        assert verdict(found).startswith("Better than logistic regression")

    def test_metrics_of_seen_athletes_are_those_of_an_evaluation(self, simulated, risks):
        found = training_metrics(simulated.cohort, risks[0])
        whole = evaluate(simulated.cohort, risks[0], sliced=False).metrics
        assert found == {name: whole[name.removeprefix("train_")] for name in found}
        assert {"train_auc", "train_log_loss", "train_calibration_slope"} <= set(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store with three runs, two of them on one cohort; only the first has a version."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracking = Tracking(folder)
        version = None
        for log_loss, digest, index in ((0.21, ONE, 0.02), (0.20, ONE, 0.01), (0.1, OTHER, 0.0)):
            with tracking.start_run(f"run {log_loss}", {}) as one:
                version = version or one.register("kneerisk-new_pain-12m", "a title")
                made = {"data_sha256": digest, "outcome_kind": "new_pain", "horizon_months": "12"}
                numbers = {"log_loss": log_loss, "integrated_calibration_index": index}
                one.log_values(made, numbers | CHANCE)
        tracking.set_alias(version, CHAMPION)
    return folder


@pytest.fixture
def kneerisk(folder, monkeypatch):
    """Type `kneerisk compare ...` in that folder."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return lambda *arguments: CliRunner().invoke(app, ["compare", *arguments])


class TestCommand:
    def told(self, found) -> dict:
        assert found.exception is None, found.stderr
        return json.loads(found.stdout)

    def test_all_runs_on_a_cohort_best_calibrated_first(self, kneerisk):
        told = self.told(kneerisk("--cohort", ONE[:6], "--json"))
        assert [one["name"] for one in told["runs"]] == ["run 0.2", "v1 a title"]
        assert told["warnings"] == []
        assert told["verdict"].startswith("run 0.2 (")
        assert "more than chance" in told["verdict"]

    def test_all_runs(self, kneerisk):
        told = self.told(kneerisk("--all", "--json"))
        assert [one["name"] for one in told["runs"]] == ["run 0.1", "run 0.2", "v1 a title"]
        assert told["params"] == {"data_sha256": [OTHER, ONE, ONE]}

    def test_a_run_is_named_by_version_alias_or_the_beginning_of_its_id(self, kneerisk, folder):
        by_name = {one.name: one.run_id for one in Tracking(folder).find_runs(["train"])}
        second = by_name["run 0.2"][:8]
        for first in ("kneerisk-new_pain-12m-v1", "champion", by_name["v1 a title"]):
            told = self.told(kneerisk(first, second, "--json"))
            assert [one["run_id"] for one in told["runs"]] == [
                by_name["v1 a title"], by_name["run 0.2"],
            ]  # fmt: skip
        assert told["runs"][0]["alias"] == "challenger, champion"

    def test_versions_are_named_in_full(self, kneerisk, folder):
        heading = kneerisk("--cohort", ONE).stdout.splitlines()[0]
        other = Tracking(folder).find_runs(["train"])[1].run_id[:8]
        assert "kneerisk-new_pain-12m-v1 challenger, champion" in heading
        assert other in heading

    def test_where_no_version_has_an_alias_its_versions_are_named(self, kneerisk, folder):
        tracking = Tracking(folder)
        version = tracking.version("kneerisk-new_pain-12m-v1")
        tracking.remove_alias(version.model, CHALLENGER)
        try:
            said = str(kneerisk("champion", "challenger").exception)
        finally:
            tracking.set_alias(version, CHALLENGER)
        assert "no version is challenger now" in said
        assert "kneerisk-new_pain-12m-v1" in said

    def test_it_reads_well_in_a_file(self, kneerisk):
        lines = kneerisk("--cohort", ONE).stdout.splitlines()
        (loss,) = [line for line in lines if line.startswith("log_loss ")]
        assert loss.split() == ["log_loss", "0.2000", "*", "0.2100", "+0.0100"]
        assert "All runs have the same parameters." in lines
        assert not any("\x1b" in line for line in lines)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "name the runs"),
            (("champion", "--all"), "name the runs"),
            (("champion",), "needs at least two runs"),
            (("champion", "champion"), "needs at least two runs"),
            (("champion", "0000"), "no finished run 0000"),
            (("champion", "kneerisk-new_pain-12m-v7"), "is not registered"),
            (("champion", "best"), "is not a version"),
            (("challenger", "0000"), "no finished run 0000"),
            (("--cohort", "x"), "not the start of a digest"),
        ],
    )
    def test_mistakes_are_told(self, kneerisk, arguments, said):
        assert said in str(kneerisk(*arguments).exception)


class TestRuns:
    @pytest.fixture
    def runs(self, folder, monkeypatch):
        """Type `kneerisk runs ...` in that folder."""
        monkeypatch.chdir(folder)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return lambda *arguments: CliRunner().invoke(app, ["runs", *arguments])

    def test_best_calibrated_first_with_full_names(self, runs):
        told = json.loads(runs("--json").stdout)["runs"]
        assert [one["name"] for one in told] == ["run 0.1", "run 0.2", "v1 a title"]
        assert told[2]["version"] == "kneerisk-new_pain-12m-v1"
        assert told[2]["metrics"]["log_loss"] == 0.21
        assert "kneerisk-new_pain-12m-v1, a title (challenger, champion)" in runs().stdout

    def test_only_those_asked_for(self, runs):
        assert len(json.loads(runs("--cohort", ONE[:6], "--json").stdout)["runs"]) == 2
        assert len(json.loads(runs("--limit", "1", "--json").stdout)["runs"]) == 1
        assert json.loads(runs("--tag", "purpose=tune", "--json").stdout)["runs"] == []
        assert "`kneerisk train` makes one" in runs("--tag", "season=1990").stdout
        assert "write NAME=VALUE" in str(runs("--tag", "season").exception)


class TestShown:
    def test_a_list_shows_about_sixty_and_the_evaluation_has_all(self, simulated):
        truth = simulated.truth
        risks = Risks(*(truth[f"risk_{task}"].to_numpy() for task in ("left", "right", "either")))
        metrics = evaluate(simulated.cohort, risks, {"logistic": risks}).metrics
        shown = shown_metrics(metrics)
        assert shown.items() <= metrics.items()
        assert len(shown) <= 60
        assert {"auc", "auc_low", "log_loss", "logistic_auc", "rows"} <= set(shown)
        assert not {"brier_uncertainty", "logistic_brier", "net_benefit_at_5_pct"} & set(shown)
