"""Whether what was advised at the first visit shows in the measures that it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kneerisk.answer.answer_schema import Advice, Answer
from kneerisk.answer.follow_up.follow_up_request import Visit
from kneerisk.answer.follow_up.follow_up_schema import AdviceShown, MeasureChange
from kneerisk.evidence.imbalance_markers import marks
from kneerisk.schema import Side, columns, to_row

#: What advice on load is about: 1 where more of it is better, -1 where less is. These are read
#: from a training log, which has no error of a test; any move counts.
LOAD_TARGETS: Mapping[str, tuple[str, int]] = {
    "limit_session_spike": ("session_spike_ratio", -1),
    "back_off_heavy_sets": ("squat_1rm_change_pct", -1),
}
Targets = dict[str, int]


def advice_shown(
    visits: Sequence[Visit], first: Answer, changes: Sequence[MeasureChange]
) -> list[AdviceShown]:
    """One row for each thing and leg that the first visit's advice was about.

    What holds for everyone is about no measure, and is left out.
    """
    row = to_row(visits[0].screening)
    since = {c.column: c for c in changes if c.series[0].date == visits[0].date}
    found = []
    for (about, side), pieces in _groups(first.advice).items():
        targets = {name: sign for name, sign in _targets(pieces, side).items() if name in row}
        if targets:
            found.append(_shown(about, side, pieces, targets, since))
    return found


def _groups(advice: Sequence[Advice]) -> dict[tuple[str, Side | None], list[Advice]]:
    """Advice by what it is about and the leg, in the order it was given."""
    groups: dict[tuple[str, Side | None], list[Advice]] = {}
    for piece in advice:
        if piece.about != "everyone":
            sides: list[Side | None] = [None] if piece.about == "load" else list(piece.sides)
            for side in sides:
                groups.setdefault((piece.about, side), []).append(piece)
    return groups


def _targets(pieces: Sequence[Advice], side: Side | None) -> Targets:
    """Columns that the advice is about, and which way they ought to move."""
    if side is None:
        codes = [piece.code for piece in pieces]
        return dict(LOAD_TARGETS[code] for code in codes if code in LOAD_TARGETS)
    signs = marks()[pieces[0].about]
    found = {f"{side}_{measure}": -sign for measure, sign in signs.items()}
    return {column: sign for column, sign in found.items() if columns()[column].modifiable}


def _shown(
    about: str,
    side: Side | None,
    pieces: Sequence[Advice],
    targets: Targets,
    since: Mapping[str, MeasureChange],
) -> AdviceShown:
    again = [since[column] for column in targets if column in since]
    good = [c for c in again if _counts(c) and c.change * targets[c.column] > 0.0]
    bad = [c for c in again if _counts(c) and c.change * targets[c.column] < 0.0]
    maybe = [c for c in again if c.verdict == "possible" and c.change * targets[c.column] > 0.0]
    status = "not_yet"
    if not again:
        status = "not_measured_again"
    elif bool(good) != bool(bad):
        status = "shows" if good else "went_the_other_way"
    return AdviceShown.model_validate(
        {
            "about": about,
            "side": side,
            "codes": [piece.code for piece in pieces],
            "status": status,
            "columns": [change.column for change in again],
            "message": _message(again, good, bad, maybe, targets),
        }
    )


def _counts(change: MeasureChange) -> bool:
    """Beyond chance among all measures, or from a log."""
    return change.verdict in {"changed", "no_error_known"}


def _message(
    again: Sequence[MeasureChange],
    good: Sequence[MeasureChange],
    bad: Sequence[MeasureChange],
    maybe: Sequence[MeasureChange],
    targets: Targets,
) -> str:
    if not again:
        return f"Not measured again; measure {_listed(targets)} as at the first visit."
    told = []
    if good:
        told.append(f"The way it should: {_names(good)}.")
    if bad:
        told.append(f"The other way: {_names(bad)}.")
    if not told:
        told.append(f"No move that counts yet in {_names(again)}.")
    if maybe:
        told.append(f"The way it should, by no more than chance may show: {_names(maybe)}.")
    return " ".join(told)


def _names(changes: Sequence[MeasureChange]) -> str:
    return _listed([change.column for change in changes])


def _listed(names: Sequence[str] | Targets) -> str:
    """Labels of columns, each once."""
    return ", ".join(dict.fromkeys(columns()[name].label for name in names))
