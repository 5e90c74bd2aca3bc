"""A version updated by a club's count: its run, and the conditions of its promotion.

There is no screening with an outcome to judge it on. So it is promoted only where a person says why
that will do, and only in place of the very model that it updates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kneerisk.model import Bundle, Metadata, bundle, golden_cases
from kneerisk.model.base_rates import Count
from kneerisk.model.metadata import COUNT_CHOICES
from kneerisk.schema.columns import fingerprint
from kneerisk.training.card.count_card import count_card
from kneerisk.training.provenance import environment, git_sha
from kneerisk.training.registry.gates import Gate
from kneerisk.training.registry.run_record import VERDICT, tags_of
from kneerisk.training.registry.update_record import LoggedUpdate
from kneerisk.training.registry.verdict import verdict_of
from kneerisk.training.tracking import CARD, Tracking, registered_name
from kneerisk.training.updating.count_updating import CountedModel
from kneerisk.words import text

#: The step of a correction by a count, beside those of `Correction`.
STEP = "count"
#: A count of fewer athletes is no base for a released model (assumption: about one team; of fewer,
#: one athlete is more than 5 of 100).
FEWEST_COUNTED = 20
#: How far a risk may lie from that of the base version with the count: bundles keep every bit.
_TOLERANCE = 1e-9


def log_count(tracking: Tracking, counted: CountedModel) -> tuple[LoggedUpdate, dict[str, Any]]:
    """Log a version updated by a count; it becomes challenger.

    Parameters
    ----------
    tracking
        The store of runs.
    counted
        The updated model.

    Returns
    -------
    The version that it became, which has no metrics, and the verdict of its own gates.
    """
    base, parameters = counted.base, _parameters(counted)
    outcomes, of = (f"{number:,g}" for number in counted.count)
    title = text("training.run.count", base=base.metadata.version, outcomes=outcomes, of=of)
    tags = tags_of("adapted", base.metadata.outcome_kind, "adapt")
    with tracking.start_run(title, {**tags, "base_version": base.metadata.version}, "adapt") as run:
        name = registered_name(base.metadata.outcome_kind, base.metadata.horizon_months)
        version = run.register(name, title)
        verdict = verdict_of(count_gates({name: str(v) for name, v in parameters.items()}))
        metadata = replace(_metadata(counted, str(version), run.run_id), verdict=verdict)
        run.log_values(parameters, {})
        run.log_text(json.dumps(verdict), VERDICT)
        card = count_card(metadata, counted.count, rate_before=counted.rate_before,
                          rate_after=counted.rate_after)  # fmt: skip
        run.log_card(card)
        run.set_note(card)
        with TemporaryDirectory() as folder:
            documents = {CARD: card.encode()}
            sha256 = bundle.save(counted.model, metadata, Path(folder), documents, base.baseline)
            run.log_bundle(Path(folder), sha256)
    return LoggedUpdate(str(version), run.run_id, {}), verdict


def _parameters(counted: CountedModel) -> dict[str, Any]:
    metadata = counted.base.metadata
    return {
        "cohort_kind": "adapted",
        "outcome_kind": metadata.outcome_kind,
        "horizon_months": metadata.horizon_months or "none",
        "source": _source(counted),
        "schema": fingerprint(),
        "base_version": metadata.version,
        "base_run_id": metadata.run_id,
        "base_sha256": counted.base.sha256,
        "adapted_step": STEP,
        **counted.choices,
        **environment(),
    }


def _metadata(counted: CountedModel, version: str, run_id: str) -> Metadata:
    """That of the base, whose athletes are still the only ones it was fitted to.

    Its base rates are the base's too: an answer works out what the count makes of them.
    """
    return replace(
        counted.base.metadata,
        version=version,
        run_id=run_id,
        git_sha=git_sha(),
        cohort="adapted",
        source=_source(counted),
        schema=fingerprint(),
        choices={**counted.base.metadata.choices, **counted.choices},
        base_version=counted.base.metadata.version,
        base_sha256=counted.base.sha256,
    )


def _source(counted: CountedModel) -> str:
    outcomes, of = (f"{number:,g}" for number in counted.count)
    return text(
        "training.run.counted_source",
        source=counted.base.metadata.source, outcomes=outcomes, of=of,
    )  # fmt: skip


def count_of(params: Mapping[str, str]) -> Count | None:
    """The count that a run's version was updated by; None where it was made another way."""
    if params.get("adapted_step") != STEP:
        return None
    return Count(*(float(params[name]) for name in COUNT_CHOICES))


def count_gates(params: Mapping[str, str], accepted: str | None = None) -> tuple[Gate, ...]:
    """What a version updated by a count must meet on its own; none where it was not.

    Parameters
    ----------
    params
        Of the run.
    accepted
        Why a person puts it in service although nobody's outcome has shown how good it is.

    Returns
    -------
    The gates, met or not.
    """
    count = count_of(params)
    if count is None:
        return ()
    outcomes, of = (f"{number:,g}" for number in count)
    message = text("training.gate.not_validated", outcomes=outcomes, of=of)
    message += text("training.gate.accepted", why=accepted) if accepted else text(
        "training.gate.say_why_unvalidated"
    )  # fmt: skip
    enough = count.of >= FEWEST_COUNTED
    size = text("training.gate.count_size", of=of, fewest=FEWEST_COUNTED)
    return (
        Gate("validated", bool(accepted), message, "" if accepted else "not_validated"),
        Gate("count", enough, size, "" if enough else "count_too_small"),
    )


def correction_gate(updated: Bundle, base: Bundle, params: Mapping[str, str]) -> Gate:
    """The version is its base with the count and nothing else.

    Parameters
    ----------
    updated
        The version.
    base
        The version that it says it updates.
    params
        Of the run.

    Returns
    -------
    The gate, its message with the largest difference of a risk or bound.
    """
    count = count_of(params)
    off = float("inf")
    if count is not None and base.sha256 == params["base_sha256"]:
        supported = golden_cases.golden_numbers(base.model.counting(count))
        off = golden_cases.deviation(updated.model, supported)
    passed = off <= _TOLERANCE
    message = text("training.gate.correction", base=base.metadata.version, off=f"{off:.1g}")
    return Gate("correction", passed, message, "" if passed else "other_correction")


def base_gate(base: Metadata, champion: Metadata | None) -> Gate:
    """The model that it would replace is the one that it updates, with or without a count.

    Parameters
    ----------
    base
        Of the version that was updated.
    champion
        Of the champion of the same outcome kind; None where there is none.

    Returns
    -------
    The gate. Without a champion the base must pass its own gates.
    """
    if champion is None:
        passed = bool(base.verdict and base.verdict["passes"])
        message = text("training.gate.base_passes", base=base.version)
        return Gate("base", passed, message, "" if passed else "base_refused")
    counted_from = champion.base_version if champion.count is not None else champion.version
    passed = counted_from == base.version
    message = text("training.gate.base_is_champion", base=base.version, champion=champion.version)
    return Gate("base", passed, message, "" if passed else "base_not_champion")
