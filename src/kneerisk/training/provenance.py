"""The provenance of a model: the screenings that it was fitted to, the commit and the environment.

The environment is what decides the last bits of a fit: versions, processor and threads.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from threadpoolctl import threadpool_info

from kneerisk.cohort import Cohort, read
from kneerisk.cohort.simulation.simulated_cohort import simulate, truth_beside
from kneerisk.errors import CohortRefused
from kneerisk.schema.measures_file import own_measures
from kneerisk.schema.own_measures import NO_OWN_MEASURES, OwnMeasures, own_measures_in_force
from kneerisk.words import text, variant

#: The digest of the truth where a model was fitted to outcomes.
NO_TRUTH = "none"
#: Digits of the true risks that their digest is of. Another number of threads, or processor, adds
#: in another order and differs in the fifteenth; of a million numbers one in ten thousand cohorts
#: then falls on the other side of a rounding.
TRUTH_DIGITS = 6
#: MLflow takes 6,000 characters; what is longer stands in several parameters.
_LONGEST_PARAMETER = 5_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where a cohort can be had again: a file, or the simulator with its arguments."""

    path: Path | None = None
    athletes: int | None = None
    seed: int | None = None

    @classmethod
    def of(cls, path: Path | None, athletes: int, seed: int) -> Source:
        """A file where one is given, else the simulator.

        Parameters
        ----------
        path
            Of a cohort file, or None.
        athletes
            How many to simulate.
        seed
            Of the simulator.

        Returns
        -------
        The source.
        """
        return cls(athletes=athletes, seed=seed) if path is None else cls(path=path.resolve())

    def params(self) -> dict[str, str]:
        """As run parameters; `from_params` reads them back."""
        values = {"data_file": self.path, "data_athletes": self.athletes, "data_seed": self.seed}
        return {name: str(value) for name, value in values.items() if value is not None}

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Source:
        """The source of a logged run."""
        file, athletes, seed = (
            params.get(name) for name in ("data_file", "data_athletes", "data_seed")
        )
        return cls(
            path=Path(file) if file else None,
            athletes=int(athletes) if athletes else None,
            seed=int(seed) if seed else None,
        )


def load(source: Source) -> tuple[Cohort, pd.DataFrame | None]:
    """The cohort of a source, with its truth where it is simulated.

    A simulated cohort file without its truth is treated as any other: models are fitted to its
    outcomes.

    Parameters
    ----------
    source
        A file, or the simulator with its arguments.

    Returns
    -------
    The cohort, and the true risks and imbalances of its screenings in the same order, or None.

    Raises
    ------
    BadCells, CohortRefused
        Where the file is no cohort, or the truth beside it is of another one.
    """
    if source.path is not None:
        cohort = read(source.path)
        return cohort, _truth_of(cohort, truth_beside(source.path))
    if source.athletes is None or source.seed is None:
        raise CohortRefused(text("training.cohort.no_source"))
    if own_measures_in_force():
        raise CohortRefused(text("training.cohort.own_measures_simulated"))
    simulated = simulate(source.athletes, source.seed)
    return simulated.cohort, simulated.truth


def load_again(
    params: Mapping[str, str], data: Path | None = None
) -> tuple[Cohort, pd.DataFrame | None]:
    """The very cohort of a logged run, with the truth that its model was fitted to.

    Parameters
    ----------
    params
        Of the run.
    data
        Where the file is now, if it was moved.

    Returns
    -------
    The cohort, and its truth or None, as of `load`.

    Raises
    ------
    CohortRefused
        Where the file is gone, or its content is another one.
    """
    source = Source(path=data) if data is not None else Source.from_params(params)
    if source.path is not None and not source.path.exists():
        raise CohortRefused(text("training.cohort.gone", file=source.path))
    with own_measures_of(params).also_in_force():
        cohort, truth = load(source)
    if digest(cohort) != params.get("data_sha256"):
        source_kind = "file" if source.path is not None else "simulated"
        raise CohortRefused(variant("training.cohort.other_content", source_kind))
    # Runs that are older than this parameter don't have it.
    sha256 = params.get("truth_sha256")
    if sha256 is not None and sha256 not in (truth_digest(truth), _exact_truth_digest(truth)):
        before = "none" if sha256 == NO_TRUTH else "other"
        raise CohortRefused(variant("training.cohort.other_truth", before))
    return cohort, truth


def own_measure_params() -> dict[str, str]:
    """The own measures that are in force, as run parameters; `own_measures_of` reads them back."""
    own = own_measures_in_force()
    if not own:
        return {}
    written = json.dumps(dict(own.declared))
    starts = range(0, len(written), _LONGEST_PARAMETER)
    return {
        f"own_measures_{part}": written[start : start + _LONGEST_PARAMETER]
        for part, start in enumerate(starts)
    }


def own_measures_of(params: Mapping[str, str]) -> OwnMeasures:
    """The own measures of a logged run; none where it has none."""
    names = (f"own_measures_{part}" for part in range(len(params)))
    written = "".join(params[name] for name in names if name in params)
    return own_measures(json.loads(written), "own_measures") if written else NO_OWN_MEASURES


def truth_digest(truth: pd.DataFrame | None) -> str:
    """SHA-256 of the true risks and imbalances, to `TRUTH_DIGITS` after the point.

    Parameters
    ----------
    truth
        One row a screening, or None.

    Returns
    -------
    64 hexadecimal digits; `NO_TRUTH` where there is none.
    """
    if truth is None:
        return NO_TRUTH
    numbers = truth.select_dtypes("number").columns
    # Adding 0 makes one zero of two.
    return _frame_digest(truth.assign(**(truth[numbers].round(TRUTH_DIGITS) + 0.0)), b"")


def _exact_truth_digest(truth: pd.DataFrame | None) -> str:
    """As runs of earlier programs record it: of every bit."""
    return NO_TRUTH if truth is None else _frame_digest(truth, b"")


def _truth_of(cohort: Cohort, path: Path) -> pd.DataFrame | None:
    if cohort.kind != "simulated" or not path.is_file():
        return None
    truth = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    if list(truth.get("athlete_id", ())) != list(cohort.frame["athlete_id"]):
        raise CohortRefused(text("training.cohort.truth_of_another", file=path))
    return truth


def digest(cohort: Cohort) -> str:
    """SHA-256 of a cohort's content, whatever file it came from; 64 hexadecimal digits."""
    return _frame_digest(cohort.frame, repr(sorted(cohort.constants.items())).encode())


def _frame_digest(frame: pd.DataFrame, prefix: bytes) -> str:
    sha256 = hashlib.sha256(prefix)
    for name in sorted(frame.columns):
        sha256.update(f"\n{name}\n".encode())
        sha256.update(_bytes(frame[name]))
    return sha256.hexdigest()


def _bytes(column: pd.Series) -> bytes:
    if is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0
        # One NaN of the many, so that the same cells are the same bytes.
        return np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes()
    texts = np.where(column.isna(), "", column.astype(object))
    return "\x1f".join(map(str, texts)).encode()


@cache
def git_sha() -> str | None:
    """The commit of this checkout, ``-dirty`` where tracked files differ; None outside of git."""
    module = Path(__file__)
    folder = module.parent
    # An environment may lie inside a repository of someone else.
    if _git(folder, "ls-files", "--error-unmatch", module.name) is None:
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return f"{commit}-dirty" if _git(folder, "status", "--porcelain", "-uno") else commit


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        process = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout.strip()


#: The prefix of the run parameters that hold the environment.
ENVIRONMENT_PREFIX = "environment_"
#: Libraries that a fitted number passes through.
LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "xgboost")


def environment() -> dict[str, str]:
    """The environment of this process as run parameters, such as `environment_numpy`."""
    for name in LIBRARIES:  # a library that is not loaded yet has no threads to count
        import_module(name)
    pools = threadpool_info()
    libc = " ".join(platform.libc_ver()).strip()
    values = {
        "python": platform.python_version(),
        "platform": ", ".join(
            name for name in (platform.system(), platform.machine(), libc) if name
        ),
        "threads": str(max((pool["num_threads"] for pool in _of_kind(pools, "openmp")), default=1)),
        "linear_algebra": "; ".join(sorted({_kernel(pool) for pool in _of_kind(pools, "blas")})),
        **{name: str(import_module(name).__version__) for name in LIBRARIES},
    }
    return {f"{ENVIRONMENT_PREFIX}{name}": value for name, value in values.items()}


def environment_changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What differs from a run's parameters, in words; what they don't hold is left out."""
    return [
        text(
            "training.reproduction.changed",
            name=name.removeprefix(ENVIRONMENT_PREFIX).replace("_", " "),
            before=before[name],
            now=now[name],
        )
        for name in sorted(now)
        if name in before and before[name] != now[name]
    ]


def _of_kind(pools: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [pool for pool in pools if pool["user_api"] == kind]


def _kernel(pool: Mapping[str, Any]) -> str:
    """The library and the processor that it chose its code for."""
    return " ".join(str(pool[key]) for key in ("internal_api", "version", "architecture")
                    if pool.get(key))  # fmt: skip
