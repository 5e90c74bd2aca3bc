"""The tracking store of a folder: where it is; runs begun and found, versions, aliases."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from kneerisk.training.tracking.abandoned_runs import close_abandoned, process_tag
from kneerisk.training.tracking.loadable_model import bundle_within
from kneerisk.training.tracking.monitoring_runs import Look, log_look
from kneerisk.training.tracking.naming import (
    BUNDLE,
    CHALLENGER,
    CHAMPION,
    EXPERIMENTS,
    NOTE,
    LoggedRun,
    Purpose,
    Version,
)
from kneerisk.training.tracking.quiet_mlflow import be_quiet
from kneerisk.training.tracking.run import Run, aliased_version, remove_alias, set_alias
from kneerisk.training.tracking.shared_views import missing_views
from kneerisk.training.tracking.store_errors import (
    SQLITE,
    TrackingFailed,
    check_store,
    refuse_moved,
    translated_errors,
)
from kneerisk.training.tracking.study_runs import StudyRuns
from kneerisk.words import text, variant

#: Without `MLFLOW_TRACKING_URI`: a database and a folder where the command is run.
DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"


def tracking_uri(folder: Path) -> str:
    """Where runs are tracked: `MLFLOW_TRACKING_URI`, else SQLite in a folder."""
    from_environment = os.environ.get("MLFLOW_TRACKING_URI")
    return from_environment or f"{SQLITE}{folder.resolve() / DATABASE}"


def has_runs(folder: Path) -> bool:
    """Whether there is a store of runs, so that asking for a run does not make one."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) or (folder / DATABASE).exists()


def require_store(folder: Path) -> None:
    """Refuse a store that does not answer, before anything slow is begun."""
    check_store(tracking_uri(folder))


class Tracking:
    """The tracking store of a folder.

    Parameters
    ----------
    folder
        Where runs are kept, unless `MLFLOW_TRACKING_URI` names a server.
    sweep
        Whether runs that a killed command has left are ended first.

    Raises
    ------
    TrackingFailed
        From any method, where the store can't be reached or has no such thing.
    """

    def __init__(self, folder: Path, *, sweep: bool = True) -> None:
        be_quiet()
        self.uri = tracking_uri(folder)
        check_store(self.uri)
        from mlflow import MlflowClient

        self._local = None if os.environ.get("MLFLOW_TRACKING_URI") else folder.resolve()
        with translated_errors(self.uri):
            self._client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            if sweep and has_runs(folder):
                close_abandoned(self._client, self._experiment_ids(EXPERIMENTS))

    @contextmanager
    def start_run(
        self,
        name: str,
        tags: Mapping[str, str],
        purpose: Purpose = "train",
        parent: str | None = None,
    ) -> Iterator[Run]:
        """A run that ends as finished, or as failed if its block raises.

        Parameters
        ----------
        name
            For people.
        tags
            By which it is found.
        purpose
            Says to which experiment it belongs, and is its tag ``purpose``.
        parent
            The id of the run of the same experiment that it is shown under.

        Yields
        ------
        The run to write to.
        """
        parent_tag = {"mlflow.parentRunId": parent} if parent else {}
        all_tags = {**tags, **process_tag(), "purpose": purpose, **parent_tag}
        with translated_errors(self.uri):
            started = self._client.create_run(
                self._experiment(purpose), run_name=name, tags=all_tags
            )
        run = Run(self._client, started.info.run_id, started.info.experiment_id)
        try:
            with translated_errors(self.uri):
                yield run
                run.make_challenger()
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            # Where the store itself is the fault, the next command withdraws the version.
            with suppress(TrackingFailed), translated_errors(self.uri):
                run.withdraw_version()
                self._client.set_terminated(run.run_id, "KILLED" if stopped else "FAILED")
            raise
        with translated_errors(self.uri):
            self._client.set_terminated(run.run_id, "FINISHED")

    def log_look(self, look: Look) -> str:
        """Add a look to the run of the version that was looked at; gives the run's id."""
        with translated_errors(self.uri):
            return log_look(self._client, self._experiment("monitor"), look)

    def study_runs(self, study_id: str, name: str, tags: Mapping[str, str]) -> StudyRuns:
        """The runs of a study: its parent, started or found again, and the trials below it.

        Parameters
        ----------
        study_id
            Of the study, by which its runs are found again.
        name
            Of the parent, for people.
        tags
            Of the parent.

        Returns
        -------
        The runs, to write to.
        """
        with translated_errors(self.uri):
            experiment = self._experiment("tune")
        return StudyRuns(self._client, self.uri, experiment, study_id, name, tags)

    def version(self, name: str) -> Version:
        """The version of a name such as `kneerisk-new_pain-12m-v3`."""
        model, number = Version.parse(name)
        with translated_errors(self.uri, text("training.version.not_registered", version=name)):
            return Version.of(self._client.get_model_version(model, str(number)))

    def version_with_alias(self, model: str, alias: str) -> Version | None:
        """The version that has an alias, or None."""
        with translated_errors(self.uri):
            return aliased_version(self._client, model, alias)

    def challengers(self) -> list[Version]:
        """Every version that waits to be promoted."""
        with translated_errors(self.uri):
            models = self._client.search_registered_models(filter_string="name LIKE 'kneerisk-%'")
            versions = [self.version_with_alias(model.name, CHALLENGER) for model in models]
        return [version for version in versions if version is not None]

    def make_champion(self, version: Version) -> None:
        """Move the alias `champion` to a version, which is then no challenger any more."""
        champion, challenger = (
            self.version_with_alias(version.model, alias) for alias in (CHAMPION, CHALLENGER)
        )
        if champion is None or champion.number != version.number:
            self.set_alias(version, CHAMPION)
        if challenger is not None and challenger.number == version.number:
            self.remove_alias(version.model, CHALLENGER)

    def set_alias(self, version: Version, alias: str) -> None:
        """Move an alias to a version."""
        with translated_errors(self.uri):
            set_alias(self._client, version, alias)

    def remove_alias(self, model: str, alias: str) -> None:
        """Remove an alias."""
        with translated_errors(self.uri):
            remove_alias(self._client, model, alias)

    def tag_version(self, version: Version, **tags: str) -> None:
        """Write tags on a version."""
        with translated_errors(self.uri):
            for key, value in tags.items():
                self._client.set_model_version_tag(version.model, str(version.number), key, value)

    def logged_values(self, run_id: str) -> tuple[dict[str, str], dict[str, float]]:
        """Parameters and metrics of a run."""
        with translated_errors(self.uri):
            data = self._client.get_run(run_id).data
        return dict(data.params), dict(data.metrics)

    def has_artifact(self, run_id: str, artifact: str) -> bool:
        """Whether a run has a file or folder at the top level of its artifacts."""
        with translated_errors(self.uri):
            names = [entry.path for entry in self._client.list_artifacts(run_id)]
            if not names:
                refuse_moved(self.uri, self._client.get_run(run_id).info.artifact_uri)
        return artifact in names

    def download(self, run_id: str, artifact: str, folder: Path) -> Path:
        """Fetch an artifact of a run.

        Parameters
        ----------
        run_id
            Of the run.
        artifact
            Its path among the artifacts.
        folder
            Where it is put.

        Returns
        -------
        The path of the fetched file or folder.
        """
        with translated_errors(self.uri):
            return Path(self._client.download_artifacts(run_id, artifact, str(folder)))

    def download_plots(self, run_id: str, folder: Path) -> None:
        """Fetch a run's plots into a folder, which is made where there are any."""
        with translated_errors(self.uri):
            for entry in self._client.list_artifacts(run_id):
                if entry.path.endswith(".png"):
                    folder.mkdir(exist_ok=True)
                    self._client.download_artifacts(run_id, entry.path, str(folder))

    def download_bundle(self, version: Version, folder: Path) -> Path:
        """Fetch the bundle of a version into a new folder below one; gives its path."""
        from mlflow.artifacts import download_artifacts

        with translated_errors(self.uri):
            entity = self._client.get_model_version(version.model, str(version.number))
            fetched = download_artifacts(
                entity.source, dst_path=str(folder / BUNDLE), tracking_uri=self.uri
            )
        return bundle_within(Path(fetched))

    def find_runs(
        self, purposes: Iterable[Purpose], where: str = "", order_by: Iterable[str] = ()
    ) -> list[LoggedRun]:
        """Finished runs of some experiments, by a filter of MLflow's search language.

        Parameters
        ----------
        purposes
            The experiments to search.
        where
            Such as ``params.data_sha256 LIKE '9211%'``.
        order_by
            Such as ``metrics.integrated_calibration_index ASC``; where none is given or where they
            are equal, the latest run comes first. Runs without such a metric come last.

        Returns
        -------
        The runs in that order; empty where the experiments do not exist yet.
        """
        finished = "attributes.status = 'FINISHED'"
        with translated_errors(self.uri):
            ids = self._experiment_ids(purposes)
            if not ids:
                return []
            runs = self._client.search_runs(
                ids, f"{finished} and {where}" if where else finished, order_by=list(order_by)
            )
        return [LoggedRun.of(run) for run in runs]

    def _experiment_ids(self, purposes: Iterable[Purpose]) -> list[str]:
        experiments = (self._client.get_experiment_by_name(EXPERIMENTS[each]) for each in purposes)
        return [str(entity.experiment_id) for entity in experiments if entity is not None]

    def _experiment(self, purpose: Purpose) -> str:
        experiment = self._client.get_experiment_by_name(EXPERIMENTS[purpose])
        if experiment is not None:
            for name, value in missing_views(purpose, experiment.tags).items():
                self._client.set_experiment_tag(experiment.experiment_id, name, value)
            return str(experiment.experiment_id)
        folder = (self._local / ARTIFACTS).as_uri() if self._local else None
        return str(
            self._client.create_experiment(
                EXPERIMENTS[purpose],
                artifact_location=folder,
                tags={
                    NOTE: variant("training.experiment", purpose),
                    **missing_views(purpose, {}),
                },
            )
        )
