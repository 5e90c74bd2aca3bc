"""What-if, request and answer: the risk of athletes like this one, beside others with other values.

It compares two groups of people and predicts no effect of treatment: the model is associational.
Where the model's answer would move against the published direction of the changed measures, the
risk is held where it is (docs/decisions/0017).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from kneerisk.answer.answer_schema import (
    KNEES,
    Knee,
    Lineage,
    Reason,
    Risk,
    Risks,
    Status,
    suggested_by,
)
from kneerisk.answer.compose_answer import lineage_of, notice_of
from kneerisk.answer.pattern_schema import FROZEN
from kneerisk.answer.predictions import knowing_own_measures, predictions_of
from kneerisk.answer.risk_and_red_flags import flags_of, knees_of, must_refer, reasons_of, risks_of
from kneerisk.answer.what_if_changes import (
    ChangedScreening,
    change_measures,
    direction_of,
    minimal_detectable_change,
    unchangeable_faults,
)
from kneerisk.model import Bundle
from kneerisk.schema import Quantity, Screening, coded, columns
from kneerisk.schema.faults import STRICT
from kneerisk.words import text, variant


def _at_least_one(changes: dict[str, float]) -> dict[str, float]:
    if not changes:
        raise PydanticCustomError("no_change", text("answer.what_if.faults.no_change"))
    return changes


def _describe_changes(schema: dict[str, Any]) -> None:
    """State in JSON Schema which columns may be changed."""
    names = [name for name, measure in columns().items() if measure.modifiable]
    schema |= {"minProperties": 1, "propertyNames": {"enum": names}}


class WhatIf(BaseModel):
    """A screening, and new values of some of its measures by canonical column.

    Raises
    ------
    pydantic.ValidationError
        With every fault of the screening, and those of the changes that do not depend on the model.
    """

    model_config = STRICT

    screening: Screening
    changes: Annotated[
        dict[str, float], AfterValidator(_at_least_one), Field(json_schema_extra=_describe_changes)
    ]

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        # A sound body's changes are checked later, all at once, with what the model has seen.
        try:
            checked: Self = handler(value)
        except ValidationError as error:
            raise _with_change_faults(error, value) from None
        return checked


def _with_change_faults(error: ValidationError, value: Any) -> ValidationError:
    """The faults of a body, and what is wrong with its changes whoever the athlete is."""
    given = value.get("changes") if isinstance(value, dict) else None
    refused = (
        {name: list(unchangeable_faults(name)) for name in given} if isinstance(given, dict) else {}
    )
    body_faults = [
        _detail(fault["type"], fault["loc"], fault["msg"])
        for fault in error.errors(include_url=False)
        # Where a measure can't be changed, a fault of its new value is beside the point.
        if not (fault["loc"][:1] == ("changes",) and refused.get(str(fault["loc"][-1])))
    ]
    change_faults = [
        _detail(fault.code, ("changes", name), fault.message)
        for name, faults in refused.items()
        for fault in faults
    ]
    return ValidationError.from_exception_data(
        "WhatIf", body_faults + change_faults, hide_input=True
    )


def _detail(kind: str, location: tuple[int | str, ...], message: str) -> InitErrorDetails:
    plain = message.replace("{", "(").replace("}", ")")
    return InitErrorDetails(type=PydanticCustomError(kind, plain), loc=location, input=None)


class Change(BaseModel):
    """One measure that was changed."""

    model_config = FROZEN

    column: str
    label: str
    unit: str
    measured: float
    target: float
    detectable: float | None = None
    """The minimal detectable change between the two values, 95 %; absent without known error."""
    evidence_points_to: Literal["higher_risk", "lower_risk"] | None = None
    """Where published evidence says this change moves risk; absent where it says neither."""


class RecomputedMeasure(BaseModel):
    """A ratio that changes too, since it is computed from a measure that was changed."""

    model_config = FROZEN

    column: str
    label: str
    unit: str
    measured: float
    computed: float


class ComparedRisk(BaseModel):
    """The risk of a knee as measured, and of athletes with the changed measurements."""

    model_config = FROZEN

    now: Risk
    then: Risk
    points: float
    """Then minus now, in points of 100."""
    held: bool = False
    """Whether the model would move against the published direction: then is now."""


class WhatIfAnswer(BaseModel):
    """The answer to a what-if. A knee without a risk is absent."""

    model_config = FROZEN

    status: Status
    reasons: list[Reason]
    """Those of the screening as it was measured."""
    outcome_kind: str
    horizon_months: int | None = None
    changes: list[Change]
    also_changed: list[RecomputedMeasure] = []
    right: ComparedRisk | None = None
    left: ComparedRisk | None = None
    either: ComparedRisk | None = None
    wording: str
    model: Lineage
    notice: str


@knowing_own_measures
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
        wording=_wording(now, comparisons, bundle.metadata.cohort),
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


def _wording(now: Risks, comparisons: Mapping[Knee, ComparedRisk], cohort: str) -> str:
    """What the numbers mean, in two or three sentences."""
    if now.status == "refer":
        return text("answer.what_if.refer")
    if not comparisons:
        return text("answer.what_if.both_hurt")
    knee: Knee = next(knee for knee in ("either", "right", "left") if knee in comparisons)
    where = variant("shared.knee", knee)
    outcome = variant("shared.outcome.other", now.outcome_kind, knee=where)
    if now.horizon_months:
        outcome = text("shared.within_months", outcome=outcome, months=now.horizon_months)
    before, after = comparisons[knee].now.per_100, comparisons[knee].then.per_100
    sentences = [
        text(
            "answer.what_if.numbers",
            suggests=variant("shared.suggests", suggested_by(cohort, now)),
            before=before,
            after=after,
            outcome=outcome,
        ),
        text("answer.what_if.association"),
    ]
    if any(comparison.held for comparison in comparisons.values()):
        sentences.append(text("answer.what_if.held"))
    return " ".join(sentences)
