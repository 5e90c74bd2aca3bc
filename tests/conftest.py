"""What tests share: one small simulated cohort, one model fitted to it, one released champion."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import typer.main
import typer.testing
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from kneerisk.cohort.simulation.simulated_cohort import Simulated, simulate
from kneerisk.cohort.splits import subset
from kneerisk.evaluation.baselines.baseline_design import logistic_design
from kneerisk.evaluation.baselines.baselines import fit_logistic
from kneerisk.model import Bundle, bundle, champion
from kneerisk.training.fitting.fit import Fitted, fit
from kneerisk.training.fitting.fitted_metadata import metadata_of
from kneerisk.training.tracking import DATABASE, Tracking, has_runs
from pipelines.examples import default_model

#: What tests in a browser share, and the list of those that were left out without one.
pytest_plugins = ["browser"]

# The same examples on every machine, and no deadline: how long something takes is not tested.
settings.register_profile(
    "kneerisk",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("kneerisk")

ATHLETES, SEED = 4_000, 11
#: Screenings behind the logistic regression in the champion's bundle: it takes a second.
FEW = 500
VERSION = "kneerisk-new_pain-12m-v1"

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
# Commands and services that tests start share the cores with other tests: a thread of XGBoost that
# waits for another must not do so by spinning, for which trees take three times the processor.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the tests can be asked for beside their result."""
    parser.addoption(
        "--renew-digests",
        action="store_true",
        help="keep what outputs are now as what they have to be (test_digests.py)",
    )


def pytest_xdist_auto_num_workers() -> int:
    """Twice as many as cores: tests wait for browsers, services and commands a good part of it."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of fast tests first; on several cores last, so that no core waits at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    is_shared = "PYTEST_XDIST_WORKER" in os.environ
    items.sort(key=lambda item: (item.path in slow) != is_shared)


def pytest_collection_finish() -> None:
    """Collections of garbage leave out the tests and modules, which stay to the end, and are fewer.

    Young objects are looked through every 20,000 instead of 700, all that tests have left every 20
    million instead of 70,000 (assumption: little enough to hold).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="module", autouse=True)
def environment_is_left_as_it_was() -> Iterator[None]:
    """What a command or a library sets in this process would reach the tests of the next file."""
    with patch.dict(os.environ):
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread, as `make` sets it: the last bits hang on how it is shared.

    So are the small matrices of XGBoost: its threads would wait for those of other tests.
    """
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session", autouse=True)
def stores_of_runs_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new store of runs is the copy of an empty one: MLflow takes a second to make its tables."""
    template = tmp_path_factory.mktemp("store") / DATABASE
    made = Tracking.__init__

    def copied(tracking: Tracking, folder: Path, **options: bool) -> None:
        if folder.is_dir() and not has_runs(folder):
            if not template.exists():
                made(tracking, template.parent, **options)
            shutil.copy(template, folder / DATABASE)
        made(tracking, folder, **options)

    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(Tracking, "__init__", copied)
        yield


@pytest.fixture(scope="session", autouse=True)
def command_line_is_made_once() -> Iterator[None]:
    """Typer makes its commands anew for each call, which takes longer than many a command."""
    made_once = cache(typer.main.get_command)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(typer.main, "get_command", made_once)
        changed.setattr(typer.testing, "_get_command", made_once)
        yield


@pytest.fixture(scope="session")
def simulated() -> Simulated:
    """A small simulated cohort with its truth."""
    return simulate(ATHLETES, SEED)


@pytest.fixture(scope="session")
def fitted(simulated: Simulated) -> Fitted:
    """A model fitted to it."""
    return fit(simulated.cohort, simulated.truth)


@pytest.fixture(scope="session")
def champion_models(
    simulated: Simulated, fitted: Fitted, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A models folder whose champion is that model. Don't change it: copy it."""
    models = tmp_path_factory.mktemp("models")
    metadata = metadata_of(
        simulated.cohort,
        simulated.truth,
        fitted,
        version=VERSION,
        run_id="0" * 32,
        git_sha=None,
        data_sha256="0" * 64,
    )
    few = subset(simulated.cohort, np.arange(len(simulated.cohort.frame)) < FEW)
    baseline = fit_logistic(few, logistic_design(), seed=0).as_data()
    sha256 = bundle.save(fitted.model, metadata, models / VERSION, baseline=baseline)
    champion.write(models, VERSION, sha256, None)
    return models


@pytest.fixture(scope="session")
def released(champion_models: Path) -> Bundle:
    """The champion's bundle, loaded as a service loads it."""
    found = champion.read(champion_models)
    assert found is not None
    return bundle.load(found.folder, found.sha256)


@pytest.fixture(scope="session")
def default_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The model that `make up` makes, fitted as `kneerisk train` does.

    It takes half a minute, so that the processes of a run share one; the first to need it fits it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / VERSION
    with (shared / "default.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = default_model()
            bundle.save(made.model, replace(made.metadata, version=VERSION), folder)
    return bundle.load(folder)
