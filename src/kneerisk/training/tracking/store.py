"""The tracking store of a folder: runs are begun, versions found and aliases moved."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kneerisk.training.tracking.connection import (
    ARTIFACTS,
    TrackingFailed,
    be_quiet,
    explained,
    told,
    tracking_uri,
)
from kneerisk.training.tracking.names import CHALLENGER, EXPERIMENTS, Purpose, Version
from kneerisk.training.tracking.run import Run


class Tracking:
    """The tracking store of a folder.

    Raises
    ------
    TrackingFailed
        From any method, where the store can't be reached or has no such thing.
    """

    def __init__(self, folder: Path) -> None:
        be_quiet()
        from mlflow import MlflowClient

        self.uri = tracking_uri(folder)
        self._local = None if "MLFLOW_TRACKING_URI" in os.environ else folder.resolve()
        with explained(self.uri):
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
        with explained(self.uri):
            started = self._client.create_run(
                self._experiment(EXPERIMENTS[purpose]), run_name=name, tags=every
            )
        run = Run(self._client, started.info.run_id, started.info.artifact_uri)
        try:
            with explained(self.uri):
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
        with explained(self.uri, f"{text} is not registered"):
            return Version.of(self._client.get_model_version(model, str(number)))

    def alias(self, model: str, alias: str) -> Version | None:
        """The version that carries an alias, or None."""
        from mlflow.exceptions import MlflowException

        try:
            return Version.of(self._client.get_model_version_by_alias(model, alias))
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise TrackingFailed(told(self.uri, error)) from None

    def challengers(self) -> list[Version]:
        """Every version that waits to be promoted."""
        with explained(self.uri):
            models = self._client.search_registered_models(filter_string="name LIKE 'kneerisk-%'")
            found = [self.alias(model.name, CHALLENGER) for model in models]
        return [version for version in found if version is not None]

    def give(self, version: Version, alias: str) -> None:
        """Move an alias to a version."""
        with explained(self.uri):
            self._client.set_registered_model_alias(version.model, alias, str(version.number))

    def take(self, model: str, alias: str) -> None:
        """Remove an alias."""
        with explained(self.uri):
            self._client.delete_registered_model_alias(model, alias)

    def tag(self, version: Version, **tags: str) -> None:
        """Write tags on a version."""
        with explained(self.uri):
            for key, value in tags.items():
                self._client.set_model_version_tag(version.model, str(version.number), key, value)

    def logged(self, run_id: str) -> tuple[dict[str, str], dict[str, float]]:
        """Parameters and metrics of a run."""
        with explained(self.uri):
            data = self._client.get_run(run_id).data
        return dict(data.params), dict(data.metrics)

    def download(self, run_id: str, artifact: str, folder: Path) -> Path:
        """Fetch a run's artifact into a folder; gives where it is."""
        with explained(self.uri):
            return Path(self._client.download_artifacts(run_id, artifact, str(folder)))

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        folder = (self._local / ARTIFACTS).as_uri() if self._local else None
        return str(self._client.create_experiment(name, artifact_location=folder))
