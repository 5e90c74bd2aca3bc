"""What-if: the risk of athletes like this one, beside that of athletes with other values.

It compares two groups of people and predicts no effect of treatment: the model is associational.
Where the model's answer would move against the published direction of the changed measures, the
risk is held where it is (docs/decisions/0017).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kneerisk.answer.answer_schema import KNEES, Knee, Risk, Risks
from kneerisk.answer.compose_answer import lineage_of, notice_of
from kneerisk.answer.predictions import predictions_of
from kneerisk.answer.red_flags import flags_of, must_refer
from kneerisk.answer.risk import knees_of, reasons_of, risks_of
from kneerisk.answer.what_if.changed_measures import (
    ChangedScreening,
    change_measures,
    direction_of,
    minimal_detectable_change,
)
from kneerisk.answer.what_if.what_if_schema import (
    Change,
    ComparedRisk,
    RecomputedMeasure,
    WhatIf,
    WhatIfAnswer,
)
from kneerisk.model import Bundle
from kneerisk.schema import Quantity, coded, columns
from kneerisk.words import text, variant


def what_if(bundle: Bundle, request: WhatIf) -> WhatIfAnswer:
    """Both risks of each knee that has one.

    Parameters
    ----------
    bundle
        The released model.
    request
        The screening, and new values of some of its measures.

    Returns
    -------
    The risks as measured and as changed, with what the comparison means.

    Raises
    ------
    ScreeningRefused
        With every fault of the changes.
    """
    changed = change_measures(request.screening, request.changes, bundle.metadata)
    # One prediction for both; the numbers are those of two answers.
    predictions = predictions_of(bundle, [request.screening, changed.screening])
    flags = flags_of(request.screening)
    reasons = reasons_of(predictions, 0, flags)
    knees = [] if must_refer(flags) else knees_of(predictions, 0)
    now, then = (risks_of(predictions, i, reasons, knees) for i in (0, 1))
    comparisons = _compare(now, then, changed.direction)
    return WhatIfAnswer(
        status=now.status,
        reasons=reasons,
        outcome_kind=now.outcome_kind,
        horizon_months=now.horizon_months,
        changes=_changes(request, changed),
        also_changed=[_recomputed(changed, column) for column in changed.recomputed],
        wording=_wording(now, comparisons),
        model=lineage_of(bundle.metadata),
        notice=notice_of(bundle.metadata),
        **comparisons,
    )


def _compare(now: Risks, then: Risks, direction: int) -> dict[Knee, ComparedRisk]:
    """Each knee's risk before and after; held where it would move against the direction."""
    comparisons: dict[Knee, ComparedRisk] = {}
    for knee in KNEES:
        before, after = getattr(now, knee), getattr(then, knee)
        if before is None or after is None:
            continue
        held = direction * (after.probability - before.probability) < 0.0
        after = before if held else after
        points = 100.0 * (after.probability - before.probability)
        comparisons[knee] = ComparedRisk(
            now=_without_typical(before), then=_without_typical(after), points=points, held=held
        )
    return comparisons


def _without_typical(risk: Risk) -> Risk:
    """A risk without the typical athlete's, where the drivers start: a what-if has none."""
    return risk.model_copy(update={"typical_probability": None})


def _changes(request: WhatIf, changed: ChangedScreening) -> list[Change]:
    data = coded([request.screening])
    changes = []
    for column in changed.requested:
        measured, target = float(changed.before[column]), float(changed.after[column])
        direction = direction_of(column, data) * (1 if target > measured else -1)
        changes.append(
            Change(
                column=column,
                measured=measured,
                target=target,
                detectable=minimal_detectable_change(column, measured, target, data),
                evidence_points_to=_EVIDENCE_POINTS_TO[direction],
                **_label_and_unit(column),
            )
        )
    return changes


_EVIDENCE_POINTS_TO: dict[int, Literal["higher_risk", "lower_risk"] | None] = {
    1: "higher_risk", 0: None, -1: "lower_risk",
}  # fmt: skip


def _recomputed(changed: ChangedScreening, column: str) -> RecomputedMeasure:
    measured, computed = changed.before[column], changed.after[column]
    return RecomputedMeasure(
        column=column, measured=measured, computed=computed, **_label_and_unit(column)
    )


def _label_and_unit(column: str) -> dict[str, str]:
    measure = columns()[column]
    return {"label": measure.label, "unit": measure.unit if isinstance(measure, Quantity) else ""}


def _wording(now: Risks, comparisons: Mapping[Knee, ComparedRisk]) -> str:
    """What the numbers mean, in two or three sentences."""
    if now.status == "refer":
        return text("answer.what_if.refer")
    if not comparisons:
        return text("answer.what_if.both_hurt")
    knee: Knee = next(knee for knee in ("either", "right", "left") if knee in comparisons)
    where = variant("common.knee", knee)
    outcome = variant("common.outcome.other", now.outcome_kind, knee=where)
    if now.horizon_months:
        outcome = text("common.within_months", outcome=outcome, months=now.horizon_months)
    before, after = comparisons[knee].now.per_100, comparisons[knee].then.per_100
    sentences = [
        text("answer.what_if.numbers", before=before, after=after, outcome=outcome),
        text("answer.what_if.association"),
    ]
    if any(comparison.held for comparison in comparisons.values()):
        sentences.append(text("answer.what_if.held"))
    return " ".join(sentences)
