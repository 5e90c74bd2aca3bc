"""A version is fitted again from what its run says; what differs is told, and may fail."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kneerisk.cohort import write
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.model import bundle
from kneerisk.training.provenance import environment, environment_changes
from kneerisk.training.registry import reproduction
from kneerisk.training.registry.reproduction import ELSEWHERE, Reproduced, difference
from kneerisk.training.tracking import Tracking
from pipelines.__main__ import app

TRAINED = "kneerisk-new_pain-12m-v1"
pytestmark = pytest.mark.slow


def kneerisk(*arguments: str):
    return CliRunner().invoke(app, [*arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project folder with a version of 700 simulated athletes."""
    made = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert kneerisk("train", "--athletes", "700", "--seed", "4").exit_code == 0
    return made


@pytest.fixture
def here(folder, monkeypatch):
    """The same as the folder that commands are run in, with no released models."""
    monkeypatch.chdir(folder)
    for name in ("MLFLOW_TRACKING_URI", "KNEERISK_MODELS"):
        monkeypatch.delenv(name, raising=False)
    yield folder
    shutil.rmtree(folder / "models", ignore_errors=True)


@pytest.fixture
def version(here, tmp_path) -> bundle.Bundle:
    tracking = Tracking(here)
    return bundle.load(tracking.download_bundle(tracking.version(TRAINED), tmp_path))


class TestTrained:
    def test_the_same_bits_on_the_same_machine(self, here):
        found = kneerisk("reproduce", TRAINED, "--json")
        assert found.exit_code == 0, found.stderr
        told = json.loads(found.stdout)
        assert told["version"] == TRAINED
        assert told["identical"] is True
        assert told["largest_difference"] == 0.0
        assert not [what for what in told["differs"] if not what.startswith("program")]

    def test_another_model_under_its_name_fails(self, here, version):
        moved = replace(
            version.model.calibration, intercept=version.model.calibration.intercept + 1e-3
        )
        model = replace(version.model, calibration=moved)
        bundle.save(model, version.metadata, here / "models" / TRAINED)
        found = kneerisk("reproduce", TRAINED)
        assert found.exit_code == 1
        assert "NOT reproduced" in found.stdout
        told = json.loads(kneerisk("reproduce", TRAINED, "--json").stdout)
        assert told["identical"] is told["agrees"] is False
        assert 1e-5 < told["largest_difference"] < 1e-3

    def test_another_program_and_library_are_named(self, here, version, monkeypatch):
        monkeypatch.setattr(reproduction, "git_sha", lambda: "another")
        monkeypatch.setattr(
            reproduction, "environment", lambda: environment() | {"environment_xgboost": "9.9"}
        )
        found = reproduction.compare(
            version,
            version.model,
            simulate(20, 1).cohort,
            Tracking(here).logged_values(version.metadata.run_id)[0],
        )
        assert [what.split(":")[0] for what in found.differs] == ["program", "xgboost"]
        assert found.differs[0].endswith("then, another now")
        assert found.differs[1].endswith("then, 9.9 now")
        assert found.agrees

    def test_a_simulator_that_draws_others_is_refused(self, here, monkeypatch):
        monkeypatch.setattr(
            "kneerisk.training.provenance.simulate", lambda n, s: simulate(n, s + 1)
        )
        found = kneerisk("reproduce", TRAINED)
        assert "the simulator has changed since" in str(found.exception)


class TestAdapted:
    @pytest.fixture
    def adapted(self, here, champion_models, monkeypatch):
        """A version adapted to a club's file."""
        monkeypatch.setattr("kneerisk.training.new_versions.adapted_version.FOLD_SEEDS", range(1))
        shutil.copytree(champion_models, here / "models")
        cohort = simulate(2_500, 21).cohort
        club = replace(cohort, kind="observed", source="a made-up club",
                       frame=cohort.frame.head(260))  # fmt: skip
        write(club, here / "club.csv")
        found = kneerisk("adapt", "--data", "club.csv", "--json")
        assert found.exception is None, found.stderr
        return json.loads(found.stdout)["version"]

    def test_from_its_base_and_its_file(self, here, adapted, champion_models):
        found = kneerisk("reproduce", adapted, "--json")
        assert found.exception is None, found.exception
        assert json.loads(found.stdout)["identical"] is True

        Path("club.csv").rename("moved.csv")
        assert "club.csv is gone" in str(kneerisk("reproduce", adapted).exception)
        assert kneerisk("reproduce", adapted, "--data", "moved.csv").exit_code == 0

        Path("club.csv").write_text(
            Path("moved.csv").read_text().replace("a made-up club", "another club")
        )
        assert "content of the cohort differs" in str(kneerisk("reproduce", adapted).exception)

        shutil.rmtree(here / "models")
        found = kneerisk("reproduce", adapted, "--data", "moved.csv")
        assert found.exit_code == 1
        assert "v1 is not the bundle that was adapted" in str(found.exception)


class TestHowNear:
    """What counts as the same depends on whether it was the same machine."""

    def test_bit_for_bit_here_and_a_millionth_elsewhere(self):
        here = Reproduced("v", False, 1e-9, 0.0, ())
        elsewhere = Reproduced("v", False, 1e-9, ELSEWHERE, ("numpy: 1 then, 2 now",))
        too_far = replace(elsewhere, largest_difference=2e-6)
        assert (here.agrees, elsewhere.agrees, too_far.agrees) == (False, True, False)

    def test_what_a_run_does_not_say_is_not_called_different(self):
        now = environment()
        assert environment_changes({}, now) == []
        assert environment_changes(now, now) == []
        assert len(environment_changes(now | {"environment_threads": "many"}, now)) == 1

    def test_a_risk_that_only_one_gives_is_the_largest_difference(self, released):
        data = simulate(30, 1).cohort.columns()
        one = released.model.predict(data)
        assert difference(one, one) == (0.0, True)
        silent = replace(one, either=np.where(np.arange(30) == 3, np.nan, one.either))
        assert difference(one, silent) == (1.0, False)
        assert difference(one, replace(one, imbalances=None)) == (1.0, False)
