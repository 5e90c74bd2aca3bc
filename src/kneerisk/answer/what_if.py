"""What if a measure were another: the risk of athletes who measure so, beside this one's.

It compares two screenings, it predicts no treatment. Where the model's answer would move against
what is published about the changed measures, the risk is left as it is.
"""

from __future__ import annotations

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

from kneerisk.answer.changes import Changed, changed, detectable, direction_of, plain_faults
from kneerisk.answer.compose import lineage_of, notice_of
from kneerisk.answer.contract import FROZEN, Knee, Lineage, Reason, Risk, Risks, Status
from kneerisk.answer.flags import flags_of, must_refer
from kneerisk.answer.reading import read
from kneerisk.answer.risk import knees_of, risks_of
from kneerisk.answer.status import reasons_of
from kneerisk.model import Bundle
from kneerisk.schema import Quantity, Screening, coded, columns
from kneerisk.schema.strictness import STRICT

#: Right comes first, as everywhere that both sides are shown.
KNEES: tuple[Knee, ...] = ("right", "left", "either")
#: What happened to them, by kind of outcome; a horizon is said after it.
_OUTCOME = {
    "new_pain": "get new pain in",
    "present_pain": "have pain in",
    "past_injury": "have had an injury of",
}
_ASSOCIATION = (
    "These are different people: changing the measure was not shown to change the risk by as much."
)
_HELD = (
    "Where the model would move against what is published about the changed measures, the risk is "
    "left as it is."
)


def _some(changes: dict[str, float]) -> dict[str, float]:
    if not changes:
        raise PydanticCustomError("no_change", "must name at least one measure and its new value")
    return changes


def _describe(schema: dict[str, Any]) -> None:
    """Say in JSON Schema which columns may be changed."""
    names = [name for name, measure in columns().items() if measure.modifiable]
    schema |= {"minProperties": 1, "propertyNames": {"enum": names}}


class WhatIf(BaseModel):
    """A screening, and other values of some of its measures: canonical column to new value.

    Raises
    ------
    pydantic.ValidationError
        With every fault of the screening, and all of the changes that don't hang on the model.
    """

    model_config = STRICT

    screening: Screening
    changes: Annotated[dict[str, float], AfterValidator(_some), Field(json_schema_extra=_describe)]

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        # A sound body's changes are checked later, all at once, with what the model has seen.
        try:
            checked: Self = handler(value)
        except ValidationError as error:
            raise _with_plain_faults(error, value) from None
        return checked


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
    """Where published evidence says that this change moves risk; absent where it says neither."""


class Follows(BaseModel):
    """A ratio that had to follow, since it is computed from a measure that was changed."""

    model_config = FROZEN

    column: str
    label: str
    unit: str
    measured: float
    computed: float


class Moved(BaseModel):
    """The risk of a knee as measured, and of athletes who measure like the changed screening."""

    model_config = FROZEN

    now: Risk
    then: Risk
    points: float
    """Then minus now, of 100."""
    held: bool = False
    """True where the model would move against the published direction: then is now."""


class WhatIfAnswer(BaseModel):
    """What kneerisk says of the change. A knee without a risk to tell is absent."""

    model_config = FROZEN

    status: Status
    reasons: list[Reason]
    """Of the screening as it was measured."""
    outcome_kind: str
    horizon_months: int | None = None
    changes: list[Change]
    also_changed: list[Follows] = []
    right: Moved | None = None
    left: Moved | None = None
    either: Moved | None = None
    wording: str
    model: Lineage
    notice: str


def what_if(bundle: Bundle, asked: WhatIf) -> WhatIfAnswer:
    """Both risks of each knee that has one.

    Raises
    ------
    ScreeningRefused
        With every fault of the changes.
    """
    change = changed(asked.screening, asked.changes, bundle.facts)
    # One prediction for both; the numbers are those of two answers.
    reading = read(bundle, [asked.screening, change.screening])
    flags = flags_of(asked.screening)
    reasons = reasons_of(reading, 0, flags)
    knees = [] if must_refer(flags) else knees_of(reading, 0)
    now, then = (risks_of(reading, i, reasons, knees) for i in (0, 1))
    moved = _moved(now, then, change.direction)
    return WhatIfAnswer(
        status=now.status,
        reasons=reasons,
        outcome_kind=now.outcome_kind,
        horizon_months=now.horizon_months,
        changes=_changes(asked, change),
        also_changed=[_follows(change, column) for column in change.followed],
        wording=_wording(now, moved),
        model=lineage_of(bundle.facts),
        notice=notice_of(bundle.facts),
        **moved,
    )


def _moved(now: Risks, then: Risks, direction: int) -> dict[Knee, Moved]:
    """Each knee's risk before and after; held where it would move against the direction."""
    told: dict[Knee, Moved] = {}
    for knee in KNEES:
        before, after = getattr(now, knee), getattr(then, knee)
        if before is None or after is None:
            continue
        held = direction * (after.probability - before.probability) < 0.0
        after = before if held else after
        points = 100.0 * (after.probability - before.probability)
        told[knee] = Moved(now=_alone(before), then=_alone(after), points=points, held=held)
    return told


def _alone(risk: Risk) -> Risk:
    """A risk without what its drivers, which are not told here, start from."""
    return risk.model_copy(update={"typical_probability": None})


def _changes(asked: WhatIf, change: Changed) -> list[Change]:
    data = coded([asked.screening])
    told = []
    for column in change.asked:
        measured, target = float(change.before[column]), float(change.after[column])
        points_to = direction_of(column, data) * (1 if target > measured else -1)
        told.append(
            Change(
                column=column,
                measured=measured,
                target=target,
                detectable=detectable(column, measured, target, data),
                evidence_points_to=_POINTS_TO[points_to],
                **_named(column),
            )
        )
    return told


_POINTS_TO: dict[int, Literal["higher_risk", "lower_risk"] | None] = {
    1: "higher_risk", 0: None, -1: "lower_risk",
}  # fmt: skip


def _follows(change: Changed, column: str) -> Follows:
    measured, computed = change.before[column], change.after[column]
    return Follows(column=column, measured=measured, computed=computed, **_named(column))


def _named(column: str) -> dict[str, str]:
    measure = columns()[column]
    return {"label": measure.label, "unit": measure.unit if isinstance(measure, Quantity) else ""}


def _wording(now: Risks, moved: dict[Knee, Moved]) -> str:
    """What the numbers mean, in two or three sentences."""
    if now.status == "refer":
        return "A clinician comes first, so that no risk is given."
    if not moved:
        return "Both knees hurt now, so that there is no risk of new pain to compare."
    knee = next(knee for knee in ("either", "right", "left") if knee in moved)
    where = "either knee" if knee == "either" else f"the {knee} knee"
    when = f" within {now.horizon_months} months" if now.horizon_months else ""
    happened = f"{_OUTCOME.get(now.outcome_kind, 'have the outcome in')} {where}{when}"
    before, after = moved[knee].now.per_100, moved[knee].then.per_100
    numbers = (
        f"Of 100 athletes who measure like this one, about {before} {happened}; "
        f"of 100 who measure as changed, about {after}."
    )
    told = [numbers, _ASSOCIATION]
    if any(one.held for one in moved.values()):
        told.append(_HELD)
    return " ".join(told)


def _with_plain_faults(error: ValidationError, value: Any) -> ValidationError:
    """The faults of a body, and what is wrong with its changes whoever the athlete is."""
    given = value.get("changes") if isinstance(value, dict) else None
    refused = {name: list(plain_faults(name)) for name in given} if isinstance(given, dict) else {}
    kept = [
        _detail(found["type"], found["loc"], found["msg"])
        for found in error.errors(include_url=False)
        # A name that can't be changed needs no word on its value.
        if not (found["loc"][:1] == ("changes",) and refused.get(str(found["loc"][-1])))
    ]
    added = [
        _detail(fault.code, ("changes", name), fault.message)
        for name, faults in refused.items()
        for fault in faults
    ]
    return ValidationError.from_exception_data("WhatIf", kept + added, hide_input=True)


def _detail(kind: str, location: tuple[int | str, ...], message: str) -> InitErrorDetails:
    plain = message.replace("{", "(").replace("}", ")")
    return InitErrorDetails(type=PydanticCustomError(kind, plain), loc=location, input=None)
