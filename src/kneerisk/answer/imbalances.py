"""The five imbalances of each leg: how likely, what speaks for and against, and what may be said.

A pattern is named ("clear" or "possible") where it is likely, at least two independent readings
speak for it, and a repeat of the same tests would point to it again often enough. Where too little
was measured it "cannot be told", which is not the same as healthy (docs/decisions/0016).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from kneerisk.answer.advice_conditions import Leg, met
from kneerisk.answer.answer_schema import SHOWN
from kneerisk.answer.pattern_schema import Imbalance, LegVerdict, PatternRow, named
from kneerisk.answer.patterns import ONE_READING, patterns_of, readings_of
from kneerisk.answer.predictions import Predictions
from kneerisk.answer.repeatability import named_again
from kneerisk.evidence import Grade, ImbalanceDefinition, assumption, imbalances
from kneerisk.evidence.imbalance_patterns import marks
from kneerisk.schema import SIDES, Side, quantity
from kneerisk.words import in_sentence, listed, text, variant

ImbalanceStatus = Literal["clear", "possible", "not_supported", "cannot_tell"]
#: So many independent readings make a pattern (assumption; docs/decisions/0016).
READINGS_NEEDED = 2
#: Measures of these instruments are not asked for: a screening has cheaper ones.
RARE_EQUIPMENT = frozenset({"emg", "gait_lab", "isokinetic"})


def imbalances_of(predictions: Predictions, i: int) -> list[Imbalance] | None:
    """The five of each leg of screening i, right leg first, the likeliest first.

    None where the model has no imbalances: it was trained on a cohort that did not know them.
    """
    probabilities, intervals = predictions.imbalances, predictions.imbalance_intervals
    model = predictions.bundle.model.imbalance
    if probabilities is None or intervals is None or model is None:
        return None
    ordered: list[Imbalance] = []
    for side in SHOWN:
        leg, evidence = SIDES.index(side), _evidence(predictions, i, side)
        each = (values[i, leg].tolist() for values in (probabilities, *intervals))
        estimates = dict(zip(model.names, zip(*each, strict=True), strict=True))
        candidates = tuple(
            name
            for name, (probability, *_) in estimates.items()
            if _is_likely(probability) and evidence[name].supporting >= READINGS_NEEDED
        )
        again = named_again(predictions, i, side, candidates, READINGS_NEEDED)
        leg_imbalances = [
            _imbalance(side, evidence[name], estimate, again.get(name))
            for name, estimate in estimates.items()
        ]
        ordered += sorted(leg_imbalances, key=lambda imbalance: -imbalance.probability)
    return ordered


class _Evidence(NamedTuple):
    """What was measured of one imbalance in one leg."""

    facts: ImbalanceDefinition
    grade: Grade
    pattern: list[PatternRow]
    supporting: int
    """Independent readings that speak for it."""
    readings: int
    """All independent readings of it."""
    unexplained: float
    """Of the variance of its latent, the share that the measured values leave."""


def _evidence(predictions: Predictions, i: int, side: Side) -> dict[str, _Evidence]:
    """What was measured of each imbalance in one leg of screening i."""
    row, leg = predictions.rows[i], SIDES.index(side)
    torque_mode, patterns = row.get("torque_mode"), patterns_of(predictions, i, side)
    latents = predictions.bundle.model.population.imbalances
    unexplained = predictions.imbalance_unexplained[i, leg].tolist()
    found, own = {}, Leg(row, side)
    for name, share in zip(latents, unexplained, strict=True):
        pattern, facts = patterns[name], imbalances()[name]
        found[name] = _Evidence(
            facts=facts,
            grade=_grade(facts, own),
            pattern=pattern,
            supporting=len(readings_of([r for r in pattern if r.speaks == "for"], torque_mode)),
            readings=len(readings_of(pattern, torque_mode)),
            unexplained=share,
        )
    return found


def _imbalance(
    side: Side,
    evidence: _Evidence,
    estimate: tuple[float, float, float],
    again: float | None,
) -> Imbalance:
    (probability, low, high), facts = estimate, evidence.facts
    status = _status(probability, evidence.readings, again, evidence.unexplained)
    verdict = _wording(status, probability, evidence.supporting, again, facts.phrase)
    return Imbalance(
        side=side,
        name=facts.name,
        label=facts.label,
        probability=probability,
        interval=(low, high),
        status=status,
        named_again=again,
        evidence_grade=evidence.grade,
        usual_site=facts.usual_site,
        wording=f"{verdict} {facts.wording}",
        pattern=evidence.pattern,
    )


def _is_likely(probability: float) -> bool:
    return probability >= assumption("imbalance_possible_probability")


def _status(
    probability: float, readings: int, again: float | None, unexplained: float
) -> ImbalanceStatus:
    """Whether an imbalance is clear, possible, not supported, or cannot be told."""
    if again is not None and again >= assumption("imbalance_possible_named_again"):
        return "clear" if again >= assumption("imbalance_clear_named_again") else "possible"
    likely = _is_likely(probability)
    if likely or readings < READINGS_NEEDED or unexplained > assumption("imbalance_open_share"):
        return "cannot_tell"
    return "not_supported"


def _wording(
    status: ImbalanceStatus, probability: float, supporting: int, again: float | None, phrase: str
) -> str:
    reason: str = status
    if status == "not_supported" and supporting:
        reason = "too_weak"
    elif status == "cannot_tell":
        reason = "too_few_readings" if _is_likely(probability) else "too_little_measured"
        reason = reason if again is None else "not_repeatable"
    return variant("answer.imbalances.wording", reason, phrase=phrase)


def _grade(facts: ImbalanceDefinition, leg: Leg) -> Grade:
    if facts.firmer_grade and met(facts.firmer_when, leg):
        return facts.firmer_grade
    return facts.evidence_grade


def leg_verdicts(imbalances: Sequence[Imbalance] | None) -> list[LegVerdict] | None:
    """The verdict on each leg, right first: an imbalance, none, or that it can't be told."""
    if imbalances is None:
        return None
    return [_verdict(side, [imb for imb in imbalances if imb.side == side]) for side in SHOWN]


def _verdict(side: Side, leg_imbalances: Sequence[Imbalance]) -> LegVerdict:
    candidates = named(leg_imbalances)
    if not candidates:
        return _nothing_named(side, leg_imbalances)
    top = candidates[0]
    threshold = top.probability - assumption("imbalance_split_difference")
    tied = [imbalance for imbalance in candidates if imbalance.probability >= threshold]
    if len(tied) > 1:
        phrases = listed([_phrase(imbalance) for imbalance in tied])
        message = text("answer.verdict.tied", side=side, phrases=phrases)
        return LegVerdict(side=side, name="indeterminate", message=message)
    measures = listed([in_sentence(row.label) for row in top.pattern if row.speaks == "for"])
    message = variant(
        "answer.verdict.named", top.status, side=side, phrase=_phrase(top), measures=measures
    )
    return LegVerdict(side=side, name=top.name, message=message)


def _nothing_named(side: Side, leg_imbalances: Sequence[Imbalance]) -> LegVerdict:
    undecided = [imbalance for imbalance in leg_imbalances if imbalance.status == "cannot_tell"]
    unrepeatable = [imbalance for imbalance in undecided if imbalance.named_again is not None]
    if unrepeatable:
        phrases = listed([_phrase(imbalance) for imbalance in unrepeatable])
        message = text("answer.verdict.not_repeatable", side=side, phrases=phrases)
        return LegVerdict(side=side, name="indeterminate", message=message)
    likely = [imbalance for imbalance in undecided if _is_likely(imbalance.probability)]
    if likely:
        phrases = listed([_phrase(imbalance) for imbalance in likely])
        message = text("answer.verdict.too_few_readings", side=side, phrases=phrases)
        return LegVerdict(side=side, name="indeterminate", message=message)
    if len(leg_imbalances) - len(undecided) >= assumption("imbalances_told_for_none"):
        return LegVerdict(side=side, name="none", message=text("answer.verdict.none", side=side))
    measures = listed(_missing_marks(undecided))
    message = text("answer.verdict.too_little_measured", side=side, measures=measures)
    return LegVerdict(side=side, name="indeterminate", message=message)


def _missing_marks(undecided: Sequence[Imbalance]) -> list[str]:
    """The strongest mark of each that was not measured and that a screening can have."""
    missing: dict[str, str] = {}
    order = list(imbalances())
    for imbalance in sorted(undecided, key=lambda imbalance: order.index(imbalance.name)):
        measured = {ONE_READING.get(row.measure, row.measure) for row in imbalance.pattern}
        for measure in marks()[imbalance.name]:
            if ONE_READING.get(measure, measure) in measured or measure in missing:
                continue
            if quantity(measure).equipment not in RARE_EQUIPMENT:
                missing[measure] = in_sentence(quantity(measure).label)
                break
    return list(missing.values())


def _phrase(imbalance: Imbalance) -> str:
    return imbalances()[imbalance.name].phrase
