"""What is known about a model beside its numbers: lineage, whom it has seen, base rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from kneerisk.schema import SIDES, Category, Columns, FloatArray, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The metadata of a bundle."""

    version: str
    run_id: str
    git_sha: str | None
    cohort: str
    """Kind of the cohort: simulated, observed or adapted."""
    outcome_kind: str
    horizon_months: int | None
    source: str
    schema: str
    """Fingerprint of the schema that the model was trained with."""
    athletes: int
    screenings: int
    events: float
    data_sha256: str
    population: Mapping[str, Any] = field(default_factory=dict)
    """Per column: the range or the choices seen, and the share of screenings that had it."""
    base_rates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By sport, and for ``all``: the mean risk of a leg and of either knee."""
    choices: Mapping[str, float] = field(default_factory=dict)
    base_version: str | None = None
    """Of an adapted model: the version that was corrected, and the hash of its bundle."""
    base_sha256: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """All metadata as plain data."""
        return asdict(self)

    def lineage(self) -> dict[str, Any]:
        """What every answer says about the model."""
        whole = self.as_dict()
        names = ("version", "run_id", "git_sha", "cohort", "outcome_kind", "schema")
        return {name: whole[name] for name in names if whole[name] is not None}

    def public(self) -> dict[str, Any]:
        """What the service tells about its model."""
        return {name: value for name, value in self.as_dict().items() if value is not None}


def population_seen(data: Columns, *, people: bool) -> dict[str, Any]:
    """Per column what a cohort held: its range, or its choices, and how often it was given.

    Of real ``people`` it is the central 99.8 %: single athletes at the edges stay out of it, and
    of some thirty measures hardly anybody has one outside. What was seen on one leg was seen on
    both, so that legs which are swapped stay inside.
    """
    edges = [0.001, 0.999] if people else [0.0, 1.0]
    seen: dict[str, Any] = {}
    for name, measure in columns().items():
        given = _of_both_legs(name, data)
        known = given[~np.isnan(given)]
        if len(known) == 0:
            continue
        share = round(len(known) / len(given), 4)
        if isinstance(measure, Category):
            codes = [int(code) for code in np.unique(known)]
            seen[name] = {"choices": [measure.choices[c] for c in codes], "share": share}
        else:
            low, high = (float(x) for x in np.quantile(known, edges))
            seen[name] = {"low": low, "high": high, "share": share}
    return seen


def _of_both_legs(name: str, data: Columns) -> FloatArray:
    side, _, measure = name.partition("_")
    if side not in SIDES:
        return data[name]
    return np.concatenate([data[f"{each}_{measure}"] for each in SIDES])
