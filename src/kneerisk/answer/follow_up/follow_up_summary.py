"""What a follow-up says first: red flags, then one sentence on measurements and risk.

Measurements and risk are judged apart, and may differ: small changes add up, the risk counts
answers and load too, and a real change may not show in it. Sentences made from each alone would
contradict one another, so that one sentence is made from both.
"""

from __future__ import annotations

from collections.abc import Sequence

from kneerisk.answer.follow_up.follow_up_risks import LEAST_POINTS
from kneerisk.answer.follow_up.follow_up_schema import DatedFlag, MeasureChange, RiskChange
from kneerisk.words import listed, plural, text, variant

#: So many measures are named in a sentence.
MOST_NAMED = 5
#: Every real change points one way and the risk went the other.
OPPOSED = (({"better"}, {"rose"}), ({"worse"}, {"fell"}))


def summary(
    refer: Sequence[DatedFlag], changes: Sequence[MeasureChange], risks: Sequence[RiskChange]
) -> str:
    """The first words of a follow-up.

    Parameters
    ----------
    refer
        Red flags that need a clinician, the latest visit first.
    changes
        How each measure changed.
    risks
        How the risk of each knee changed.

    Returns
    -------
    A sentence for each flag, then one about measurements and risk.
    """
    return " ".join([*_refer_sentences(refer), _outcome(changes, risks)])


def _refer_sentences(refer: Sequence[DatedFlag]) -> list[str]:
    return [
        text(
            "answer.follow_up.refer",
            urgency=noted.flag.urgency,
            date=noted.date.isoformat(),
            reason=noted.flag.reason,
        )
        for noted in refer
    ]


def _outcome(changes: Sequence[MeasureChange], risks: Sequence[RiskChange]) -> str:
    """What became of measurements and risk: one sentence, so that neither gainsays the other."""
    compared = [change for change in changes if change.verdict != "no_error_known"]
    changed = [change for change in compared if change.verdict == "changed"]
    named = _named_risks(risks)
    moved = {risk.verdict for risk in named if risk.verdict != "within_error"}
    if not compared:
        state, measures = "not_compared", text("answer.follow_up.measures.none_compared")
    elif not changed:
        state = "unchanged"
        measures = plural("answer.follow_up.measures.none_changed", len(compared))
    else:
        against = ({c.direction for c in changed}, moved) in OPPOSED
        state, groups = "changed_against" if against else "changed", _groups(changed)
        measures = plural(
            "answer.follow_up.measures.changed", len(compared), changed=len(changed), groups=groups
        )
    risk_state = ("moved" if moved else "still") if named else "without_risk"
    return variant(
        "answer.follow_up.outcome",
        f"{state}_{risk_state}",
        measures=measures,
        risk=_moved(named) if moved else _still(named),
    )


def _groups(changed: Sequence[MeasureChange]) -> str:
    groups = []
    for direction in ("better", "worse", "neither"):
        group = [change for change in changed if change.direction == direction]
        if group:
            word = variant("answer.follow_up.measures.direction", direction)
            names = _names(group)
            groups.append(text("answer.follow_up.measures.group", direction=word, names=names))
    return "; ".join(groups)


def _names(changes: Sequence[MeasureChange]) -> str:
    labels = [f"{c.label}, {c.side}" if c.side else c.label for c in changes]
    names, more = "; ".join(labels[:MOST_NAMED]), len(labels) - MOST_NAMED
    if more <= 0:
        return names
    return text("answer.follow_up.measures.more", names=names, count=more)


def _named_risks(risks: Sequence[RiskChange]) -> Sequence[RiskChange]:
    """The risk of either knee, unless a knee moved otherwise; then those that moved."""
    moved = [risk for risk in risks if risk.verdict != "within_error"]
    either = [risk for risk in risks if risk.knee == "either"]
    if either and all(risk.verdict == either[0].verdict for risk in moved):
        return either
    return moved or risks


def _moved(risks: Sequence[RiskChange]) -> str:
    return listed(
        [
            variant(
                "answer.follow_up.risk",
                risk.verdict,
                knee=variant("shared.knee", risk.knee),
                points=f"{abs(risk.points):.1f}",
            )
            for risk in risks
        ]
    )


def _still(risks: Sequence[RiskChange]) -> str:
    """Knees whose risk did not move; a real change may still be too small to report."""
    small = all(abs(risk.points) < LEAST_POINTS for risk in risks)
    knees = listed([variant("shared.knee", risk.knee) for risk in risks])
    return variant("answer.follow_up.risk_still", "small" if small else "within_error", knee=knees)
