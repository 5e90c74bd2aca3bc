"""Runs and registered versions in MLflow; the only module that knows MLflow.

A registered version points at the bundle among its run's artifacts. One registered model holds
the versions of one outcome kind and horizon.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kneerisk.cohort import Cohort
from kneerisk.errors import KneeriskError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What a run was made for, and the experiment in which such runs lie side by side.
Purpose = Literal["train", "adapt", "tune", "benchmark"]
EXPERIMENTS: Mapping[Purpose, str] = {
    "train": "kneerisk",
    "adapt": "kneerisk-adapt",
    "tune": "kneerisk-tuning",
    "benchmark": "kneerisk-real-benchmark",
}
#: Artifacts of a run.
BUNDLE, CARD = "bundle", "card.md"
CHALLENGER, CHAMPION = "challenger", "champion"
#: Without `MLFLOW_TRACKING_URI`: a database and a folder where the command is run.
DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"


class TrackingFailed(KneeriskError):
    """The tracking store can't be reached, or does not hold what was asked for."""


def tracking_uri(folder: Path) -> str:
    """Where runs are tracked: `MLFLOW_TRACKING_URI`, else SQLite in a folder."""
    given = os.environ.get("MLFLOW_TRACKING_URI")
    return given or f"sqlite:///{folder.resolve() / DATABASE}"


def registered_name(outcome_kind: str, horizon_months: int | None) -> str:
    """The registered model of an outcome kind: `kneerisk-new_pain-12m`."""
    horizon = f"-{horizon_months}m" if horizon_months else ""
    return f"kneerisk-{outcome_kind}{horizon}"


@dataclass(frozen=True, slots=True)
class Version:
    """A registered version."""

    model: str
    number: int
    run_id: str
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.model}-v{self.number}"

    @staticmethod
    def parse(text: str) -> tuple[str, int]:
        """The registered model and number of `kneerisk-new_pain-12m-v3`."""
        model, mark, number = text.rpartition("-v")
        if not mark or not (number.isascii() and number.isdigit()):
            raise TrackingFailed(f"{text} is not a version, as kneerisk-new_pain-12m-v3 is")
        return model, int(number)


class Tracking:
    """The tracking store of a folder.

    Raises
    ------
    TrackingFailed
        From any method, where the store can't be reached or has no such thing.
    """

    def __init__(self, folder: Path) -> None:
        _be_quiet()
        from mlflow import MlflowClient

        self.uri = tracking_uri(folder)
        self._local = None if "MLFLOW_TRACKING_URI" in os.environ else folder.resolve()
        with _explained(self.uri):
            self._client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @contextmanager
    def run(
        self,
        name: str,
        tags: Mapping[str, str],
        purpose: Purpose = "train",
        parent: str | None = None,
    ) -> Iterator[Run]:
        """A run that ends as finished, or as failed if its block raises.

        Parameters
        ----------
        purpose
            Says in which experiment it lies, and is its tag ``purpose``.
        parent
            The id of the run of the same experiment that it is shown under.
        """
        shown_under = {"mlflow.parentRunId": parent} if parent else {}
        every = {**tags, "purpose": purpose, **shown_under}
        with _explained(self.uri):
            started = self._client.create_run(
                self._experiment(EXPERIMENTS[purpose]), run_name=name, tags=every
            )
        run = Run(self._client, started.info.run_id, started.info.artifact_uri)
        try:
            with _explained(self.uri):
                yield run
                run.challenge()
        except BaseException as error:
            run.withdraw()
            stopped = isinstance(error, KeyboardInterrupt)
            self._client.set_terminated(run.run_id, "KILLED" if stopped else "FAILED")
            raise
        self._client.set_terminated(run.run_id, "FINISHED")

    def version(self, text: str) -> Version:
        """A version by its text."""
        model, number = Version.parse(text)
        with _explained(self.uri, f"{text} is not registered"):
            return _version(self._client.get_model_version(model, str(number)))

    def alias(self, model: str, alias: str) -> Version | None:
        """The version that carries an alias, or None."""
        from mlflow.exceptions import MlflowException

        try:
            return _version(self._client.get_model_version_by_alias(model, alias))
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise TrackingFailed(_told(self.uri, error)) from None

    def challengers(self) -> list[Version]:
        """Every version that waits to be promoted."""
        with _explained(self.uri):
            models = self._client.search_registered_models(filter_string="name LIKE 'kneerisk-%'")
            found = [self.alias(model.name, CHALLENGER) for model in models]
        return [version for version in found if version is not None]

    def give(self, version: Version, alias: str) -> None:
        """Move an alias to a version."""
        with _explained(self.uri):
            self._client.set_registered_model_alias(version.model, alias, str(version.number))

    def take(self, model: str, alias: str) -> None:
        """Remove an alias."""
        with _explained(self.uri):
            self._client.delete_registered_model_alias(model, alias)

    def tag(self, version: Version, **tags: str) -> None:
        """Write tags on a version."""
        with _explained(self.uri):
            for key, value in tags.items():
                self._client.set_model_version_tag(version.model, str(version.number), key, value)

    def logged(self, run_id: str) -> tuple[dict[str, str], dict[str, float]]:
        """Parameters and metrics of a run."""
        with _explained(self.uri):
            data = self._client.get_run(run_id).data
        return dict(data.params), dict(data.metrics)

    def download(self, run_id: str, artifact: str, folder: Path) -> Path:
        """Fetch a run's artifact into a folder; gives where it is."""
        with _explained(self.uri):
            return Path(self._client.download_artifacts(run_id, artifact, str(folder)))

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        folder = (self._local / ARTIFACTS).as_uri() if self._local else None
        return str(self._client.create_experiment(name, artifact_location=folder))


class Run:
    """A run that is being written."""

    def __init__(self, client: Any, run_id: str, artifact_uri: str) -> None:
        self.run_id = run_id
        self.version: Version | None = None
        self._client = client
        self._artifact_uri = artifact_uri

    def register(self, model: str, description: str) -> Version:
        """Register the next version; it becomes challenger when the run ends well."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        self.version = _version(
            self._client.create_model_version(
                model,
                f"{self._artifact_uri}/{BUNDLE}",
                self.run_id,
                description=description,
                await_creation_for=0,
            )
        )
        return self.version

    def numbers(self, params: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """Log parameters and metrics under their names."""
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1_000)
        self._client.log_batch(
            self.run_id,
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
            params=[Param(name, str(value)) for name, value in params.items()],
        )

    def dataset(self, cohort: Cohort, context: str, sha256: str, source: Mapping[str, str]) -> None:
        """Log which screenings were used, by digest: what they are, never their values."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        kinds = {"f": "double", "i": "long"}
        columns = [
            {"name": str(name), "type": kinds.get(dtype.kind, "string"), "required": False}
            for name, dtype in cohort.frame.dtypes.items()
        ]
        rows = len(cohort.frame)
        logged = Dataset(
            name=cohort.source[:500],
            digest=sha256[:16],
            source_type="local" if "data_file" in source else "code",
            source=json.dumps(dict(source)),
            schema=json.dumps({"mlflow_colspec": columns}),
            profile=json.dumps({"num_rows": rows, "num_elements": rows * len(columns)}),
        )
        tags = [InputTag("mlflow.data.context", context)]
        self._client.log_inputs(self.run_id, [DatasetInput(logged, tags)])

    def figures(self, figures: Mapping[str, Figure]) -> None:
        """Log plots as pictures."""
        for name, figure in figures.items():
            self._client.log_figure(self.run_id, figure, f"plots/{name}.png")

    def text(self, text: str, artifact: str) -> None:
        """Log a text file."""
        self._client.log_text(self.run_id, text, artifact)

    def note(self, markdown: str) -> None:
        """Show a text on the run's page."""
        self._client.set_tag(self.run_id, "mlflow.note.content", markdown)

    def bundle(self, folder: Path, sha256: str) -> None:
        """Log the bundle that the registered version points at."""
        self._client.log_artifacts(self.run_id, str(folder), BUNDLE)
        if self.version is not None:
            self._client.set_model_version_tag(
                self.version.model, str(self.version.number), "bundle_sha256", sha256
            )

    def challenge(self) -> None:
        """Make the registered version, if there is one, the challenger of its kind."""
        if self.version is not None:
            self._client.set_registered_model_alias(
                self.version.model, CHALLENGER, str(self.version.number)
            )

    def withdraw(self) -> None:
        """Remove the registered version, which has no whole bundle behind it."""
        if self.version is not None:
            self._client.delete_model_version(self.version.model, str(self.version.number))


def _version(found: Any) -> Version:
    return Version(str(found.name), int(found.version), str(found.run_id), dict(found.tags))


def _be_quiet() -> None:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    # Standard output is for the result of a command.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # The first use of a database tells of each of its tables.
    for name in ("mlflow.store.db.utils", "mlflow.store.model_registry", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def _explained(uri: str, otherwise: str | None = None) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise TrackingFailed(otherwise or _told(uri, error)) from None


def _told(uri: str, error: Exception) -> str:
    return f"MLflow at {uri}: {str(error).splitlines()[0]}"
