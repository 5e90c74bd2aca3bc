"""The five imbalances of each leg: how likely, what speaks for and against, and what may be said.

A pattern is named where it is likely and at least two readings speak for it. High probability on
one reading is not named; little measured is not called healthy.
"""

from __future__ import annotations

from typing import Literal

from kneerisk.answer.advice_conditions import Case, met
from kneerisk.answer.answer_schema import SHOWN, Imbalance, Likely, PatternRow
from kneerisk.answer.patterns import ONE_READING, patterns_of, readings_of
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import Grade, ImbalanceDefinition, imbalances
from kneerisk.evidence.imbalance_markers import marks
from kneerisk.evidence.tables import assumption
from kneerisk.schema import SIDES, Side, quantity
from kneerisk.words.phrases import in_sentence, listed

Named = Literal["clear", "possible", "not_supported", "cannot_tell"]
#: So many independent readings make a pattern.
READINGS_NEEDED = 2
#: Measures of these instruments are not asked for: a screening has cheaper ones.
RARE = frozenset({"emg", "gait_lab", "isokinetic"})


def imbalances_of(predictions: Predictions, i: int) -> list[Imbalance] | None:
    """The five of each leg of screening i, right leg first, the likeliest first.

    None where the model has no imbalances: it was trained on a cohort that did not know them.
    """
    chances, model = predictions.prediction.imbalances, predictions.bundle.model.imbalance
    if chances is None or model is None:
        return None
    legs = predictions.legs.take(slice(i, i + 1))
    low, high = (bound[0] for bound in model.intervals(legs, chances[i : i + 1]))
    told = []
    for side in SHOWN:
        at, patterns = SIDES.index(side), patterns_of(predictions, i, side)
        of_leg = [
            _imbalance(
                predictions,
                i,
                side,
                patterns[name],
                imbalances()[name],
                (float(chances[i, at, k]), float(low[at, k]), float(high[at, k])),
            )
            for k, name in enumerate(model.names)
        ]
        told += sorted(of_leg, key=lambda one: -one.probability)
    return told


def _imbalance(
    predictions: Predictions,
    i: int,
    side: Side,
    pattern: list[PatternRow],
    facts: ImbalanceDefinition,
    chance: tuple[float, float, float],
) -> Imbalance:
    row = predictions.rows[i]
    probability, low, high = chance
    mode = row.get("torque_mode")
    speaking = readings_of([one for one in pattern if one.speaks == "for"], mode)
    status = _status(
        probability,
        len(readings_of(pattern, mode)),
        len(speaking),
        _open(predictions, i, side, facts),
    )
    return Imbalance(
        side=side,
        name=facts.name,
        label=facts.label,
        probability=probability,
        interval=(low, high),
        status=status,
        evidence_grade=_grade(facts, predictions, i, side),
        usual_site=facts.usual_site,
        wording=f"{_said(status, probability, len(speaking), facts.phrase)} {facts.wording}",
        pattern=pattern,
    )


def _open(predictions: Predictions, i: int, side: Side, facts: ImbalanceDefinition) -> float:
    """Share of the latent's variance that the measured values leave open."""
    people = predictions.bundle.model.population
    k = people.imbalances.index(facts.name)
    before = people.covariance[people.n_measures + k, people.n_measures + k]
    target = len(people.athlete) + len(people.leg) + k
    return float(predictions.expected.variance[i, SIDES.index(side), target] / before)


def _status(probability: float, measured: int, speaking: int, left_open: float) -> Named:
    likely = probability >= assumption("imbalance_possible_probability")
    if likely and speaking >= READINGS_NEEDED:
        clear = probability >= assumption("imbalance_clear_probability")
        return "clear" if clear else "possible"
    if likely or measured < READINGS_NEEDED or left_open > assumption("imbalance_open_share"):
        return "cannot_tell"
    return "not_supported"


def _said(status: Named, probability: float, speaking: int, phrase: str) -> str:
    if status == "clear":
        return f"What was measured is consistent with {phrase}."
    if status == "possible":
        return f"What was measured may point to {phrase}."
    if status == "not_supported" and speaking:
        return f"What was measured speaks too little for {phrase} to name it."
    if status == "not_supported":
        return f"What was measured does not point to {phrase}."
    if probability >= assumption("imbalance_possible_probability"):
        return f"Fewer than two readings point to {phrase} beyond their error, so it is not named."
    return f"Too little was measured to tell about {phrase}."


def _grade(facts: ImbalanceDefinition, predictions: Predictions, i: int, side: Side) -> Grade:
    if facts.firmer_grade and met(facts.firmer_when, Case(predictions.rows[i], side)):
        return facts.firmer_grade
    return facts.evidence_grade


def likely_of(found: list[Imbalance] | None) -> list[Likely] | None:
    """The verdict on each leg, right first: an imbalance, none, or that it can't be told."""
    if found is None:
        return None
    return [_verdict(side, [one for one in found if one.side == side]) for side in SHOWN]


def named(found: list[Imbalance]) -> list[Imbalance]:
    """Those that are clear or possible, in the order given."""
    return [one for one in found if one.status in {"clear", "possible"}]


def _verdict(side: Side, found: list[Imbalance]) -> Likely:
    told = named(found)
    if not told:
        return _nothing_named(side, found)
    top = told[0]
    near = top.probability - assumption("imbalance_split_difference")
    split = [one for one in told if one.probability >= near]
    if len(split) > 1:
        phrases = listed([_phrase(one) for one in split])
        message = f"On the {side} leg {phrases} are about as likely as each other; it may be both."
        return Likely(side=side, name="indeterminate", message=message)
    fits = "is consistent with" if top.status == "clear" else "may fit"
    speak = listed([in_sentence(one.label) for one in top.pattern if one.speaks == "for"])
    message = f"The pattern of the {side} leg {fits} {_phrase(top)}: {speak} speak for it."
    return Likely(side=side, name=top.name, message=message)


def _nothing_named(side: Side, found: list[Imbalance]) -> Likely:
    untold = [one for one in found if one.status == "cannot_tell"]
    single = [
        one for one in untold if one.probability >= assumption("imbalance_possible_probability")
    ]
    if single:
        message = (
            f"On the {side} leg {listed([_phrase(one) for one in single])} can be neither named "
            f"nor ruled out: fewer than two readings point to it beyond their error."
        )
        return Likely(side=side, name="indeterminate", message=message)
    if len(found) - len(untold) >= assumption("imbalances_told_for_none"):
        message = f"Nothing measured on the {side} leg points to an imbalance."
        return Likely(side=side, name="none", message=message)
    message = f"Too little was measured on the {side} leg to tell; missing above all: " + listed(
        _missing(untold)
    )
    return Likely(side=side, name="indeterminate", message=f"{message}.")


def _missing(untold: list[Imbalance]) -> list[str]:
    """The strongest mark of each that was not measured and that a screening can have."""
    wanted: dict[str, str] = {}
    order = list(imbalances())
    for one in sorted(untold, key=lambda one: order.index(one.name)):
        measured = {ONE_READING.get(row.measure, row.measure) for row in one.pattern}
        for measure in marks()[one.name]:
            if ONE_READING.get(measure, measure) in measured or measure in wanted:
                continue
            if quantity(measure).equipment not in RARE:
                wanted[measure] = in_sentence(quantity(measure).label)
                break
    return list(wanted.values())


def _phrase(one: Imbalance) -> str:
    return imbalances()[one.name].phrase
