"""Put an answer together from one prediction: red flags, then risk, then imbalances."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Literal

from kneerisk.answer.advice import advice_for
from kneerisk.answer.answer_schema import (
    Advice,
    Answer,
    Driver,
    Flag,
    Input,
    Knee,
    Lineage,
    NextTest,
    Plan,
    Risks,
)
from kneerisk.answer.coming_week import ComingWeek, coming_week
from kneerisk.answer.drivers import contributions_of, drivers_of, effects_of
from kneerisk.answer.imbalances import imbalances_of, leg_verdicts
from kneerisk.answer.inputs_and_norms import inputs_of
from kneerisk.answer.measure_contributions import Contribution
from kneerisk.answer.next_tests import next_tests_of_each
from kneerisk.answer.pattern_schema import Imbalance, LegVerdict, SideDifference
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

#: The names of an answer's parts, each of which may be asked for alone.
PARTS = tuple(name for name in Answer.model_fields if name != "answer_id")
#: What the summary is made from.
_SUMMED_UP = (
    "red_flags", "risk", "drivers", "imbalances", "next_tests", "advice", "model",
)  # fmt: skip


def answer(bundle: Bundle, screening: Screening, parts: Collection[str] = PARTS) -> Answer:
    """What the model says of one screening: the whole answer, or some of its parts alone.

    Parameters
    ----------
    bundle
        The released model.
    screening
        The screening.
    parts
        The names of the parts wanted, of `PARTS`.

    Returns
    -------
    The answer; parts that were not asked for are absent.
    """
    return answers(bundle, [screening], parts)[0]


@knowing_own_measures
def answers(
    bundle: Bundle, screenings: Sequence[Screening], parts: Collection[str] = PARTS
) -> list[Answer]:
    """What the model says of each screening; a screening's numbers don't depend on the others.

    Parameters
    ----------
    bundle
        The released model.
    screenings
        The screenings.
    parts
        The names of the parts wanted, of `PARTS`; what none of them needs is not worked out.

    Returns
    -------
    The answers in the order of the screenings; parts that were not asked for are absent.
    """
    by_setting: dict[Setting | None, list[int]] = {}
    for place, screening in enumerate(screenings):
        by_setting.setdefault(screening.setting, []).append(place)
    in_place: dict[int, Answer] = {}
    for places in by_setting.values():
        predictions = predictions_of(bundle, [screenings[place] for place in places])
        in_place |= {
            place: composed.answer(parts)
            for place, composed in zip(places, _composed(predictions), strict=True)
        }
    return [in_place[place] for place in range(len(screenings))]


def _composed(predictions: Predictions) -> Iterator[_Parts]:
    """The parts of each answer; the next tests are worked out together, since that is faster."""

    @cache
    def tests() -> dict[int, list[NextTest]]:
        return next_tests_of_each(
            predictions, {parts.i: parts.imbalances or [] for parts in composed if not parts.refer}
        )

    composed = [_Parts(predictions, i, tests) for i in range(len(predictions.screenings))]
    yield from composed
    # Each knows the tests and these know all of them: a circle, which only a collection would free.
    composed.clear()


class _Parts:
    """The parts of one answer, under the names that they have in it, each worked out when needed.

    Red flags come first: where one needs a clinician, nothing is scored and nothing advised.
    """

    def __init__(
        self, predictions: Predictions, i: int, tests: Callable[[], Mapping[int, list[NextTest]]]
    ) -> None:
        self.predictions, self.i, self._tests = predictions, i, tests
        self.screening, self.metadata = predictions.screenings[i], predictions.metadata

    def answer(self, parts: Collection[str]) -> Answer:
        """The answer with these parts, which are what their models say: checking them is over."""
        wanted = [name for name in PARTS if name in parts]
        return Answer.model_construct(set(wanted), **{name: getattr(self, name) for name in wanted})

    @cached_property
    def summary(self) -> list[str]:
        return summary_of(self.answer(_SUMMED_UP), self.screening.athlete.sport)

    @cached_property
    def red_flags(self) -> list[Flag]:
        return flags_of(self.screening)

    @property
    def red_flags_status(self) -> Literal["not_asked", "cleared", "present"]:
        return _flags_status(self.screening, self.red_flags)

    @cached_property
    def refer(self) -> bool:
        return must_refer(self.red_flags)

    @cached_property
    def knees(self) -> list[Knee]:
        """The knees that have a risk."""
        return [] if self.refer else knees_of(self.predictions, self.i)

    @cached_property
    def split(self) -> list[Knee]:
        """Those whose risk is split into drivers."""
        return knees_with_drivers(self.predictions, self.knees)

    @cached_property
    def risk(self) -> Risks:
        reasons = reasons_of(self.predictions, self.i, self.red_flags)
        return risks_of(self.predictions, self.i, reasons, self.knees)

    @cached_property
    def contributions(self) -> list[Contribution]:
        """What moves the risk of those knees."""
        return [] if self.refer else contributions_of(self.predictions, self.i, self.split)

    @cached_property
    def drivers(self) -> list[Driver]:
        return drivers_of(self.predictions, self.i, self.contributions, self.advice)

    @property
    def likely(self) -> list[LegVerdict] | None:
        return leg_verdicts(self.imbalances)

    @cached_property
    def imbalances(self) -> list[Imbalance] | None:
        return None if self.refer else imbalances_of(self.predictions, self.i)

    @property
    def side_differences(self) -> list[SideDifference]:
        return [] if self.refer else side_differences(self.predictions, self.i)

    @property
    def next_tests(self) -> list[NextTest]:
        return [] if self.refer else self._tests()[self.i]

    @cached_property
    def advice(self) -> list[Advice]:
        if self.refer:
            return []
        return advice_for(self.predictions, self.i, self.imbalances, self.contributions)

    @cached_property
    def plan(self) -> Plan | None:
        hurting = hurting_sides(self.answer(("risk",)))
        return plan_of(self.advice, self.imbalances or [], hurting, self.red_flags)

    @property
    def coming_week(self) -> ComingWeek | None:
        return None if self.refer else coming_week(self.predictions.rows[self.i])

    @property
    def inputs(self) -> list[Input]:
        effects = effects_of(self.predictions, self.i, self.split)
        return inputs_of(self.predictions, self.i, effects)

    @property
    def model(self) -> Lineage:
        return lineage_of(self.metadata)

    @property
    def notice(self) -> str:
        return notice_of(self.metadata)


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
