"""The tracking store of a folder: runs are begun, versions found and aliases moved."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kneerisk.training.tracking import aliases
from kneerisk.training.tracking.connection import (
    ARTIFACTS,
    be_quiet,
    explained,
    tracking_uri,
)
from kneerisk.training.tracking.naming import (
    ABOUT,
    BUNDLE,
    CHALLENGER,
    EXPERIMENTS,
    NOTE,
    Logged,
    Purpose,
    Version,
)
from kneerisk.training.tracking.run import Run
from kneerisk.training.tracking.study_runs import StudyRuns


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
            started = self._client.create_run(self._experiment(purpose), run_name=name, tags=every)
        run = Run(self._client, started.info.run_id, started.info.experiment_id)
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

    def study(self, study_id: str, name: str, tags: Mapping[str, str]) -> StudyRuns:
        """The runs of a study: its parent, begun or found again, and what lies under it."""
        with explained(self.uri):
            experiment = self._experiment("tune")
        return StudyRuns(self._client, self.uri, experiment, study_id, name, tags)

    def version(self, text: str) -> Version:
        """A version by its text."""
        model, number = Version.parse(text)
        with explained(self.uri, f"{text} is not registered"):
            return Version.of(self._client.get_model_version(model, str(number)))

    def alias(self, model: str, alias: str) -> Version | None:
        """The version that carries an alias, or None."""
        with explained(self.uri):
            return aliases.holder(self._client, model, alias)

    def challengers(self) -> list[Version]:
        """Every version that waits to be promoted."""
        with explained(self.uri):
            models = self._client.search_registered_models(filter_string="name LIKE 'kneerisk-%'")
            found = [self.alias(model.name, CHALLENGER) for model in models]
        return [version for version in found if version is not None]

    def give(self, version: Version, alias: str) -> None:
        """Move an alias to a version."""
        with explained(self.uri):
            aliases.give(self._client, version, alias)

    def take(self, model: str, alias: str) -> None:
        """Remove an alias."""
        with explained(self.uri):
            aliases.take(self._client, model, alias)

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

    def holds(self, run_id: str, artifact: str) -> bool:
        """Whether a run has an artifact, a file or a folder at its top."""
        with explained(self.uri):
            return any(one.path == artifact for one in self._client.list_artifacts(run_id))

    def download(self, run_id: str, artifact: str, folder: Path) -> Path:
        """Fetch a run's artifact into a folder; gives where it is."""
        with explained(self.uri):
            return Path(self._client.download_artifacts(run_id, artifact, str(folder)))

    def plots(self, run_id: str, folder: Path) -> None:
        """Fetch a run's plots into a folder, which is made where there are any."""
        with explained(self.uri):
            for found in self._client.list_artifacts(run_id):
                if found.path.endswith(".png"):
                    folder.mkdir(exist_ok=True)
                    self._client.download_artifacts(run_id, found.path, str(folder))

    def bundle(self, version: Version, folder: Path) -> Path:
        """Fetch the bundle of a version into a folder of its own inside; gives where it is."""
        from mlflow.artifacts import download_artifacts

        with explained(self.uri):
            found = self._client.get_model_version(version.model, str(version.number))
            return Path(
                download_artifacts(
                    found.source, dst_path=str(folder / BUNDLE), tracking_uri=self.uri
                )
            )

    def find(
        self, purposes: Iterable[Purpose], where: str = "", order_by: Iterable[str] = ()
    ) -> list[Logged]:
        """Finished runs of some experiments, by a filter of MLflow's search language.

        Parameters
        ----------
        where
            Such as ``params.data_sha256 LIKE '9211%'``.
        order_by
            Such as ``metrics.integrated_calibration_index ASC``; where none is given or where they
            are equal, the latest run comes first. Runs without such a metric come last.
        """
        finished = "attributes.status = 'FINISHED'"
        with explained(self.uri):
            known = [self._client.get_experiment_by_name(EXPERIMENTS[one]) for one in purposes]
            ids = [one.experiment_id for one in known if one is not None]
            if not ids:
                return []
            found = self._client.search_runs(
                ids, f"{finished} and {where}" if where else finished, order_by=list(order_by)
            )
        return [Logged.of(run) for run in found]

    def _experiment(self, purpose: Purpose) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENTS[purpose])
        if found is not None:
            return str(found.experiment_id)
        folder = (self._local / ARTIFACTS).as_uri() if self._local else None
        return str(
            self._client.create_experiment(
                EXPERIMENTS[purpose], artifact_location=folder, tags={NOTE: ABOUT[purpose]}
            )
        )
