"""A run that is being written: its numbers, plots, data and version."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kneerisk.cohort import Cohort
from kneerisk.training.tracking.names import BUNDLE, CHALLENGER, Version

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
        self.version = Version.of(
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
