"""A run that is being written: its parameters, metrics, plots, data sets, version and aliases.

A version is a *logged model* of MLflow: it has its own page, with the run it came from, the data
sets of its metrics, and its bundle, which MLflow loads through the installed package.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kneerisk.cohort import Cohort
from kneerisk.training.tracking.abandoned_runs import BUNDLE_SHA256
from kneerisk.training.tracking.loadable_model import write_loadable_model
from kneerisk.training.tracking.naming import (
    ALIAS,
    CARD,
    CHALLENGER,
    MODEL_TYPE,
    NOTE,
    Version,
    describe_model,
)
from kneerisk.words import text

#: Longest texts that MLflow keeps: the note is a tag of a run, the other a column of its database.
_NOTE_CHARACTERS, _DESCRIPTION_CHARACTERS = 8_000, 5_000
#: The data set of a metric, by the prefix of its name; all others are of held-out athletes.
_MEASURED_ON = {
    "train_": "training",
    "instability_": "training",
    "cv_": "cross-validation",
    "iecv_": "groups",
}
HELD_OUT = "held-out"
#: What is left where an image was.
_EMPTY_LINES = re.compile(r"\n{3,}")


class Run:
    """A run that is being written."""

    def __init__(self, client: Any, run_id: str, experiment: str) -> None:
        self.run_id = run_id
        self.experiment = experiment
        self.version: Version | None = None
        self.is_of_a_challenger = True
        self._client = client
        self._model_id: str | None = None
        self._validated_id: str | None = None
        self._datasets: dict[str, Any] = {}

    def register(self, model: str, title: str) -> Version:
        """Register the next version; it becomes challenger when the run ends well.

        The run is named after it, `v3 new pain in 12 months, ...`: names are cut at their end.
        """
        from mlflow.entities import LoggedModelOutput
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(model, description=describe_model(model))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        logged = self._client.create_logged_model(
            self.experiment, name=model, source_run_id=self.run_id, model_type=MODEL_TYPE
        )
        self._model_id = str(logged.model_id)
        self.version = Version.of(
            self._client.create_model_version(
                # Not `models:/<id>`, which MLflow looks up in whatever store it takes for its own.
                model, logged.artifact_location, self.run_id, description=title,
                await_creation_for=0, model_id=self._model_id,
            )
        )  # fmt: skip
        number = str(self.version.number)
        versions = json.dumps([{"name": model, "version": number}])
        self._client.set_logged_model_tags(self._model_id, {"mlflow.modelVersions": versions})
        self._client.log_outputs(self.run_id, [LoggedModelOutput(self._model_id, 0)])
        self._client.update_run(self.run_id, name=f"v{number} {title}")
        return self.version

    def link_version(self, version: Version) -> None:
        """Say that the metrics are of a version that another run registered."""
        from mlflow.entities import LoggedModelInput

        outputs = self._client.get_run(version.run_id).outputs
        for logged in outputs.model_outputs if outputs else ():
            self._client.log_inputs(self.run_id, models=[LoggedModelInput(logged.model_id)])
            self._validated_id = str(logged.model_id)

    def log_values(self, params: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """Log parameters, and metrics with the data set of each: call `log_dataset` before."""
        from mlflow.entities import Metric, Param

        now, model_id = int(time.time() * 1_000), self._model_id or self._validated_id
        self._client.log_batch(
            self.run_id, metrics=[
                Metric(name, value, now, 0, model_id=model_id, run_id=self.run_id,
                       **self._measured_on(name))
                for name, value in metrics.items()
            ],
            params=[Param(name, str(value)) for name, value in params.items()],
        )  # fmt: skip
        if self._model_id is not None:
            texts = {name: str(value) for name, value in params.items()}
            self._client.log_model_params(self._model_id, texts)

    def log_dataset(
        self, cohort: Cohort, context: str, sha256: str, source: Mapping[str, str]
    ) -> None:
        """Log which screenings were used, by digest: what they are, never their values.

        Parameters
        ----------
        cohort
            The screenings.
        context
            What they were used for: ``training``, ``held-out``.
        sha256
            Of these screenings alone: two parts with one digest would be taken for one.
        source
            Where they can be had again, as run parameters.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        kinds = {"f": "double", "i": "long"}
        columns = [
            {"name": str(name), "type": kinds.get(dtype.kind, "string"), "required": False}
            for name, dtype in cohort.frame.dtypes.items()
        ]
        rows = len(cohort.frame)
        logged = Dataset(
            name=f"{context}: {cohort.source}"[:500],
            digest=sha256[:16],
            source_type="local" if "data_file" in source else "code",
            source=json.dumps(dict(source)),
            schema=json.dumps({"mlflow_colspec": columns}),
            profile=json.dumps({"num_rows": rows, "num_elements": rows * len(columns)}),
        )
        self._datasets[context] = logged
        tags = [InputTag("mlflow.data.context", context)]
        self._client.log_inputs(self.run_id, [DatasetInput(logged, tags)])

    def log_images(self, images: Mapping[str, bytes]) -> None:
        """Log PNGs at the top level of the artifacts, where MLflow compares those of two runs."""
        with TemporaryDirectory() as folder:
            for name, image in images.items():
                Path(folder, f"{name}.png").write_bytes(image)
            self._client.log_artifacts(self.run_id, folder)

    def log_text(self, text: str, artifact: str) -> None:
        """Log a text file."""
        self._client.log_text(self.run_id, text, artifact)

    def log_card(self, markdown: str) -> None:
        """Log the card, and describe the version by it."""
        self.log_text(markdown, CARD)
        if self.version is not None:
            beginning = shorten(markdown, _DESCRIPTION_CHARACTERS)
            self._client.update_model_version(
                self.version.model, str(self.version.number), beginning
            )
            note = {NOTE: shorten(markdown, _NOTE_CHARACTERS)}
            self._client.set_logged_model_tags(self._model_id, note)

    def set_note(self, markdown: str) -> None:
        """Show a text on the run's page."""
        self._client.set_tag(self.run_id, NOTE, shorten(markdown, _NOTE_CHARACTERS))

    def log_bundle(self, folder: Path, sha256: str) -> None:
        """Log the bundle as what the registered version is."""
        if self.version is None or self._model_id is None:
            raise RuntimeError("a bundle belongs to a version: register one first")
        ids = {"run_id": self.run_id, "model_id": self._model_id}
        with TemporaryDirectory() as made:
            write_loadable_model(Path(made), folder, sha256, ids)
            self._client.log_model_artifacts(self._model_id, made)
        self._client.set_model_version_tag(
            self.version.model, str(self.version.number), BUNDLE_SHA256, sha256
        )

    def make_challenger(self) -> None:
        """Make the registered version, if there is one, the challenger, unless it is none."""
        if self.version is not None:
            self._client.finalize_logged_model(self._model_id, "READY")
            if self.is_of_a_challenger:
                set_alias(self._client, self.version, CHALLENGER)

    def withdraw_version(self) -> None:
        """Remove the registered version, whose bundle is incomplete."""
        if self._model_id is not None:
            self._client.finalize_logged_model(self._model_id, "FAILED")
        if self.version is not None:
            self._client.delete_model_version(self.version.model, str(self.version.number))

    def _measured_on(self, metric: str) -> dict[str, str]:
        """The data set that a metric is of, as MLflow stores it with the metric."""
        context = next(
            (data for start, data in _MEASURED_ON.items() if metric.startswith(start)), HELD_OUT
        )
        dataset = self._datasets.get(context)
        if dataset is None:
            return {}
        return {"dataset_name": dataset.name, "dataset_digest": dataset.digest}


def shorten(markdown: str, characters: int) -> str:
    """A text as MLflow stores and shows it: its first sections, and where the rest is.

    Images are left out: their relative paths lead nowhere from MLflow's page.
    """
    kept_lines = "\n".join(line for line in markdown.split("\n") if not line.startswith("!["))
    markdown = _EMPTY_LINES.sub("\n\n", kept_lines)
    if len(markdown) <= characters:
        return markdown
    end = text("training.tracking.rest", card=CARD)
    beginning = markdown[: characters - len(end)]
    section = beginning.rfind("\n## ")
    return beginning[: section if section > 0 else beginning.rfind("\n")].rstrip() + end


def aliased_version(client: Any, model: str, alias: str) -> Version | None:
    """The version that has an alias.

    Parameters
    ----------
    client
        Of MLflow.
    model
        The registered model.
    alias
        Such as ``champion``.

    Returns
    -------
    The version, or None where none has the alias.
    """
    from mlflow.exceptions import MlflowException

    try:
        return Version.of(client.get_model_version_by_alias(model, alias))
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def set_alias(client: Any, version: Version, alias: str) -> None:
    """Move an alias to a version, and update the tag of both versions' runs.

    Parameters
    ----------
    client
        Of MLflow.
    version
        The version that gets the alias.
    alias
        Such as ``champion``.
    """
    before = aliased_version(client, version.model, alias)
    client.set_registered_model_alias(version.model, alias, str(version.number))
    for changed in (before, version):
        if changed is not None:
            _tag_run(client, changed)


def remove_alias(client: Any, model: str, alias: str) -> None:
    """Remove an alias, and update the tag of the run of the version that had it.

    Parameters
    ----------
    client
        Of MLflow.
    model
        The registered model.
    alias
        Such as ``challenger``.
    """
    before = aliased_version(client, model, alias)
    client.delete_registered_model_alias(model, alias)
    if before is not None:
        _tag_run(client, before)


def _tag_run(client: Any, version: Version) -> None:
    """Tag the run of a version with all aliases of the version."""
    aliases = sorted(client.get_model_version(version.model, str(version.number)).aliases)
    if aliases:
        client.set_tag(version.run_id, ALIAS, ", ".join(aliases))
    elif ALIAS in client.get_run(version.run_id).data.tags:
        client.delete_tag(version.run_id, ALIAS)
