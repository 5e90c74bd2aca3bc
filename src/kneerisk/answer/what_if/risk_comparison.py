"""What if a measure were another: the risk of athletes who measure so, beside this one's.

It compares two screenings, it predicts no treatment. Where the model's answer would move against
what is published about the changed measures, the risk is left as it is.
"""

from __future__ import annotations

from typing import Literal

from kneerisk.answer.answer_schema import KNEES, Knee, Risk, Risks
from kneerisk.answer.compose_answer import lineage_of, notice_of
from kneerisk.answer.predictions import predictions_of
from kneerisk.answer.red_flags import flags_of, must_refer
from kneerisk.answer.risk import knees_of, reasons_of, risks_of
from kneerisk.answer.what_if.changed_measures import Changed, changed, detectable, direction_of
from kneerisk.answer.what_if.what_if_request import WhatIf
from kneerisk.answer.what_if.what_if_schema import Change, Follows, Moved, WhatIfAnswer
from kneerisk.model import Bundle
from kneerisk.schema import Quantity, coded, columns

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


def what_if(bundle: Bundle, asked: WhatIf) -> WhatIfAnswer:
    """Both risks of each knee that has one.

    Raises
    ------
    ScreeningRefused
        With every fault of the changes.
    """
    change = changed(asked.screening, asked.changes, bundle.metadata)
    # One prediction for both; the numbers are those of two answers.
    predictions = predictions_of(bundle, [asked.screening, change.screening])
    flags = flags_of(asked.screening)
    reasons = reasons_of(predictions, 0, flags)
    knees = [] if must_refer(flags) else knees_of(predictions, 0)
    now, then = (risks_of(predictions, i, reasons, knees) for i in (0, 1))
    moved = _moved(now, then, change.direction)
    return WhatIfAnswer(
        status=now.status,
        reasons=reasons,
        outcome_kind=now.outcome_kind,
        horizon_months=now.horizon_months,
        changes=_changes(asked, change),
        also_changed=[_follows(change, column) for column in change.followed],
        wording=_wording(now, moved),
        model=lineage_of(bundle.metadata),
        notice=notice_of(bundle.metadata),
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
