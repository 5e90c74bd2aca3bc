"""A fingerprint of everything in the schema that a model's numbers depend on."""

from __future__ import annotations

import hashlib
import json
from functools import cache

from kneerisk.schema.columns import columns
from kneerisk.schema.measure import Measure, Quantity


@cache
def fingerprint() -> str:
    """16 hexadecimal digits; labels and wording don't count, units, norms and choices do."""
    facts = {name: _facts(measure) for name, measure in columns().items()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _facts(measure: Measure) -> list[object]:
    if not isinstance(measure, Quantity):
        return [list(getattr(measure, "choices", ())), measure.model_input]
    norms = [[norm.condition, norm.male, norm.female] for norm in measure.norms]
    sem = measure.error.sem if measure.error else None
    return [measure.unit, measure.low, measure.high, norms, sem, measure.log_scale,
            measure.direction, measure.model_input]  # fmt: skip
