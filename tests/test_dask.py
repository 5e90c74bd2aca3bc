"""Work on a Dask cluster: the same results to the last bit, whoever is killed on the way."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from distributed import Client
from test_score import scored
from test_tune import STEPS, study_in
from typer.testing import CliRunner
from worker_tasks import bowl, doubled, killing_bins, killing_bowl, killing_validation

from kneerisk.batch.scored_chunk import packed
from kneerisk.cohort import Cohort
from kneerisk.cohort.files import write
from kneerisk.cohort.layout import OUTCOMES
from kneerisk.cohort.simulation import simulated_cohort
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.cohort.splits import subset, truth_subset
from kneerisk.errors import ClusterNotThere
from kneerisk.evaluation.task_rows import Risks
from kneerisk.model import Bundle
from kneerisk.model.feature_columns import monotone_directions
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import FloatArray
from kneerisk.schema.own_measures import NO_OWN_MEASURES
from kneerisk.training.fitting import rows_on_cluster
from kneerisk.training.fitting.boosting import BoostingRows, fit_boosted
from kneerisk.training.fitting.column_bins import InBlocks, binned
from kneerisk.training.fitting.cross_validation import out_of_fold, refit_people
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fit_columns import tree_columns
from kneerisk.training.fitting.fit_inputs import inputs_of, stratified_folds
from kneerisk.training.fitting.population_shrinkage import population_of
from kneerisk.training.fitting.rows_on_cluster import rows_held
from kneerisk.training.fitting.settings import DEFAULTS
from kneerisk.training.new_versions.adapted_version import adapt_to_club
from kneerisk.training.tracking import CHALLENGER, Tracking
from kneerisk.training.tuning.objective import Objective
from kneerisk.training.tuning.worker import work
from kneerisk.training.validation import validated_clubs
from kneerisk.training.validation.validated_club import validate_unseen
from kneerisk.workers import dask_cluster
from kneerisk.workers.dask_cluster import dask_workers
from kneerisk.workers.this_process import Workers
from pipelines.__main__ import app


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A scheduler and two workers as people start them: commands, each a process of its own."""
    address = f"tcp://127.0.0.1:{free_port()}"
    dask, quiet = [sys.executable, "-m", "dask"], ["--dashboard-address", "127.0.0.1:0"]
    commands = [
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2],
         "--no-show", *quiet],
        *2 * [[*dask, "worker", address, "--nthreads", "1", "--no-dashboard"]],
    ]  # fmt: skip
    here = {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    with ExitStack() as running:
        for command in commands:
            process = running.enter_context(
                subprocess.Popen(
                    command, env=os.environ | here,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip
            running.callback(process.kill)
        with Client(address, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
        yield address


@pytest.fixture(scope="module")
def workers(cluster: str) -> Iterator[Workers]:
    with dask_workers(cluster) as found:
        yield found


@pytest.fixture(scope="module")
def people(simulated: Simulated) -> Cohort:
    """A measured club of 300."""
    frame = simulated.cohort.frame.head(300)
    return replace(simulated.cohort, frame=frame, kind="observed", source="a made-up club")


@pytest.fixture
def kneerisk(
    tmp_path: Path, champion_models: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("KNEERISK_MODELS", str(champion_models))
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def same(first: Risks, second: Risks) -> bool:
    return all(
        np.array_equal(getattr(first, task), getattr(second, task), equal_nan=True)
        for task in ("left", "right", "either")
    )


@pytest.mark.slow
class TestTheSame:
    def test_scores(
        self, workers: Workers, released: Bundle, simulated: Simulated, tmp_path: Path
    ) -> None:
        model = packed(released, NO_OWN_MEASURES)
        frame = simulated.cohort.frame.head(40).drop(columns=list(OUTCOMES), errors="ignore")
        frame.to_csv(tmp_path / "squad.csv", index=False)
        here = scored(model, tmp_path / "squad.csv", tmp_path / "here.parquet")
        there = scored(model, tmp_path / "squad.csv", tmp_path / "there.parquet", workers)
        assert there == here

    def test_a_killed_worker_costs_no_piece(self, workers: Workers, tmp_path: Path) -> None:
        assert list(workers(doubled, tmp_path, range(1, 7))) == [2, 4, 6, 8, 10, 12]
        assert (tmp_path / "killed").exists()

    def test_simulated_athletes_on_a_cluster_of_this_machine(
        self, kneerisk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(simulated_cohort, "BLOCK", 100)
        for name, where in {"here": (), "there": ("--dask", "local")}.items():
            ran = kneerisk("simulate", "--athletes", 250, "--out", f"{name}.csv", *where)
            assert ran.exit_code == 0, ran.output
        for end in (".csv", "-truth.csv"):
            here, there = (tmp_path / f"{name}{end}" for name in ("here", "there"))
            assert here.read_bytes() == there.read_bytes()

    def test_a_study_whose_worker_is_killed(self, workers: Workers, tmp_path: Path) -> None:
        alone, shared = (study_in(tmp_path / name) for name in ("alone", "shared"))
        work(alone, bowl, STEPS, 6)
        work(shared, partial(killing_bowl, tmp_path), STEPS, 6, workers=workers)
        assert (tmp_path / "killed").exists()
        told = [
            [(trial.params, trial.state, trial.intermediate_values) for trial in study.trials()]
            for study in (alone, shared)
        ]
        assert told[0] == told[1]

    def test_the_gain_of_a_winner(self, workers: Workers, simulated: Simulated) -> None:
        few = np.arange(len(simulated.cohort.frame)) < 400
        cohort = subset(simulated.cohort, few)
        objective = Objective.of(cohort, truth_subset(simulated.truth, few))
        settings = replace(DEFAULTS, max_depth=2)
        assert objective.gain(settings, workers=workers) == objective.gain(settings)

    def test_bootstraps_and_cross_validation(self, workers: Workers, people: Cohort) -> None:
        here, there = fit(people).model, fit(people, workers=workers).model
        for one, other in zip(here.interval.refits, there.interval.refits, strict=True):
            assert one.intercept == other.intercept
            assert np.array_equal(one.between_weights, other.between_weights)
        alone, shared = (
            refit_people(people, here, 3),
            refit_people(people, here, 3, workers=workers),
        )
        assert np.array_equal(alone.refitted, shared.refitted)
        (alone,), (shared,) = (
            out_of_fold(people, range(1)),
            out_of_fold(people, range(1), workers=workers),
        )
        assert same(alone, shared)


@pytest.fixture(scope="module")
def boosting_rows(simulated: Simulated) -> BoostingRows:
    """Legs of athletes, a few of unknown outcome, some that count more; all is left to trees."""
    few = np.arange(len(simulated.cohort.frame)) < 800
    cohort = subset(simulated.cohort, few)
    population = population_of(cohort, DEFAULTS)
    inputs = inputs_of(cohort, truth_subset(simulated.truth, few), population)
    target = inputs.target.reshape(-1).copy()
    target[:30] = np.nan
    return BoostingRows(
        legs=inputs.legs,
        base=np.full(len(target), -2.0),
        target=target,
        fold=np.repeat(stratified_folds(inputs, 2, 1), 2),
        columns=tree_columns(inputs),
        signs=monotone_directions(population),
        weight=np.random.default_rng(0).uniform(0.5, 2.0, len(target)),
    )


def log_odds_of(trees: BoostedTrees, rows: BoostingRows) -> FloatArray:
    return trees.log_odds(rows.legs, rows.base)


@pytest.mark.slow
class TestTreesOnWorkers:
    SETTINGS = replace(DEFAULTS, most_rounds=40)

    def test_they_are_those_of_one_process(self, cluster: str, boosting_rows: BoostingRows) -> None:
        """To 1e-6 in log-odds: the workers' sums are added up in another order."""
        here, rounds = fit_boosted(boosting_rows, settings=self.SETTINGS)
        with rows_held(cluster) as hold_rows:
            there, chosen = fit_boosted(boosting_rows, None, self.SETTINGS, hold_rows)
        assert rounds == chosen > 0
        one, other = (log_odds_of(trees, boosting_rows) for trees in (here, there))
        assert np.std(one) > 0.1
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-6)

    def test_a_worker_that_is_killed_costs_time(
        self,
        cluster: str,
        boosting_rows: BoostingRows,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        here, _ = fit_boosted(boosting_rows, 20, self.SETTINGS)
        monkeypatch.setattr(rows_on_cluster, "binned", partial(killing_bins, tmp_path))
        with rows_held(cluster) as hold_rows:
            there, _ = fit_boosted(boosting_rows, 20, self.SETTINGS, hold_rows)
        assert (tmp_path / "killed").exists()
        one, other = (log_odds_of(trees, boosting_rows) for trees in (here, there))
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-6)

    def test_train_gives_the_same_version(self, kneerisk: Any, cluster: str) -> None:
        told = []
        for where in ((), ("--dask", cluster, "--spread-trees")):
            ran = kneerisk("train", "--athletes", 400, "--refits", 0, "--json", *where)
            assert ran.exit_code == 0, ran.output
            told.append(json.loads(ran.stdout)["metrics"])
        assert told[1] == pytest.approx(told[0], abs=1e-6, nan_ok=True)

    def test_it_needs_a_cluster(self, kneerisk: Any) -> None:
        ran = kneerisk("train", "--spread-trees")
        assert ran.exit_code == 2
        assert "needs a cluster" in ran.output


def write_clubs(folder: Path, simulated: Simulated, athletes: int) -> dict[str, Cohort]:
    """A folder of clubs: two large ones, one where nobody had pain, a file that is no cohort."""
    cohort = replace(simulated.cohort, kind="observed")
    quiet = np.flatnonzero(np.nan_to_num(cohort.outcomes().either, nan=1.0) == 0)[:12]
    rows = {
        "east": np.arange(athletes),
        "quiet": quiet,
        "west": np.arange(athletes, 2 * athletes),
    }
    made = {
        name: replace(cohort, frame=cohort.frame.iloc[of].reset_index(drop=True), source=name)
        for name, of in rows.items()
    }
    for name, club in made.items():
        write(club, folder / f"{name}.parquet")
    (folder / "odd.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return made


@pytest.mark.slow
class TestManyClubs:
    def test_each_is_validated_though_a_worker_is_killed(
        self,
        kneerisk: Any,
        cluster: str,
        simulated: Simulated,
        released: Bundle,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        clubs = write_clubs(tmp_path / "clubs", simulated, 200)
        monkeypatch.setattr(validated_clubs, "validate_club", partial(killing_validation, tmp_path))
        ran = kneerisk("validate", "--data", "clubs", "--out", "reports", "--dask", cluster,
                       "--json")  # fmt: skip
        assert ran.exit_code == 0, ran.output
        assert (tmp_path / "killed").exists()
        told = json.loads(ran.stdout)
        rows = {row["file"]: row for row in told["clubs"]}
        assert list(rows) == ["east.parquet", "odd.csv", "quiet.parquet", "west.parquet"]
        assert "cohort_kind" in rows["odd.csv"]["refused"]
        assert "at least 10 athletes" in rows["quiet.parquet"]["refused"]
        for name in ("east", "west"):
            report, _ = validate_unseen(released, clubs[name], name, lambda: None)
            sent = json.loads((tmp_path / "reports" / f"{name}.json").read_text())
            assert sent == report.model_dump(mode="json")
            assert rows[f"{name}.parquet"]["auc"] == report.metrics["auc"]
            assert (tmp_path / "reports" / f"{name}.html").exists()
        table = pd.read_csv(tmp_path / "reports" / "clubs.csv")
        assert table["file"].tolist() == list(rows)
        _, metrics = Tracking(tmp_path).logged_values(told["run_id"])
        assert (metrics["clubs"], metrics["clubs_refused"]) == (2.0, 2.0)

    def test_each_has_a_version_of_its_own(
        self,
        kneerisk: Any,
        cluster: str,
        simulated: Simulated,
        released: Bundle,
        tmp_path: Path,
    ) -> None:
        clubs = write_clubs(tmp_path / "clubs", simulated, 60)
        ran = kneerisk("adapt", "--data", "clubs", "--refits", 2, "--dask", cluster, "--json")
        assert ran.exit_code == 0, ran.output
        rows = {row["file"]: row for row in json.loads(ran.stdout)["clubs"]}
        assert [bool(row["refused"]) for row in rows.values()] == [False, True, False, False]
        assert (rows["quiet.parquet"]["version"], rows["quiet.parquet"]["step"]) == (None, "as_is")
        adapted = adapt_to_club(released, clubs["east"], 2)
        row = rows["east.parquet"]
        assert row["step"] == adapted.updated.step != "as_is"
        assert row["cv_log_loss"] == adapted.out_of_fold.metrics["cv_log_loss"]
        assert row["instability_mape"] == adapted.instability.metrics["instability_mape"]
        assert rows["west.parquet"]["version"] != row["version"]
        tracking = Tracking(tmp_path)
        assert tracking.version_with_alias("kneerisk-new_pain-12m", CHALLENGER) is None
        assert len(pd.read_csv(tmp_path / "adapted-clubs.csv")) == 4


def test_bins_found_in_blocks_give_the_trees_of_one_piece() -> None:
    """There are so many rows that XGBoost only estimates where bins end."""
    chance = np.random.default_rng(3)
    x = chance.normal(size=(30_000, 4)).astype(np.float32)
    weight, chosen = chance.uniform(0.5, 2.0, len(x)), chance.random(len(x)) < 0.8
    label = (chance.random(len(x)) < 1 / (1 + np.exp(x[:, 1] - x[:, 0]))).astype(float)
    blocks = [slice(start, start + 5_000) for start in range(0, len(x), 5_000)]
    in_blocks = InBlocks(lambda some: x[2 * some.start : 2 * some.stop], blocks, weight, chosen)
    whole = xgb.QuantileDMatrix(
        x[chosen], label=label[chosen], weight=weight[chosen], max_bin=16, nthread=1
    )
    starts, ends = xgb.QuantileDMatrix(in_blocks, max_bin=16, nthread=1).get_quantile_cut()
    for one, other in zip((starts, ends), whole.get_quantile_cut(), strict=True):
        assert np.array_equal(one, other)
    rows = binned(x, chosen, (starts.astype(np.int64), ends))
    assert max(len(np.unique(column)) for column in rows.T) <= 17
    in_bins = xgb.QuantileDMatrix(
        rows, label=label[chosen], weight=weight[chosen], max_bin=18, nthread=1
    )
    options = {"tree_method": "hist", "objective": "binary:logistic", "nthread": 1}
    one, other = (
        xgb.train(options | {"max_bin": most}, matrix, 10).trees_to_dataframe()
        for most, matrix in ((16, whole), (18, in_bins))
    )
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    "command",
    [
        ("simulate", "--athletes", 20, "--out", "cohort.csv"),
        ("tune", "--athletes", 20),
        ("train", "--athletes", 20),
        ("adapt", "--data", "club.csv"),
        ("adapt", "--data", "."),
        ("validate", "--data", "."),
        ("score", "club.csv", "--out", "answers.csv"),
    ],
    ids=lambda command: " ".join(map(str, command)),
)
def test_a_scheduler_that_is_not_there_is_one_clear_message(
    kneerisk: Any,
    people: Cohort,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[Any, ...],
) -> None:
    monkeypatch.setattr(dask_cluster, "_ANSWERS_SECONDS", 0.1)
    write(replace(people, frame=people.frame.head(3)), tmp_path / "club.csv")
    address = f"tcp://127.0.0.1:{free_port()}"
    ran = kneerisk(*command, "--dask", address)
    assert isinstance(ran.exception, ClusterNotThere)
    assert address in str(ran.exception)
    assert {path.name for path in tmp_path.iterdir()} == {"club.csv"}


def test_what_is_of_one_club_is_refused_of_a_folder(kneerisk: Any, tmp_path: Path) -> None:
    (tmp_path / "weeks.csv").touch()
    for command, told in {
        ("adapt", "--data", ".", "--weeks", "weeks.csv"): "one club",
        ("validate", "--data", ".", "--label", "FC"): "one club",
        ("validate", "--data", "weeks.csv", "--dask", "local"): "folder",
    }.items():
        ran = kneerisk(*command)
        assert ran.exit_code == 2
        assert told in " ".join(ran.output.split())


def test_a_folder_must_have_cohort_files_of_different_names(kneerisk: Any, tmp_path: Path) -> None:
    assert "no cohort file" in str(kneerisk("adapt", "--data", ".").exception)
    for name in ("East.csv", "east.parquet"):
        (tmp_path / name).touch()
    assert "east" in str(kneerisk("validate", "--data", ".").exception)
