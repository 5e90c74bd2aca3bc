"""Runs and registered versions in a real MLflow store, in a folder of the test's own."""

import json
import multiprocessing
import os
import signal
import socket
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from kneerisk.cohort import Cohort
from kneerisk.errors import KneeriskError
from kneerisk.evaluation.metric_table import METRICS
from kneerisk.training import provenance
from kneerisk.training.plots.plot_style import images
from kneerisk.training.provenance import Source
from kneerisk.training.tracking import (
    ALIAS,
    CARD,
    CHALLENGER,
    CHAMPION,
    HELD_OUT,
    Tracking,
    TrackingFailed,
    Version,
    registered_name,
    store_errors,
    tracking_uri,
)
from kneerisk.training.tracking.abandoned_runs import is_abandoned, process_tag
from kneerisk.training.tracking.naming import BEST_CALIBRATED, cohort_filter
from kneerisk.training.tracking.shared_views import FIRST_VIEW, VIEWS
from kneerisk.training.tracking.store_errors import translated_errors

MODEL = "kneerisk-new_pain-12m"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project folder, outside of which nothing may be written."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def tracking(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield Tracking(folder)


def cohort() -> Cohort:
    frame = pd.DataFrame(
        {
            "athlete_id": ["secret-name", "b"],
            "age_years": [31.4159, np.nan],
            "sex": ["male", None],
            "outcome_either": [1.0, 0.0],
        }
    )
    return Cohort(frame, "observed", "past_injury", None, "a club")


def logged(tracking: Tracking, tmp_path: Path, model: str = MODEL) -> Version:
    """A whole run, as training logs it, with something in place of a bundle."""
    (tmp_path / "bundle").mkdir(exist_ok=True)
    (tmp_path / "bundle" / "facts.json").write_text("{}")
    with tracking.start_run("a run", {"cohort_kind": "simulated"}) as run:
        version = run.register(model, "for a test")
        run.log_dataset(cohort(), "training", "ab" * 32, {"data_file": "/somewhere/club.csv"})
        run.log_dataset(cohort(), HELD_OUT, "ef" * 32, {"data_file": "/somewhere/club.csv"})
        run.log_values({"seed": 1}, {"auc": 0.61, "log_loss": 0.4, "train_auc": 0.7, "cv_auc": 0.6})
        run.log_images(images({"roc": Figure(figsize=(1, 1))}))
        run.log_card("# card")
        run.set_note("# card")
        run.log_bundle(tmp_path / "bundle", "cd" * 32)
    return version


class TestRuns:
    def test_a_run_keeps_its_numbers_and_artifacts(self, tracking, tmp_path):
        version = logged(tracking, tmp_path)
        params, metrics = tracking.logged_values(version.run_id)
        assert params == {"seed": "1"}
        assert metrics == {"auc": 0.61, "log_loss": 0.4, "train_auc": 0.7, "cv_auc": 0.6}
        fetched = tracking.download_bundle(version, tmp_path / "fetched")
        assert (fetched / "facts.json").read_text() == "{}"
        assert tracking.download(version.run_id, CARD, tmp_path).read_text() == "# card"
        picture = tracking.download(version.run_id, "roc.png", tmp_path)
        assert picture.read_bytes().startswith(b"\x89PNG")

    def test_the_finished_version_is_the_challenger(self, tracking, tmp_path):
        version = logged(tracking, tmp_path)
        again = logged(tracking, tmp_path)
        assert again.number == version.number + 1
        found = tracking.version_with_alias(MODEL, CHALLENGER)
        assert str(found) == str(again)
        assert found.tags["bundle_sha256"] == "cd" * 32
        assert [str(one) for one in tracking.challengers()] == [str(again)]

    def test_a_run_that_fails_leaves_no_version(self, tracking, tmp_path):
        before = logged(tracking, tmp_path)

        def fail() -> None:
            with tracking.start_run("fails", {}) as run:
                run.register(MODEL, "never whole")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert str(tracking.version_with_alias(MODEL, CHALLENGER)) == str(before)
        with pytest.raises(TrackingFailed, match="is not registered"):
            tracking.version(f"{MODEL}-v{before.number + 1}")

    def test_the_dataset_is_logged_without_an_athlete(self, tracking, folder, tmp_path):
        version = logged(tracking, tmp_path)
        with sqlite3.connect(folder / "mlflow.db") as database:
            dump = "\n".join(database.iterdump())
        database.close()
        assert version.run_id in dump
        assert "ab" * 8 in dump
        assert "secret-name" not in dump
        assert "31.4159" not in dump

    def test_everything_is_in_the_folder(self, tracking, folder, tmp_path):
        logged(tracking, tmp_path)
        assert sorted(path.name for path in folder.iterdir()) == ["mlartifacts", "mlflow.db"]

    def test_a_run_is_named_after_its_version(self, tracking, tmp_path):
        version = logged(tracking, tmp_path)
        (found,) = [one for one in tracking.find_runs(["train"]) if one.run_id == version.run_id]
        assert found.name == f"v{version.number} for a test"
        assert found.tags["purpose"] == "train"

    def test_each_experiment_says_what_it_is_for(self, tracking, client, tmp_path):
        logged(tracking, tmp_path)
        about = client.get_experiment_by_name("kneerisk").tags["mlflow.note.content"]
        assert "`kneerisk train`" in about

    def test_an_experiment_has_its_views_and_keeps_what_a_person_made_of_them(
        self, tracking, client, tmp_path
    ):
        logged(tracking, tmp_path)
        experiment = client.get_experiment_by_name("kneerisk")
        tag = f"mlflow.sharedViewState.{FIRST_VIEW.key}"
        view = json.loads(experiment.tags[tag])
        state = json.loads(view["state"])
        assert view["name"] == "Best calibrated first"
        assert state["orderByKey"] == "metrics.`integrated_calibration_index`"
        assert len(state["selectedColumns"]) == 8
        known = {metric.name for metric in METRICS}
        for listed in VIEWS:
            assert {name.removeprefix("iecv_") for name in listed.metrics} <= known | {"groups"}
        client.set_experiment_tag(experiment.experiment_id, tag, "changed")
        logged(tracking, tmp_path)
        assert client.get_experiment_by_name("kneerisk").tags[tag] == "changed"

    def test_long_texts_are_cut_where_a_section_ends(self, tracking, client, tmp_path):
        with tracking.start_run("long", {}) as run:
            version = run.register(MODEL, "long")
            text = "# card\n\n" + "\n\n".join(f"## {n}\n\n" + 30 * "word " for n in range(60))
            run.log_card(text)
            run.set_note(text)
            (tmp_path / "bundle").mkdir()
            run.log_bundle(tmp_path / "bundle", "cd" * 32)
        described = client.get_model_version(MODEL, str(version.number)).description
        note = client.get_run(version.run_id).data.tags["mlflow.note.content"]
        for kept, most in ((described, 5_000), (note, 8_000)):
            assert 0.9 * most < len(kept) <= most
            shown, end = kept[: kept.index("The rest is in")].rstrip(), kept[-60:]
            assert text.startswith(shown)
            assert shown.endswith("word")
            assert "`card.md`" in end
        assert tracking.download(version.run_id, CARD, tmp_path).read_text() == text


@pytest.fixture
def client(tracking):
    """MLflow's own client, for what only its page shows."""
    return MlflowClient(tracking_uri=tracking.uri, registry_uri=tracking.uri)


class TestLineage:
    """What MLflow's pages of a model and a version show comes from what is logged."""

    @pytest.fixture
    def version(self, tracking, tmp_path) -> Version:
        return logged(tracking, tmp_path)

    @pytest.fixture
    def model(self, version, client):
        """The logged model that the version's run put out."""
        (output,) = client.get_run(version.run_id).outputs.model_outputs
        return client.get_logged_model(output.model_id)

    def test_a_version_is_a_logged_model_of_its_run(self, version, model, client):
        assert model.source_run_id == version.run_id
        assert model.status == "READY"
        source = client.get_model_version(version.model, str(version.number)).source
        assert source == model.artifact_location
        shown = json.loads(model.tags["mlflow.modelVersions"])
        assert shown == [{"name": MODEL, "version": str(version.number)}]

    def test_each_metric_is_kept_with_the_data_it_is_of(self, model):
        on = {metric.key: metric.dataset_digest for metric in model.metrics}
        assert on == {"auc": "ef" * 8, "log_loss": "ef" * 8, "train_auc": "ab" * 8, "cv_auc": None}

    def test_both_parts_of_the_cohort_are_inputs(self, version, client):
        inputs = client.get_run(version.run_id).inputs.dataset_inputs
        used = {one.tags[0].value: (one.dataset.name, one.dataset.digest) for one in inputs}
        assert used == {
            "training": ("training: a club", "ab" * 8),
            HELD_OUT: ("held-out: a club", "ef" * 8),
        }

    def test_its_bundle_lies_in_a_folder_of_its_own(self, version, tracking, client, tmp_path):
        fetched = tracking.download_bundle(version, tmp_path / "fetched")
        assert [path.name for path in fetched.iterdir()] == ["facts.json"]
        assert (fetched.parent / "MLmodel").exists()

    def test_the_bundle_of_an_older_program_is_all_there_is(self, tracking, tmp_path):
        with tracking.start_run("an older run", {}) as run:
            version = run.register("kneerisk-past_injury", "for a test")
            (tmp_path / "old").mkdir()
            (tmp_path / "old" / "facts.json").write_text("{}")
            run._client.log_model_artifacts(run._model_id, str(tmp_path / "old"))
        fetched = tracking.download_bundle(version, tmp_path / "fetched")
        assert [path.name for path in fetched.iterdir()] == ["facts.json"]

    def test_the_model_and_its_versions_are_described(self, version, client):
        assert "kneerisk promote" in client.get_registered_model(MODEL).description
        assert client.get_model_version(MODEL, str(version.number)).description == "# card"


class TestSearch:
    """The filter and the order that the README shows."""

    def make(self, tracking: Tracking, name: str, digest: str, **metrics: float) -> None:
        with tracking.start_run(name, {}, "benchmark") as run:
            run.log_values({"data_sha256": digest}, metrics)

    def test_all_runs_on_a_cohort_best_calibrated_first(self, tracking):
        index = "integrated_calibration_index"
        self.make(tracking, "poor", "ab" * 32, **{index: 0.03})
        self.make(tracking, "best", "ab" * 32, **{index: 0.01})
        self.make(tracking, "unknown", "ab" * 32, auc=0.7)
        self.make(tracking, "other cohort", "cd" * 32, **{index: 0.001})
        with suppress(ZeroDivisionError), tracking.start_run("failed", {}, "benchmark") as run:
            run.log_values({"data_sha256": "ab" * 32}, {index: 0.0})
            raise ZeroDivisionError
        found = tracking.find_runs(
            ["benchmark"], cohort_filter("ab" * 32), [f"{BEST_CALIBRATED} ASC"]
        )
        assert [one.name for one in found] == ["best", "poor", "unknown"]

    def test_an_experiment_without_runs_has_none(self, tracking):
        assert tracking.find_runs(["tune"]) == []


class TestAliases:
    def test_aliases_move_and_go(self, tracking, tmp_path):
        first, second = (logged(tracking, tmp_path, "kneerisk-past_injury") for _ in range(2))
        tracking.set_alias(first, CHAMPION)
        tracking.set_alias(second, CHAMPION)
        assert str(tracking.version_with_alias("kneerisk-past_injury", CHAMPION)) == str(second)
        tracking.remove_alias("kneerisk-past_injury", CHALLENGER)
        assert tracking.version_with_alias("kneerisk-past_injury", CHALLENGER) is None
        tracking.tag_version(second, replaced=str(first))
        assert tracking.version(str(second)).tags["replaced"] == str(first)

    def test_the_tag_of_a_run_follows_its_aliases(self, tracking, tmp_path):
        model = "kneerisk-present_pain"

        def shown() -> list[str | None]:
            found = {one.run_id: one.tags.get(ALIAS) for one in tracking.find_runs(["train"])}
            return [found[version.run_id] for version in (first, second)]

        first, second = (logged(tracking, tmp_path, model) for _ in range(2))
        assert shown() == [None, "challenger"]
        tracking.set_alias(first, CHAMPION)
        assert shown() == ["champion", "challenger"]
        tracking.set_alias(second, CHAMPION)
        assert shown() == [None, "challenger, champion"]
        tracking.remove_alias(model, CHALLENGER)
        assert shown() == [None, "champion"]

    def test_an_unknown_model_has_no_champion(self, tracking):
        assert tracking.version_with_alias("kneerisk-never", CHAMPION) is None

    @pytest.mark.parametrize("text", ["3", "kneerisk-new_pain-12m", "kneerisk-v", "kneerisk-v٣"])
    def test_what_is_no_version_is_refused(self, tracking, text):
        with pytest.raises(KneeriskError, match="is not a version"):
            tracking.version(text)


class TestWhere:
    def test_the_environment_names_the_server(self, monkeypatch, tmp_path):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.club:5000")
        assert tracking_uri(tmp_path) == "http://mlflow.club:5000"
        monkeypatch.delenv("MLFLOW_TRACKING_URI")
        assert tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"

    def test_a_store_that_cannot_be_opened_is_told(self, monkeypatch, tmp_path):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"nonsense://{tmp_path}")
        with pytest.raises(TrackingFailed, match="nonsense"):
            Tracking(tmp_path)

    def test_versions_can_be_read_back_and_name_a_folder(self):
        version = Version(registered_name("new_pain", 12), 3, "run", {})
        assert str(version) == "kneerisk-new_pain-12m-v3"
        assert Version.parse(str(version)) == (MODEL, 3)
        assert registered_name("present_pain", None) == "kneerisk-present_pain"


class TestDigest:
    def test_a_digest_is_of_content_not_of_form(self):
        one = cohort()
        shuffled = Cohort(
            one.frame[list(one.frame)[::-1]], one.kind, one.outcome_kind, None, one.source
        )
        assert provenance.digest(one) == provenance.digest(shuffled)
        assert len(provenance.digest(one)) == 64

    @pytest.mark.parametrize(
        ("column", "value"),
        [("age_years", 31.4), ("sex", "female"), ("outcome_either", np.nan), ("athlete_id", "c")],
    )
    def test_any_cell_changes_the_digest(self, column, value):
        one, other = cohort(), cohort()
        other.frame.loc[0, column] = value
        assert provenance.digest(one) != provenance.digest(other)

    def test_a_source_survives_being_logged(self):
        for source in (Source(path=Path("/data/club.csv")), Source(athletes=50, seed=0)):
            assert Source.from_params(json.loads(json.dumps(source.params()))) == source

    def test_a_simulated_source_gives_the_same_cohort_again(self):
        first, truth = provenance.load(Source(athletes=30, seed=4))
        again, _ = provenance.load(Source(athletes=30, seed=4))
        assert provenance.digest(first) == provenance.digest(again)
        assert truth is not None
        assert provenance.digest(first) != provenance.digest(
            provenance.load(Source(None, 30, 5))[0]
        )

    def test_no_source_is_refused(self):
        with pytest.raises(KneeriskError, match="comes from a file"):
            provenance.load(Source())

    def test_the_program_is_known_by_its_commit(self):
        sha = provenance.git_sha()
        assert sha is None or len(sha.removesuffix("-dirty")) == 40


class TestKilled:
    """A run whose process is gone does not stay running; one of a living process does."""

    def write(self, folder, ready):
        """Begin a run and register its version, then be killed."""
        tracking = Tracking(folder)
        with tracking.start_run("killed", {}) as run:
            run.register(MODEL, "never whole")
            ready.set()
            os.kill(os.getpid(), signal.SIGKILL)

    def test_its_run_is_ended_and_its_version_withdrawn(self, tracking, folder, monkeypatch):
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        context = multiprocessing.get_context("spawn")
        ready = context.Event()
        process = context.Process(target=self.write, args=(folder, ready))
        process.start()
        process.join()
        assert ready.is_set()
        client = MlflowClient(tracking.uri, tracking.uri)
        versions = client.search_model_versions(f"name = '{MODEL}'")
        version = max(versions, key=lambda each: int(each.version))
        assert client.get_run(version.run_id).info.status == "RUNNING"
        with tracking.start_run("alive", {}) as alive:
            Tracking(folder)
            assert client.get_run(alive.run_id).info.status == "RUNNING"
        assert client.get_run(version.run_id).info.status == "KILLED"
        with pytest.raises(TrackingFailed, match="is not registered"):
            tracking.version(f"{MODEL}-v{version.version}")

    @pytest.mark.parametrize(
        ("tags", "abandoned"),
        [
            ({}, False),
            ({"process.1": "another-machine/pid:[1] boot 5"}, False),
            ({"process.4194000": None}, True),
            ({"process.4194000": None, "process.self": None}, False),
        ],
    )
    def test_only_what_is_surely_gone_is_abandoned(self, tags, abandoned):
        ((name, mine),) = process_tag().items()
        machine = mine.rpartition(" ")[0]
        known = {"process.4194000": f"{machine} 17", "process.self": mine}
        given = {
            (name if key == "process.self" else key): value or known[key]
            for key, value in tags.items()
        }
        assert is_abandoned(given) == abandoned

    def test_an_id_that_was_given_to_another_process_is_gone(self):
        ((name, mine),) = process_tag().items()
        machine, _, began = mine.rpartition(" ")
        assert is_abandoned({name: f"{machine} {float(began) - 500:.0f}"})


class TestBrokenStores:
    """One line says what a store is, and what to do; nothing is tried for minutes."""

    @pytest.fixture(autouse=True)
    def nothing_stated(self, monkeypatch):
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def refusal(self, folder) -> str:
        with pytest.raises(TrackingFailed) as refused:
            Tracking(folder).challengers()
        assert "\n" not in str(refused.value)
        return str(refused.value)

    def test_a_text_file_in_its_place(self, tmp_path):
        (tmp_path / "mlflow.db").write_text("notes of last spring")
        assert "that file is not a database; move it away" in self.refusal(tmp_path)
        assert (tmp_path / "mlflow.db").read_text() == "notes of last spring"

    def test_a_folder_in_its_place(self, tmp_path):
        (tmp_path / "mlflow.db").mkdir()
        assert "that is not a file" in self.refusal(tmp_path)

    def test_a_database_that_was_cut(self, tmp_path, folder, tracking):
        content = (folder / "mlflow.db").read_bytes()
        (tmp_path / "mlflow.db").write_bytes(content[: len(content) // 5])
        assert "damaged" in self.refusal(tmp_path)

    def test_a_database_of_another_mlflow(self, tmp_path, folder, tracking):
        (tmp_path / "mlflow.db").write_bytes((folder / "mlflow.db").read_bytes())
        with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
            database.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
            database.commit()
        assert "mlflow db upgrade sqlite:///" in self.refusal(tmp_path)

    def test_a_database_that_another_program_holds(self, tmp_path, folder, tracking, monkeypatch):
        monkeypatch.setattr(store_errors, "ANSWER_SECONDS", 0.05)
        (tmp_path / "mlflow.db").write_bytes((folder / "mlflow.db").read_bytes())
        with closing(sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert "another program is writing to it" in self.refusal(tmp_path)

    @pytest.mark.parametrize(
        "address", ["http://127.0.0.1:9", "postgresql://u:secret@127.0.0.1:9/x"]
    )
    def test_a_server_that_is_not_there(self, tmp_path, monkeypatch, address):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        told = self.refusal(tmp_path)
        assert "does not answer (Connection refused); start it, or correct MLFLOW_TRACKING" in told
        assert "secret" not in told

    def test_a_server_that_says_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(store_errors, "ANSWER_SECONDS", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
            assert "does not answer" in self.refusal(tmp_path)


def test_a_store_that_was_moved_says_so(tmp_path: Path) -> None:
    gone = tmp_path / "before" / "mlartifacts" / "1" / "run" / "artifacts"
    uri = f"sqlite:///{tmp_path}/now/mlflow.db"
    told = f"failures occurred while downloading one or more artifacts from {gone.as_uri()}:\n more"
    with pytest.raises(TrackingFailed) as refused, translated_errors(uri):
        raise MlflowException(told)
    link = f"ln -s {tmp_path}/now {tmp_path}/before"
    assert link in str(refused.value)
