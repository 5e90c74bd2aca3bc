"""Whether what was advised at the first visit shows in the measures that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kneerisk.answer.answer_schema import Advice, Answer
from kneerisk.answer.follow_up.follow_up_request import Visit
from kneerisk.answer.follow_up.follow_up_schema import AdviceOutcome, MeasureChange
from kneerisk.evidence.population import marks
from kneerisk.schema import Side, columns, to_row
from kneerisk.words import text

#: What advice on load is about: 1 where more of it is better, -1 where less is. These are read
#: from a training log, which has no measurement error; any change counts.
LOAD_TARGETS: Mapping[str, tuple[str, int]] = {
    "limit_session_spike": ("session_spike_ratio", -1),
    "back_off_heavy_sets": ("squat_1rm_change_pct", -1),
}
Targets = dict[str, int]


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
