"""Put an answer together: red flags, then risk, then imbalances, from one prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import logit

from kneerisk.answer.contract import Answer, Flag, Imbalance, Lineage
from kneerisk.answer.drivers import drivers_of, effects_of
from kneerisk.answer.flags import flags_of, must_refer
from kneerisk.answer.inputs import inputs_of
from kneerisk.answer.reading import Reading, read
from kneerisk.answer.risk import SHOWN, explained, knees_of, risks_of
from kneerisk.answer.status import reasons_of
from kneerisk.evidence import imbalances
from kneerisk.model import Bundle, Facts, Prediction
from kneerisk.schema import SIDES, Columns, FloatArray, Screening

NOTICE = (
    "A screening aid for coaches, physios and sports scientists. Not a medical device and not a "
    "diagnosis: it says what a pattern is consistent with. See a clinician about pain that lasts."
)
_COHORT_NOTICE = {
    "simulated": "The model was trained on simulated athletes drawn from published effects; it "
    "has not been validated on people.",
    "observed": "The model was trained on athletes who were measured, of one source.",
    "adapted": "The model was trained on simulated athletes and corrected by measured ones.",
}
#: What a screening always has: the answer to these alone is what the tests are compared with.
PLAIN = ("age_years", "sex", "sport")


def answer(bundle: Bundle, screening: Screening) -> Answer:
    """What the model says of one screening."""
    return answers(bundle, [screening])[0]


def answers(bundle: Bundle, screenings: Sequence[Screening]) -> list[Answer]:
    """What the model says of each screening; a screening's numbers don't depend on the others."""
    if not screenings:
        return []
    reading = read(bundle, screenings)
    widths = _width(reading.prediction)
    plain = _width(bundle.model.predict(_plain(reading.data)))
    return [_answer(reading, i, float(widths[i]), float(plain[i])) for i in range(len(widths))]


def _plain(data: Columns) -> Columns:
    missing = np.full(len(data["age_years"]), np.nan)
    return {name: values if name in PLAIN else missing for name, values in data.items()}


def _width(found: Prediction) -> FloatArray:
    """Width of the interval of either knee in log-odds, shape (n,).

    As a probability, the interval of a high risk is wide however much is known.
    """
    low, high = found.intervals["either"]
    return np.asarray(logit(high) - logit(low))


def _answer(reading: Reading, i: int, width: float, plain_width: float) -> Answer:
    """Red flags first: where one needs a clinician, nothing is scored."""
    screening, facts = reading.screenings[i], reading.facts
    flags = flags_of(screening)
    refer = must_refer(flags)
    reasons = reasons_of(screening, flags, facts, width, plain_width)
    knees = [] if refer else knees_of(reading, i)
    split = explained(reading, knees)
    found = None if refer else imbalances_of(reading, i)
    return Answer(
        red_flags=flags,
        red_flags_status=_flags_status(screening, flags),
        risk=risks_of(reading, i, reasons, knees),
        drivers=drivers_of(reading, i, split),
        imbalances=found,
        inputs=inputs_of(reading, i, effects_of(reading, i, split)),
        model=_lineage(facts),
        notice=f"{NOTICE} {_COHORT_NOTICE[facts.cohort]}",
    )


def _flags_status(screening: Screening, flags: list[Flag]) -> Any:
    if screening.red_flags is None:
        return "not_asked"
    return "present" if flags else "cleared"


def _lineage(facts: Facts) -> Lineage:
    return Lineage(
        version=facts.version,
        run_id=facts.run_id,
        git_sha=facts.git_sha,
        cohort=facts.cohort,
        outcome_kind=facts.outcome_kind,
        schema=facts.schema,
    )


def imbalances_of(reading: Reading, i: int) -> list[Imbalance] | None:
    """The five of each leg, the likeliest first, right leg before left."""
    found = reading.prediction
    if found.imbalances is None:
        return None
    told = []
    for side in SHOWN:
        chances = found.imbalances[i, SIDES.index(side)]
        ranked = sorted(zip(imbalances().values(), chances, strict=True), key=lambda x: -x[1])
        told += [
            Imbalance(
                side=side,
                name=facts.name,
                label=facts.label,
                probability=float(chance),
                interval=(float(chance), float(chance)),
                status="cannot_tell",
                evidence_grade=facts.evidence_grade,
                usual_site=facts.usual_site,
                wording=facts.wording,
                pattern=[],
            )
            for facts, chance in ranked
        ]
    return told
