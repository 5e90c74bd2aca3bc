"""What an answer says first: the headline, the risk of each knee, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kneerisk.answer.answer_schema import SHOWN, Answer, Flag, Knee, Risk
from kneerisk.answer.report.number_format import in_100, number, sentence
from kneerisk.evidence import red_flags
from kneerisk.schema import Screening, Side, columns
from kneerisk.words import listed, plural, text, variant

_OUTCOME = {
    "new_pain": ("gets", "get", "new pain in"),
    "present_pain": ("has", "have", "pain now in"),
    "past_injury": ("has had", "have had", "an injury of"),
}
_HEADING = {
    "new_pain": "Risk of new knee pain",
    "present_pain": "Chance of knee pain today",
    "past_injury": "Chance of a knee injury in the past",
}
_SITES = {
    "anterior": "at the front",
    "lateral": "on the outside",
    "medial": "on the inside",
    "posterior": "at the back",
    "diffuse": "all over",
}


def person(sport: str | None) -> str:
    """One of the sport, with its article: `a runner`."""
    return variant("common.athlete", sport or "any")


def people(sport: str | None) -> str:
    """Those of the sport: `runners`."""
    return variant("common.athletes", sport or "any")


def who(screening: Screening) -> str:
    """The athlete in a line: `27 years, female, running, 168 cm, 61 kg`."""
    athlete = screening.athlete
    sex = "sex not stated" if athlete.sex == "unspecified" else athlete.sex
    parts = [f"{number(athlete.age_years, 'years')} years", sex]
    parts += [athlete.sport.replace("general", "general sport")] if athlete.sport else []
    parts += [f"{number(athlete.height_cm, 'cm')} cm"] if athlete.height_cm else []
    parts += [f"{number(athlete.mass_kg, 'kg')} kg"] if athlete.mass_kg else []
    return ", ".join(parts)


def band_phrase(risk: Risk, sport: str | None) -> str:
    """A risk against what is usual in the sport."""
    return {
        "below": f"lower than usual for {person(sport)}",
        "near": f"typical for {person(sport)}",
        "above": "raised risk",
        "well_above": "more than twice the usual risk",
    }[risk.band]


def headline(answer: Answer, screening: Screening) -> str:
    """The answer in one line."""
    if answer.risk.status == "refer":
        return f"See a clinician first, {answer.red_flags[0].when}."
    if any(reason.code == "low_information" for reason in answer.risk.reasons):
        return "Too little was measured to say much about these knees."
    sport = screening.athlete.sport
    said: list[tuple[str, str]] = []
    for side in SHOWN:
        risk = getattr(answer.risk, side)
        if risk is not None:
            said.append((side, band_phrase(risk, sport)))
        elif hurts(answer, side):
            said.append((side, "hurts now"))
    if len(said) == len(SHOWN) and said[0][1] == said[1][1]:
        return sentence(f"both knees: {said[0][1].replace('hurts', 'hurt')}")
    if not said and answer.risk.either is not None:
        said.append(("either", band_phrase(answer.risk.either, sport)))
    return " ".join(f"{side.capitalize()} knee: {phrase}." for side, phrase in said)


def hurts(answer: Answer, side: Side) -> bool:
    """Whether a knee has no risk because it hurts now."""
    return any(
        reason.code == "current_pain" and reason.column == f"{side}_pain_nrs"
        for reason in answer.risk.reasons
    )


def risk_heading(answer: Answer) -> str:
    """What the risk is of, and within what time."""
    months = answer.risk.horizon_months
    within = f" within {months} months" if months else ""
    return _HEADING[answer.risk.outcome_kind] + within


def risk_sentence(answer: Answer, knee: Knee, screening: Screening) -> str:
    """`13 in 100 runners like this get new pain in the right knee within 12 months; ...`."""
    return f"{_frequency(answer, knee, screening)}{_against(answer, knee)}"


def risk_paragraph(answer: Answer, knees: Sequence[Knee], screening: Screening) -> str:
    """The first knee in a whole sentence, the others after it in short."""
    others = [f"in {_where(knee)} {_short(getattr(answer.risk, knee))}" for knee in knees[1:]]
    first = _frequency(answer, knees[0], screening)
    return f"{first} {sentence(listed(others))}" if others else first


def _frequency(answer: Answer, knee: Knee, screening: Screening) -> str:
    risk: Risk = getattr(answer.risk, knee)
    one, many, what = _OUTCOME[answer.risk.outcome_kind]
    low, high = (in_100(bound) for bound in risk.interval)
    months = answer.risk.horizon_months
    within = f" within {months} months" if months else ""
    count = in_100(risk.probability)
    verb = one if count in {"1", "fewer than 1"} else many
    few = low if low.startswith("fewer") else f"as few as {low}"
    group = people(screening.athlete.sport)
    return sentence(
        f"{count} in 100 {group} like this {verb} {what} {_where(knee)}{within}; "
        f"it may be {few} or as many as {high}"
    )


def _where(knee: Knee) -> str:
    return "either knee" if knee == "either" else f"the {knee} knee"


def _short(risk: Risk) -> str:
    low, high = (in_100(bound) for bound in risk.interval)
    return f"{in_100(risk.probability)} in 100 ({low} to {high})"


def _against(answer: Answer, knee: Knee) -> str:
    """How the risk compares with what is usual in the sport, in the same unit."""
    rates, risk = answer.risk.base_rate, getattr(answer.risk, knee)
    base = rates.either if knee == "either" else rates.leg
    if not base:
        return ""
    if risk.band == "near":
        return " That is close to the usual."
    return f" That is {risk.probability / base:.1f} times the usual."


def usual_sentence(answer: Answer, screening: Screening) -> str | None:
    """The base rates of the sport: of one knee, and of either, which is another unit."""
    rates = answer.risk.base_rate
    said = [f"{in_100(rates.leg)} in 100 for one knee"] if rates.leg else []
    said += [f"{in_100(rates.either)} in 100 for either knee"] if rates.either else []
    if not said:
        return None
    return f"Usual among {people(screening.athlete.sport)}: {listed(said)}."


def same_sentence(answer: Answer) -> str | None:
    """A warning not to read more into two knees than there is."""
    right, left = answer.risk.right, answer.risk.left
    if right is None or left is None or right.band == left.band:
        return None
    if _inside(right, left) and _inside(left, right):
        return "The intervals of the two knees overlap: don't lean on which one is higher."
    return None


def _inside(one: Risk, other: Risk) -> bool:
    return other.interval[0] <= one.probability <= other.interval[1]


def reason_sentences(answer: Answer, screening: Screening) -> Iterator[str]:
    """Why the status is what it is, in whole sentences; red flags have their own."""
    for reason in answer.risk.reasons:
        if reason.code == "current_pain":
            side: Side = "right" if (reason.column or "").startswith("right") else "left"
            yield pain_sentence(screening, side) + (
                " A risk of new pain in it would mean nothing, so none is given; "
                "what the tests show of the leg still stands."
            )
        if reason.code == "low_information":
            yield (
                "The tests that were done hardly narrow the answer: the intervals are nearly as "
                "wide as with age, sex and sport alone. Measure more before acting on them."
            )
    outside = [reason for reason in answer.risk.reasons if reason.code == "out_of_population"]
    if outside:
        named = "; ".join(_sided(reason.column, reason.message) for reason in outside)
        yield f"Don't lean on the numbers: {named}."


def _sided(column: str | None, message: str) -> str:
    if column is None or column not in columns():
        return message
    side = column.partition("_")[0]
    return f"{side} leg, {message}" if side in SHOWN else message


def pain_sentence(screening: Screening, side: Side) -> str:
    """What hurts, where, how much and since when: `The right knee hurts now: 4 of 10, ...`."""
    pain = screening.pain.right if side == "right" else screening.pain.left
    parts = [f"{pain.pain_nrs} of 10"] if pain.pain_nrs is not None else []
    parts += [_SITES[pain.pain_site]] if pain.pain_site in _SITES else []
    if pain.pain_weeks is not None:
        weeks = number(pain.pain_weeks, "weeks")
        lasting = {"0": "less than a week", "1": "1 week"}.get(weeks, f"{weeks} weeks")
        parts.append(f"for {lasting}")
    return f"The {side} knee hurts now: {', '.join(parts)}." if parts else (
        f"The {side} knee hurts now."
    )  # fmt: skip


def flags_sentence(answer: Answer) -> str:
    """Whether the red flags were asked, and what came of it."""
    if answer.red_flags_status == "not_asked":
        return text("report.red_flags.not_asked")
    if answer.red_flags_status == "cleared":
        return text("report.red_flags.cleared")
    return plural("report.red_flags.present", len(answer.red_flags))


def flag_sentence(flag: Flag) -> str:
    """A red flag: what was answered with yes, and what it may mean."""
    asked = red_flags().get(flag.code)
    question = f"{asked.question} Yes. " if asked else ""
    return question + sentence(flag.reason)


def overview(answer: Answer) -> str:
    """How much was measured, in a line."""
    used = [one.column for one in answer.inputs if one.status in {"used", "out_of_range"}]
    count = len({name.removeprefix("right_").removeprefix("left_") for name in used})
    return (
        f"{count} measure{'' if count == 1 else 's'} and answers were used. What was not measured "
        "makes the intervals wider; nothing was filled in unseen."
    )


def lineage(answer: Answer) -> str:
    """Which model answered: version, run, code, cohort and schema."""
    model = answer.model
    parts = [f"Model {model.version}", f"run {model.run_id[:12]}"]
    parts += [f"code {model.git_sha[:10]}"] if model.git_sha else []
    parts += [f"cohort {model.cohort}", f"outcome {model.outcome_kind.replace('_', ' ')}"]
    return ", ".join([*parts, f"schema {model.schema_fingerprint[:10]}"]) + "."
