"""Put an answer together from one prediction: red flags, then risk, then imbalances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from kneerisk.answer.advice import advice_for
from kneerisk.answer.answer_schema import Answer, Flag, Knee, Lineage, NextTest
from kneerisk.answer.coming_week import coming_week
from kneerisk.answer.drivers import drivers_of, effects_of, with_advice
from kneerisk.answer.imbalances import imbalances_of, leg_verdicts
from kneerisk.answer.inputs_and_norms import inputs_of
from kneerisk.answer.next_tests import next_tests_of_each
from kneerisk.answer.pattern_schema import Imbalance
from kneerisk.answer.patterns import side_differences
from kneerisk.answer.plan import plan_of
from kneerisk.answer.predictions import Predictions, knowing_own_measures, predictions_of
from kneerisk.answer.risk_and_red_flags import (
    flags_of,
    knees_of,
    knees_with_drivers,
    must_refer,
    reasons_of,
    risks_of,
)
from kneerisk.answer.summary import hurting_sides, summary_of
from kneerisk.model import Bundle, Metadata
from kneerisk.schema import Screening
from kneerisk.schema.sections import Setting
from kneerisk.words import text, variant


def answer(bundle: Bundle, screening: Screening) -> Answer:
    """What the model says of one screening."""
    return answers(bundle, [screening])[0]


@knowing_own_measures
def answers(bundle: Bundle, screenings: Sequence[Screening]) -> list[Answer]:
    """What the model says of each screening; a screening's numbers don't depend on the others."""
    return _by_setting(bundle, screenings, _answers)


def scores(bundle: Bundle, screenings: Sequence[Screening]) -> list[Answer]:
    """The same answers with their red flags, risks and imbalances alone."""
    return _by_setting(bundle, screenings, _scores)


def _by_setting(
    bundle: Bundle,
    screenings: Sequence[Screening],
    compose: Callable[[Predictions], Iterator[Answer]],
) -> list[Answer]:
    """Compose answers from one prediction a setting, in the order of the screenings."""
    by_setting: dict[Setting | None, list[int]] = {}
    for place, screening in enumerate(screenings):
        by_setting.setdefault(screening.setting, []).append(place)
    in_place: dict[int, Answer] = {}
    for places in by_setting.values():
        predictions = predictions_of(bundle, [screenings[place] for place in places])
        in_place |= dict(zip(places, compose(predictions), strict=True))
    return [in_place[place] for place in range(len(screenings))]


def _answers(predictions: Predictions) -> Iterator[Answer]:
    """The answers, one by one; the next tests are worked out together, since that is faster."""
    scored = [i for i, each in enumerate(predictions.screenings) if not must_refer(flags_of(each))]
    imbalances = {i: imbalances_of(predictions, i) for i in scored}
    told = {i: found or [] for i, found in imbalances.items()}
    tests = next_tests_of_each(predictions, told)
    for i in range(len(predictions.screenings)):
        yield _answer(predictions, i, imbalances.get(i), tests.get(i, []))


def _scores(predictions: Predictions) -> Iterator[Answer]:
    for i, screening in enumerate(predictions.screenings):
        flags = flags_of(screening)
        refer = must_refer(flags)
        knees = [] if refer else knees_of(predictions, i)
        yield Answer(
            red_flags=flags,
            red_flags_status=_flags_status(screening, flags),
            risk=risks_of(predictions, i, reasons_of(predictions, i, flags), knees),
            imbalances=None if refer else imbalances_of(predictions, i),
            inputs=[],
            model=lineage_of(predictions.metadata),
            notice=notice_of(predictions.metadata),
        )


def _answer(
    predictions: Predictions,
    i: int,
    imbalances: list[Imbalance] | None,
    tests: list[NextTest],
) -> Answer:
    """Red flags first: where one needs a clinician, nothing is scored and nothing advised."""
    screening, metadata = predictions.screenings[i], predictions.metadata
    flags = flags_of(screening)
    reasons = reasons_of(predictions, i, flags)
    refer = must_refer(flags)
    knees = [] if refer else knees_of(predictions, i)
    effects = effects_of(predictions, i, knees_with_drivers(predictions, knees))
    parts = Answer(
        red_flags=flags,
        red_flags_status=_flags_status(screening, flags),
        risk=risks_of(predictions, i, reasons, knees),
        **({} if refer else _findings(predictions, i, knees, imbalances, tests)),
        inputs=inputs_of(predictions, i, effects),
        model=lineage_of(metadata),
        notice=notice_of(metadata),
    )
    plan = plan_of(parts.advice, parts.imbalances or [], hurting_sides(parts), flags)
    return parts.model_copy(
        update={"summary": summary_of(parts, screening.athlete.sport), "plan": plan}
    )


def _findings(
    predictions: Predictions,
    i: int,
    knees: list[Knee],
    imbalances: list[Imbalance] | None,
    tests: list[NextTest],
) -> dict[str, Any]:
    """The parts that a screening has besides its risk where no red flag needs a clinician."""
    drivers = drivers_of(predictions, i, knees_with_drivers(predictions, knees))
    advice = advice_for(predictions, i, imbalances, drivers)
    return {
        "drivers": with_advice(drivers, advice),
        "likely": leg_verdicts(imbalances),
        "imbalances": imbalances,
        "side_differences": side_differences(predictions, i),
        "next_tests": tests,
        "advice": advice,
        "coming_week": coming_week(predictions.rows[i]),
    }


def _flags_status(
    screening: Screening, flags: list[Flag]
) -> Literal["not_asked", "cleared", "present"]:
    if screening.red_flags is None:
        return "not_asked"
    return "present" if flags else "cleared"


def notice_of(metadata: Metadata) -> str:
    """The intended use, which every answer states, whom the model was trained and validated on."""
    count = metadata.count
    if count is not None:
        counted = text(
            "answer.notice.counted", outcomes=f"{count.outcomes:,g}", of=f"{count.of:,g}"
        )
        return f"{text('answer.notice.use')} {counted}"
    parts = [text("answer.notice.use"), variant("answer.notice.cohort", metadata.cohort)]
    if metadata.cohort != "simulated":
        parts.append(validated_on(metadata))
    return " ".join(parts)


def validated_on(metadata: Metadata) -> str:
    """Where a model of people was validated: on which groups that it was not fitted to, if any."""
    groups = (metadata.validation or {}).get("left_out_groups") or []
    if not groups:
        return text("answer.notice.not_validated")
    return text(
        "answer.notice.validated", count=len(groups), groups=", ".join(str(name) for name in groups)
    )


def lineage_of(metadata: Metadata) -> Lineage:
    """Which model answered."""
    return Lineage(
        version=metadata.version,
        run_id=metadata.run_id,
        git_sha=metadata.git_sha,
        cohort=metadata.cohort,
        outcome_kind=metadata.outcome_kind,
        schema=metadata.schema,
    )
