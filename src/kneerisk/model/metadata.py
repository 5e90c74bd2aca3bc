"""What a bundle records about its model: lineage, the population seen, base rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from kneerisk.model.base_rates import Count
from kneerisk.schema import SIDES, Category, Columns, FloatArray, columns

#: The choices that hold a club's count.
COUNT_CHOICES = ("count_outcomes", "count_of")


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
    validation: Mapping[str, Any] | None = None
    """Of a model of people: the ``left_out_groups`` (years, sites, clubs) it was validated on."""
    verdict: Mapping[str, Any] | None = None
    """Whether it ``passes`` the gates of a promotion, the ``reasons`` it does not, each gate."""

    @property
    def count(self) -> Count | None:
        """Of a model updated by a club's count alone: so many of so many had knee pain."""
        if COUNT_CHOICES[0] not in self.choices:
            return None
        return Count(*(self.choices[name] for name in COUNT_CHOICES))

    def as_dict(self) -> dict[str, Any]:
        """All metadata as plain data, as a bundle keeps it."""
        return asdict(self)

    def lineage(self) -> dict[str, Any]:
        """What every answer says about the model."""
        values = self.as_dict()
        names = ("version", "run_id", "git_sha", "cohort", "outcome_kind", "schema")
        return {name: values[name] for name in names if values[name] is not None}

    def public(self) -> dict[str, Any]:
        """What the service publishes about its model: everything that is known."""
        return {name: value for name, value in self.as_dict().items() if value is not None}


def population_seen(data: Columns, *, people: bool) -> dict[str, Any]:
    """What a cohort held: the range or the choices of each column, and how often it was given.

    What was seen on one leg counts for both, so that an athlete whose legs are swapped stays
    inside.

    Parameters
    ----------
    data
        The cohort as coded columns in the schema's units, each of shape ``(n,)``.
    people
        Whether these are real people. Of them the range is the central 99.8 %, so that no single
        athlete at an edge can be made out; hardly anybody has one of some thirty measures outside.

    Returns
    -------
    By column ``low`` and ``high`` or ``choices``, and ``share``, that of the screenings with it.
    """
    edges = [0.001, 0.999] if people else [0.0, 1.0]
    seen: dict[str, Any] = {}
    for name, measure in columns().items():
        given = _values_of_both_legs(name, data)
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


def _values_of_both_legs(name: str, data: Columns) -> FloatArray:
    side, _, measure = name.partition("_")
    if side not in SIDES:
        return data[name]
    return np.concatenate([data[f"{each}_{measure}"] for each in SIDES])
