"""Fit a version again from its run's parameters, and compare the predictions of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import held_out, subset, truth_subset
from kneerisk.errors import BundleRefused
from kneerisk.model import Bundle, Metadata, bundle, golden_cases
from kneerisk.model.base_rates import Count
from kneerisk.model.prediction import Prediction
from kneerisk.model.risk_model import RiskModel
from kneerisk.progress import Progress
from kneerisk.schema import Columns, FloatArray
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.settings import Settings
from kneerisk.training.provenance import environment, environment_changes, git_sha
from kneerisk.training.updating.model_updating import update_model
from kneerisk.words import text

#: What other libraries, processors and thread counts may move a probability by: the order of a sum.
ELSEWHERE = 1e-6
#: The end of a commit with changes that were not committed.
_DIRTY = "-dirty"


@dataclass(frozen=True, slots=True)
class Reproduced:
    """How a version that was fitted again compares with the one that was released."""

    version: str
    identical: bool
    """Whether every probability and bound is the same, bit for bit."""
    largest_difference: float
    """Of a probability or a bound of its interval, over all athletes of the cohort."""
    allowed: float
    """0 where nothing differs but the clock, else `ELSEWHERE`."""
    differs: tuple[str, ...]
    """What has changed since the version was made, in words."""

    @property
    def agrees(self) -> bool:
        """Whether the predictions are those of the version, as closely as they must be."""
        return self.largest_difference <= self.allowed

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "differs": list(self.differs), "agrees": self.agrees}


def fit_again(
    params: Mapping[str, str],
    cohort: Cohort,
    truth: pd.DataFrame | None,
    base: Bundle | None,
    progress: Progress,
) -> RiskModel:
    """The model that a run's parameters describe, fitted to the same athletes again.

    Parameters
    ----------
    params
        Of the run.
    cohort
        The whole cohort of the run.
    truth
        Of a simulated cohort, the truth that the model was fitted to.
    base
        Of an updated version, the version that was corrected.
    progress
        Called with what is being done.

    Returns
    -------
    The model.

    Raises
    ------
    BundleRefused
        Where the base is not the one that was corrected.
    """
    seed = int(params["seed"])
    train = ~held_out(cohort.frame["athlete_id"])
    athletes = subset(cohort, train)
    if base is None:
        settings = Settings.of(params)
        return fit(
            athletes, truth_subset(truth, train), seed=seed, progress=progress, settings=settings
        ).model
    _refuse_other_base(base, params)
    return update_model(base.model, athletes, seed).model


def _refuse_other_base(base: Bundle, params: Mapping[str, str]) -> None:
    if base.sha256 != params["base_sha256"]:
        raise BundleRefused(text("training.reproduction.other_base", version=base.metadata.version))


def count_again(
    original: Bundle, base: Bundle, count: Count, params: Mapping[str, str]
) -> Reproduced:
    """A version updated by a count, and its base updated again, compared on the golden cases.

    Parameters
    ----------
    original
        The version.
    base
        The version that was updated.
    count
        What the club counted.
    params
        Of the version's run.

    Returns
    -------
    How far the predictions agree.

    Raises
    ------
    BundleRefused
        Where the base is not the one that was updated.
    """
    _refuse_other_base(base, params)
    golden = golden_cases.golden_columns(base.model.own)
    return _compared(original, base.model.counting(count), golden, params)


def compare(
    original: Bundle, model: RiskModel, cohort: Cohort, params: Mapping[str, str]
) -> Reproduced:
    """A version and the same fitted again, compared on every athlete of its cohort.

    Parameters
    ----------
    original
        The version.
    model
        The model that was fitted again.
    cohort
        The whole cohort of the version.
    params
        Of the version's run.

    Returns
    -------
    How far the predictions agree.
    """
    return _compared(original, model, cohort.columns(), params)


def _compared(
    original: Bundle, model: RiskModel, data: Columns, params: Mapping[str, str]
) -> Reproduced:
    largest, identical = difference(
        original.model.predict(data), _as_released(model, original.metadata).predict(data)
    )
    differs = (*_program(original.metadata), *environment_changes(params, environment()))
    return Reproduced(
        version=original.metadata.version,
        identical=identical,
        largest_difference=largest,
        allowed=ELSEWHERE if differs else 0.0,
        differs=differs,
    )


def difference(first: Prediction, second: Prediction) -> tuple[float, bool]:
    """The largest difference between two predictions, and whether they are the same bits.

    Where only one of them predicts something the difference is 1, the largest that there can be.
    """
    arrays, others = dict(_numbers(first)), dict(_numbers(second))
    if arrays.keys() != others.keys():
        return 1.0, False
    largest, identical = 0.0, True
    for name, values in arrays.items():
        only_one = np.isnan(values) != np.isnan(others[name])
        differences = np.where(only_one, 1.0, np.nan_to_num(np.abs(values - others[name])))
        largest = max(largest, float(differences.max(initial=0.0)))
        identical = identical and values.tobytes() == others[name].tobytes()
    return largest, identical


def _numbers(prediction: Prediction) -> Iterator[tuple[str, FloatArray]]:
    for name in ("left", "right", "either", "imbalances"):
        values = getattr(prediction, name)
        if values is not None:
            yield name, values
    for name, bounds in prediction.intervals.items():
        yield f"{name}_interval", np.stack(bounds)


def _as_released(model: RiskModel, metadata: Metadata) -> RiskModel:
    """The model as a service would load it: written and read back."""
    with TemporaryDirectory() as folder:
        bundle.save(model, metadata, Path(folder) / "again")
        return bundle.load(Path(folder) / "again").model


def _program(metadata: Metadata) -> Iterator[str]:
    """How the program has changed since a version was made."""
    before, now = metadata.git_sha, git_sha()
    if before != now:
        unknown = text("training.reproduction.no_commit")
        program = text("training.reproduction.program")
        yield text(
            "training.reproduction.changed",
            name=program, before=before or unknown, now=now or unknown,
        )  # fmt: skip
    elif before is not None and before.endswith(_DIRTY):
        yield text("training.reproduction.uncommitted", before=before)
