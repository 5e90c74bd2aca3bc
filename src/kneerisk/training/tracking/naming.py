"""MLflow in our words: names of experiments, artifacts, aliases and versions, addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from kneerisk.training.tracking.store_errors import TrackingFailed
from kneerisk.words import text

#: What a run was made for, and the experiment in which such runs lie side by side.
Purpose = Literal["train", "adapt", "tune", "benchmark", "validate", "pool", "monitor"]
EXPERIMENTS: Mapping[Purpose, str] = {
    "train": "kneerisk",
    "adapt": "kneerisk-adapt",
    "tune": "kneerisk-tuning",
    "benchmark": "kneerisk-real-benchmark",
    "validate": "kneerisk-validation",
    "pool": "kneerisk-pooling",
    "monitor": "kneerisk-monitoring",
}
#: The folders of a fetched bundle and of the plots beside a released card; the card of a run.
BUNDLE, PLOTS, CARD = "bundle", "plots", "card.md"
#: The artifact with every metric of a run, of which MLflow's lists hold the first few dozen.
EVALUATION = "evaluation.json"
#: The kind of the logged model that a version is: a kneerisk bundle.
MODEL_TYPE = "kneerisk bundle"
#: The tag that MLflow shows as the description of an experiment, a run or a model.
NOTE = "mlflow.note.content"
CHALLENGER, CHAMPION = "challenger", "champion"
#: Tag of a run: the aliases of its version, such as `champion`.
ALIAS = "alias"
#: MLflow opens on its pages for language models; this leads to those for trained ones.
TRAINED_MODELS = "workflowType=machine_learning"
#: The order of "best calibrated first", and what finds the runs of one cohort.
BEST_CALIBRATED = "metrics.integrated_calibration_index"
_DIGEST_CHARACTERS = 16
#: How the name of a run begins that registered a version.
_NUMBER = re.compile(r"v(\d+) ")
#: The same order in an address: a page of MLflow knows a column by its name in backticks.
_SORTED_BY = "metrics.`{}`".format(BEST_CALIBRATED.removeprefix("metrics."))


def registered_name(outcome_kind: str, horizon_months: int | None) -> str:
    """The registered model of an outcome kind: `kneerisk-new_pain-12m`."""
    horizon = f"-{horizon_months}m" if horizon_months else ""
    return f"kneerisk-{outcome_kind}{horizon}"


def describe_model(model: str) -> str:
    """The description that MLflow shows above the versions of a registered model."""
    return text("training.tracking.model", model=model, challenger=CHALLENGER, champion=CHAMPION)


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
    def parse(name: str) -> tuple[str, int]:
        """The registered model and number of `kneerisk-new_pain-12m-v3`."""
        model, mark, number = name.rpartition("-v")
        if not mark or not (number.isascii() and number.isdigit()):
            raise TrackingFailed(text("training.version.not_a_version", version=name))
        return model, int(number)

    @classmethod
    def of(cls, entity: Any) -> Version:
        """From MLflow's own entity."""
        return cls(str(entity.name), int(entity.version), str(entity.run_id), dict(entity.tags))


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A run that has ended: what it was made from, its results, and where it is."""

    run_id: str
    name: str
    experiment: str
    """The id of its experiment."""
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    @property
    def version(self) -> str | None:
        """The version that it registered, `kneerisk-new_pain-12m-v3`, if any."""
        number = _NUMBER.match(self.name)
        kind, months = (self.params.get(key) for key in ("outcome_kind", "horizon_months"))
        if number is None or kind is None:
            return None
        horizon = int(months) if months and months.isdecimal() else None
        return f"{registered_name(kind, horizon)}-v{number[1]}"

    @property
    def alias(self) -> str | None:
        """The alias that its version has, if any."""
        return self.tags.get(ALIAS)

    @classmethod
    def of(cls, entity: Any) -> LoggedRun:
        """From MLflow's own entity."""
        info, data = entity.info, entity.data
        return cls(
            str(info.run_id), str(info.run_name), str(info.experiment_id),
            dict(data.params), dict(data.metrics), dict(data.tags),
        )  # fmt: skip


def cohort_filter(sha256: str) -> str:
    """The filter, in MLflow's search language, of all runs on a cohort, by (part of) its digest."""
    return f"params.data_sha256 LIKE '{sha256[:_DIGEST_CHARACTERS]}%'"


def runs_page(experiment: str, where: str = "") -> str:
    """The address, within MLflow, of an experiment's runs, best calibrated first."""
    search = f"&searchFilter={quote(where)}" if where else ""
    return (
        f"/#/experiments/{experiment}/runs?{TRAINED_MODELS}{search}"
        f"&orderByKey={quote(_SORTED_BY)}&orderByAsc=true"
    )
