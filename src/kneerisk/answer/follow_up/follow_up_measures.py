"""Which measures really changed between visits, and whether advice shows in those it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kneerisk.answer.answer_schema import Advice, Answer
from kneerisk.answer.follow_up.follow_up_request import Visit
from kneerisk.answer.follow_up.follow_up_schema import (
    AdviceOutcome,
    DatedReading,
    Direction,
    MeasureChange,
    Verdict,
)
from kneerisk.evidence.imbalance_patterns import marks
from kneerisk.schema import (
    SIDES,
    Columns,
    Quantity,
    Side,
    athlete_measures,
    coded,
    columns,
    leg_measures,
    quantities,
    quantity,
    to_row,
)
from kneerisk.schema.columns import location_of
from kneerisk.schema.detectable_change import (
    CONDITIONS,
    Pair,
    PairComparison,
    compare,
    reading_error,
)
from kneerisk.schema.own_measures import per_schema
from kneerisk.words import plural, text

#: Of measures compared by their own limit alone, so many in 100 pass it by chance: the limit
#: is that of 95 %.
PASS_BY_CHANCE = 5
#: What advice on load is about: 1 where more of it is better, -1 where less is. These are read
#: from a training log, which has no measurement error; any change counts.
LOAD_TARGETS: Mapping[str, tuple[str, int]] = {
    "limit_session_spike": ("session_spike_ratio", -1),
    "back_off_heavy_sets": ("squat_1rm_change_pct", -1),
}
Targets = dict[str, int]


def changes_of(visits: Sequence[Visit]) -> list[MeasureChange]:
    """Every number that was measured at two visits or more, right leg before left.

    Age is left out: it changes by itself.
    """
    data = coded([visit.screening for visit in visits])
    measured = {column: np.flatnonzero(~np.isnan(data[column])).tolist() for column in _order()}
    repeated = {column: places for column, places in measured.items() if len(places) > 1}
    if not repeated:
        return []
    comparison = compare([_pair(column, places, data) for column, places in repeated.items()])
    return [
        _change(column, comparison, k, places, visits, data)
        for k, (column, places) in enumerate(repeated.items())
    ]


def by_chance(changes: Sequence[MeasureChange]) -> str | None:
    """How many possible changes error alone would show, in words; None where there is none."""
    compared = sum(change.verdict != "no_error_known" for change in changes)
    possible = sum(change.verdict == "possible" for change in changes)
    if not possible:
        return None
    expected = f"{compared * PASS_BY_CHANCE / 100:.1f}"
    return plural(
        "answer.follow_up.by_chance",
        possible,
        per_100=PASS_BY_CHANCE,
        expected=expected,
        compared=compared,
    )


def side_of(column: str) -> Side | None:
    """The leg that a column is of; None for the athlete."""
    return next((side for side in SIDES if side in location_of(column)), None)


@per_schema
def _order() -> tuple[str, ...]:
    """Columns that are numbers, in the schema's order, right leg before left."""
    sided = [f"{s}_{name}" for name in quantities(leg_measures()) for s in reversed(SIDES)]
    pain = [
        f"{side}_{location_of(column)[-1]}"
        for column, measure in columns().items()
        if location_of(column)[:2] == ("pain", "left") and isinstance(measure, Quantity)
        for side in reversed(SIDES)
    ]
    athlete = [name for name in quantities(athlete_measures()) if name != "age_years"]
    return (*athlete, *sided, *pain)


def _conditions_at(data: Columns, places: list[int]) -> Columns:
    """Sex and protocols at some visits."""
    return {name: data[name][places] for name in CONDITIONS}


def _pair(column: str, places: list[int], data: Columns) -> Pair:
    """First and last reading; their protocols are the same, or the body was refused."""
    return Pair(
        measure=location_of(column)[-1],
        side=side_of(column) or "",
        first=data[column][places[:1]],
        second=data[column][places[-1:]],
        data=_conditions_at(data, places[:1]),
    )


def _change(
    column: str,
    comparison: PairComparison,
    k: int,
    places: list[int],
    visits: Sequence[Visit],
    data: Columns,
) -> MeasureChange:
    name, side = location_of(column)[-1], side_of(column)
    measure, values = quantity(name), data[column][places]
    errors = reading_error(name, values, _conditions_at(data, places))
    change = float(comparison.difference[0, k])
    verdict = _verdict(comparison, k)
    return MeasureChange(
        column=column,
        measure=name,
        side=side,
        label=measure.label,
        unit=measure.unit,
        first=float(values[0]),
        last=float(values[-1]),
        change=change,
        detectable=None if verdict == "no_error_known" else float(comparison.detectable[0, k]),
        verdict=verdict,
        direction="neither" if verdict == "within_error" else direction_of(name, change),
        series=[
            DatedReading(
                date=visits[i].date,
                value=float(value),
                error=None if np.isnan(error) else float(error),
            )
            for i, value, error in zip(places, values, errors, strict=True)
        ],
    )


def _verdict(comparison: PairComparison, k: int) -> Verdict:
    if np.isnan(comparison.detectable[0, k]):
        return "no_error_known"
    if comparison.beyond_chance[0, k]:
        return "changed"
    return "possible" if comparison.beyond_error[0, k] else "within_error"


def direction_of(measure: str, change: float) -> Direction:
    """Whether a change is for the better, by the effect on risk of the evidence tables.

    Where the evidence supports none, away from the imbalances that the measure marks is better.
    A measure that marks two of them in opposite directions has no better side.
    """
    supported = quantity(measure).direction
    if supported is not None:
        worse = {1 if supported == "raises" else -1}
    else:
        worse = {signs[measure] for signs in marks().values() if measure in signs}
    if change == 0.0 or len(worse) != 1:
        return "neither"
    return "worse" if change * worse.pop() > 0.0 else "better"


def advice_followed(
    visits: Sequence[Visit], first: Answer, changes: Sequence[MeasureChange]
) -> list[AdviceOutcome]:
    """Whether each topic and leg of the first visit's advice shows in its measures.

    What holds for everyone is about no measure, and is left out.

    Parameters
    ----------
    visits
        The visits, the earliest first.
    first
        The answer to the first visit.
    changes
        How the measures changed from their first to their last reading.

    Returns
    -------
    One row for each topic and leg, in the order of the advice.
    """
    row = to_row(visits[0].screening)
    since = {c.column: c for c in changes if c.series[0].date == visits[0].date}
    outcomes = []
    for (topic, side), pieces in _by_topic(first.advice).items():
        targets = {name: sign for name, sign in _targets(pieces, side).items() if name in row}
        if targets:
            outcomes.append(_outcome(topic, side, pieces, targets, since))
    return outcomes


def _by_topic(advice: Sequence[Advice]) -> dict[tuple[str, Side | None], list[Advice]]:
    """Advice by what it is about and the leg, in the order it was given."""
    groups: dict[tuple[str, Side | None], list[Advice]] = {}
    for piece in advice:
        if piece.about != "everyone":
            sides: list[Side | None] = [None] if piece.about == "load" else list(piece.sides)
            for side in sides:
                groups.setdefault((piece.about, side), []).append(piece)
    return groups


def _targets(pieces: Sequence[Advice], side: Side | None) -> Targets:
    """Columns that the advice is about, with 1 where they ought to rise and -1 to fall."""
    if side is None:
        codes = [piece.code for piece in pieces]
        return dict(LOAD_TARGETS[code] for code in codes if code in LOAD_TARGETS)
    signs = marks()[pieces[0].about]
    targets = {f"{side}_{measure}": -sign for measure, sign in signs.items()}
    return {column: sign for column, sign in targets.items() if columns()[column].modifiable}


def _outcome(
    topic: str,
    side: Side | None,
    pieces: Sequence[Advice],
    targets: Targets,
    since: Mapping[str, MeasureChange],
) -> AdviceOutcome:
    repeated = [since[column] for column in targets if column in since]
    as_advised = [c for c in repeated if _counts(c) and c.change * targets[c.column] > 0.0]
    opposite = [c for c in repeated if _counts(c) and c.change * targets[c.column] < 0.0]
    possible = [
        c for c in repeated if c.verdict == "possible" and c.change * targets[c.column] > 0.0
    ]
    status = "not_yet"
    if not repeated:
        status = "not_measured_again"
    elif bool(as_advised) != bool(opposite):
        status = "shows" if as_advised else "went_the_other_way"
    return AdviceOutcome.model_validate(
        {
            "about": topic,
            "side": side,
            "codes": [piece.code for piece in pieces],
            "status": status,
            "columns": [change.column for change in repeated],
            "message": _message(repeated, as_advised, opposite, possible, targets),
        }
    )


def _counts(change: MeasureChange) -> bool:
    """Beyond chance among all measures, or from a log."""
    return change.verdict in {"changed", "no_error_known"}


def _message(
    repeated: Sequence[MeasureChange],
    as_advised: Sequence[MeasureChange],
    opposite: Sequence[MeasureChange],
    possible: Sequence[MeasureChange],
    targets: Targets,
) -> str:
    if not repeated:
        return text("answer.follow_up.advice.not_measured_again", measures=_labels(targets))
    sentences = []
    if as_advised:
        sentences.append(text("answer.follow_up.advice.as_advised", measures=_names(as_advised)))
    if opposite:
        sentences.append(text("answer.follow_up.advice.opposite", measures=_names(opposite)))
    if not sentences:
        sentences.append(text("answer.follow_up.advice.no_change", measures=_names(repeated)))
    if possible:
        sentences.append(text("answer.follow_up.advice.possible", measures=_names(possible)))
    return " ".join(sentences)


def _names(changes: Sequence[MeasureChange]) -> str:
    return _labels([change.column for change in changes])


def _labels(names: Iterable[str]) -> str:
    """Labels of columns, each once."""
    return ", ".join(dict.fromkeys(columns()[name].label for name in names))
