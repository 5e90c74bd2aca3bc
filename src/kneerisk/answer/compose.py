"""Put an answer together: red flags, then risk, then imbalances, from one prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import logit

from kneerisk.answer.contract import (
    Answer,
    Band,
    BaseRate,
    Flag,
    Imbalance,
    Input,
    Lineage,
    Reason,
    Risk,
    Risks,
)
from kneerisk.answer.flags import flags_of, must_refer
from kneerisk.answer.status import hurting, reasons_of
from kneerisk.evidence import imbalances
from kneerisk.model import Bundle, Facts, Prediction
from kneerisk.schema import (
    SIDES,
    Columns,
    Quantity,
    Screening,
    Side,
    coded,
    columns,
    to_row,
)

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
#: Right comes first wherever both sides are shown: so they stand in a front view.
SHOWN: tuple[Side, Side] = ("right", "left")
#: Upper ends of the bands, as multiples of the sport's base rate.
BANDS: tuple[tuple[float, Band], ...] = ((0.75, "below"), (1.25, "near"), (2.0, "above"))
#: What a screening always has: the answer to these alone is what the tests are compared with.
PLAIN = ("age_years", "sex", "sport")


def answer(bundle: Bundle, screening: Screening) -> Answer:
    """What the model says of one screening."""
    return answers(bundle, [screening])[0]


def answers(bundle: Bundle, screenings: Sequence[Screening]) -> list[Answer]:
    """What the model says of each screening; a screening's numbers don't depend on the others."""
    if not screenings:
        return []
    data, count = coded(screenings), len(screenings)
    plain = _plain(data)
    found = bundle.model.predict({name: np.r_[data[name], plain[name]] for name in data})
    low, high = found.intervals["either"]
    # In log-odds: as a probability, the interval of a high risk is wide however much is known.
    width = logit(high) - logit(low)
    return [
        _answer(bundle, screening, found, i, float(width[i]), float(width[count + i]))
        for i, screening in enumerate(screenings)
    ]


def _plain(data: Columns) -> Columns:
    missing = np.full(len(data["age_years"]), np.nan)
    return {name: values if name in PLAIN else missing for name, values in data.items()}


def _answer(
    bundle: Bundle,
    screening: Screening,
    found: Prediction,
    i: int,
    width: float,
    plain_width: float,
) -> Answer:
    facts, flags = bundle.facts, flags_of(screening)
    reasons = reasons_of(screening, flags, facts, width, plain_width)
    refer = must_refer(flags)
    return Answer(
        risk=_risks(screening, found, i, facts, reasons, refer=refer),
        imbalances=None if refer else _imbalances(found, i),
        red_flags=flags,
        red_flags_status=_flags_status(screening, flags),
        inputs=_inputs(screening, facts),
        model=_lineage(facts),
        notice=f"{NOTICE} {_COHORT_NOTICE[facts.cohort]}",
    )


def _risks(
    screening: Screening,
    found: Prediction,
    i: int,
    facts: Facts,
    reasons: list[Reason],
    *,
    refer: bool,
) -> Risks:
    rates = facts.base_rates.get(screening.athlete.sport or "all", facts.base_rates["all"])
    painful = hurting(screening, facts)
    told: dict[str, Risk] = {}
    for side in ("left", "right", "either"):
        probability = getattr(found, side)
        hidden = refer or side in painful or (side == "either" and painful)
        if probability is not None and not hidden:
            low, high = (float(bound[i]) for bound in found.intervals[side])
            base = rates.get("either" if side == "either" else "leg")
            told[side] = _risk(float(probability[i]), low, high, base)
    return Risks(
        status=reasons[0].code if reasons else "ok",
        reasons=reasons,
        outcome_kind=facts.outcome_kind,
        horizon_months=facts.horizon_months,
        base_rate=BaseRate(**rates),
        **told,
    )


def _risk(probability: float, low: float, high: float, base: float | None) -> Risk:
    ratio = probability / base if base else 1.0
    band: Band = next((name for end, name in BANDS if ratio < end), "well_above")
    return Risk(
        probability=probability,
        interval=(low, high),
        per_100=round(100 * probability),
        band=band,
    )


def _imbalances(found: Prediction, i: int) -> list[Imbalance] | None:
    """The five of each leg, the likeliest first, right leg before left."""
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


def _flags_status(screening: Screening, flags: list[Flag]) -> Any:
    if screening.red_flags is None:
        return "not_asked"
    return "present" if flags else "cleared"


def _inputs(screening: Screening, facts: Facts) -> list[Input]:
    """What became of every measure of the schema; nothing is assumed silently."""
    given = to_row(screening)
    return [
        Input(
            column=column,
            status=_input_status(column, given, facts),
            unit=measure.unit if isinstance(measure, Quantity) else None,
        )
        for column, measure in columns().items()
    ]


def _input_status(column: str, given: dict[str, Any], facts: Facts) -> Any:
    if column not in given:
        return "missing"
    if not columns()[column].model_input:
        return "recorded_only"
    return "used" if column in facts.population else "unknown_to_model"


def _lineage(facts: Facts) -> Lineage:
    return Lineage(
        version=facts.version,
        run_id=facts.run_id,
        git_sha=facts.git_sha,
        cohort=facts.cohort,
        outcome_kind=facts.outcome_kind,
        schema=facts.schema,
    )
