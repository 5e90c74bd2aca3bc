"""The first lines of a report: the headline, the risk of each knee, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator

from kneerisk.answer.answer_schema import SHOWN, Answer, Flag, Knee, Risk, suggested_by
from kneerisk.answer.number_format import about, in_100, number, sentence
from kneerisk.answer.summary import withheld
from kneerisk.evidence import red_flags
from kneerisk.schema import Screening, Side, columns
from kneerisk.words import listed, plural, text, variant

#: Shown of a hash: enough to tell two apart.
_RUN_CHARACTERS, _HASH_CHARACTERS = 12, 10


def athletes(sport: str | None) -> str:
    """The athletes of a sport: `runners`."""
    return variant("shared.athletes", sport or "any")


def athlete_line(screening: Screening) -> str:
    """The athlete in a line: `27 years, female, running, 168 cm, 61 kg`."""
    athlete = screening.athlete
    items = [
        text("report.athlete.age", age=number(athlete.age_years, "years")),
        variant("report.athlete.sex", athlete.sex),
    ]
    if athlete.sport:
        items.append(variant("report.athlete.sport", athlete.sport))
    if athlete.height_cm:
        items.append(text("report.athlete.height", height=number(athlete.height_cm, "cm")))
    if athlete.mass_kg:
        items.append(text("report.athlete.mass", mass=number(athlete.mass_kg, "kg")))
    return ", ".join(items)


def band_phrase(risk: Risk, sport: str | None) -> str:
    """A risk against what is usual in the sport."""
    athlete = variant("shared.athlete", sport or "any")
    return variant("report.band", risk.band, athlete=athlete)


def headline(answer: Answer, screening: Screening) -> str:
    """The answer in one line."""
    if answer.risk.status == "refer":
        return text("report.headline.refer", when=answer.red_flags[0].when)
    reason = withheld(answer)
    if reason:
        return variant("report.headline.withheld", reason.code)
    sport = screening.athlete.sport
    phrases: dict[Knee, str] = {}
    for side in SHOWN:
        risk = getattr(answer.risk, side)
        if risk is not None:
            phrases[side] = band_phrase(risk, sport)
        elif hurts(answer, side):
            phrases[side] = text("report.headline.hurts")
    if len(phrases) == len(SHOWN) and len(set(phrases.values())) == 1:
        both_hurt = all(hurts(answer, side) for side in SHOWN)
        phrase = text("report.headline.hurt") if both_hurt else phrases[SHOWN[0]]
        return text("report.headline.both_knees", phrase=phrase)
    if not phrases and answer.risk.either is not None:
        phrases["either"] = band_phrase(answer.risk.either, sport)
    return " ".join(
        text("report.headline.knee", knee=variant("shared.knee_title", knee), phrase=phrase)
        for knee, phrase in phrases.items()
    )


def hurts(answer: Answer, side: Side) -> bool:
    """Whether a knee has no risk because it hurts now."""
    return any(
        reason.code == "current_pain" and reason.column == f"{side}_pain_nrs"
        for reason in answer.risk.reasons
    )


def _within_horizon(answer: Answer, outcome: str) -> str:
    months = answer.risk.horizon_months
    return text("shared.within_months", outcome=outcome, months=months) if months else outcome


def risk_heading(answer: Answer) -> str:
    """What the risk is of, and within what time."""
    return _within_horizon(answer, variant("report.risk.heading", answer.risk.outcome_kind))


def risk_sentence(answer: Answer, knee: Knee, screening: Screening) -> str:
    """The risk of a knee in words, and how it compares with what is usual.

    Parameters
    ----------
    answer
        The answer to the screening.
    knee
        A knee that has a risk.
    screening
        The screening, for the athlete's sport.

    Returns
    -------
    Such as `Put together, studies suggest about 13 in 100 runners like this one get new pain in the
    right knee within 12 months; ...`.
    """
    return f"{_frequency(answer, knee, screening)}{_against_usual(answer, knee)}"


def _frequency(answer: Answer, knee: Knee, screening: Screening) -> str:
    """The risk as a natural frequency (Gigerenzer 2007, doi 10.1111/j.1539-6053.2008.00033.x)."""
    risk: Risk = getattr(answer.risk, knee)
    kind, where = answer.risk.outcome_kind, variant("shared.knee", knee)
    low, high = (in_100(bound) for bound in risk.interval)
    under_one = text("shared.count.under_one")
    count = in_100(risk.probability)
    outcome = variant("shared.outcome.other", kind, knee=where)
    if count in {"1", under_one}:
        outcome = variant("shared.outcome.one", kind, knee=where)
    return sentence(
        text(
            "report.risk.frequency",
            suggests=variant("shared.suggests", suggested_by(answer.model.cohort, answer.risk)),
            count=about(risk.probability),
            athletes=athletes(screening.athlete.sport),
            outcome=_within_horizon(answer, outcome),
            low=low if low == under_one else text("report.risk.as_few_as", count=low),
            high=high,
        )
    )


def _against_usual(answer: Answer, knee: Knee) -> str:
    """How the risk compares with what is usual in the sport, in the same unit."""
    rates, risk = answer.risk.base_rate, getattr(answer.risk, knee)
    base_rate = rates.either if knee == "either" else rates.leg
    if not base_rate:
        return ""
    if risk.band == "not_assessed":
        return " " + text("report.risk.not_assessed")
    if risk.band == "near":
        return " " + text("report.risk.close_to_usual")
    return " " + text("report.risk.times_usual", times=f"{risk.probability / base_rate:.1f}")


def usual_rates(answer: Answer, screening: Screening) -> str | None:
    """The base rates of the sport: of one knee, and of either, which is another unit."""
    rates = answer.risk.base_rate
    items = [text("report.risk.usual_knee", count=in_100(rates.leg))] if rates.leg else []
    items += [text("report.risk.usual_either", count=in_100(rates.either))] if rates.either else []
    if not items:
        return None
    return text(
        "report.risk.usual", athletes=athletes(screening.athlete.sport), rates=listed(items)
    )


def counted_sentence(answer: Answer) -> str | None:
    """What the usual risk of a simulated outcome counts, and whether the club's count is in it."""
    words = []
    if _has_sources(answer) and answer.risk.outcome_kind == "new_pain":
        words.append(text("shared.base_rate.counts"))
    if answer.risk.base_rate.rests_on:
        words.append(answer.risk.base_rate.rests_on)
    if answer.risk.base_rate.from_club:
        words.append(text("shared.base_rate.from_club"))
    return " ".join(words) or None


def _has_sources(answer: Answer) -> bool:
    """Whether the model tells where its intervals come from: it draws from the studies' ranges."""
    return any(risk and risk.interval_from for risk in (answer.risk.right, answer.risk.left,
                                                        answer.risk.either))  # fmt: skip


def coverage_sentence(answer: Answer) -> str | None:
    """How far the 90 % of the intervals can be off in a single club, as measured."""
    if not _has_sources(answer):
        return None
    return variant("shared.coverage", "counted" if answer.risk.base_rate.from_club else "plain")


def overlap_sentence(answer: Answer) -> str | None:
    """A warning not to read more into two knees than there is."""
    right, left = answer.risk.right, answer.risk.left
    if right is None or left is None or right.band == left.band:
        return None
    if _inside(right, left) and _inside(left, right):
        return text("report.risk.overlap")
    return None


def _inside(risk: Risk, other: Risk) -> bool:
    return other.interval[0] <= risk.probability <= other.interval[1]


def reason_sentences(answer: Answer, screening: Screening) -> Iterator[str]:
    """Why the status is what it is, in whole sentences; red flags have their own."""
    for reason in answer.risk.reasons:
        if reason.code == "current_pain":
            side: Side = "right" if (reason.column or "").startswith("right") else "left"
            yield text("report.reasons.current_pain", pain=pain_sentence(screening, side))
        if reason.code == "low_information":
            yield text("report.reasons.low_information", why=sentence(reason.message))
    outside = [reason for reason in answer.risk.reasons if reason.code == "out_of_population"]
    if outside:
        reasons = "; ".join(_with_leg(reason.column, reason.message) for reason in outside)
        yield text("report.reasons.out_of_population", reasons=reasons)


def _with_leg(column: str | None, message: str) -> str:
    """A reason with the leg that its column is of."""
    if column is None or column not in columns():
        return message
    side = column.partition("_")[0]
    return text("report.reasons.on_leg", side=side, reason=message) if side in SHOWN else message


def pain_sentence(screening: Screening, side: Side) -> str:
    """What hurts, where, how much and since when: `The right knee hurts now: 4 of 10, ...`."""
    pain = screening.pain.right if side == "right" else screening.pain.left
    details = []
    if pain.pain_nrs is not None:
        details.append(text("report.pain.severity", grade=pain.pain_nrs))
    if pain.pain_site is not None and pain.pain_site != "none":
        details.append(variant("shared.site", pain.pain_site))
    if pain.pain_weeks is not None:
        weeks = int(number(pain.pain_weeks, "weeks"))
        duration = plural("report.pain.weeks", weeks) if weeks else text("report.pain.under_a_week")
        details.append(text("report.pain.lasting", duration=duration))
    if not details:
        return text("report.pain.plain", side=side)
    return text("report.pain.detailed", side=side, details=", ".join(details))


def flags_sentence(answer: Answer) -> str:
    """Whether the red flags were asked, and what came of it."""
    if answer.red_flags_status == "not_asked":
        return text("report.red_flags.not_asked")
    if answer.red_flags_status == "cleared":
        return text("shared.red_flags.cleared")
    return plural("report.red_flags.present", len(answer.red_flags))


def flag_sentence(flag: Flag) -> str:
    """A red flag: what was answered with yes, and what it may mean."""
    entry = red_flags().get(flag.code)
    question = text("report.red_flags.answered_yes", question=entry.question) if entry else ""
    return f"{question} {sentence(flag.reason)}".lstrip()


def inputs_sentence(answer: Answer) -> str:
    """How much was measured, in a line."""
    used = [row.column for row in answer.inputs if row.status in {"used", "out_of_range"}]
    count = len({name.removeprefix("right_").removeprefix("left_") for name in used})
    return plural("report.inputs.used", count)


def lineage(answer: Answer) -> str:
    """Which model answered: version, run, code, cohort and schema."""
    model = answer.model
    items = [
        text("report.lineage.model", version=model.version),
        text("report.lineage.run", run=model.run_id[:_RUN_CHARACTERS]),
    ]
    if model.git_sha:
        items.append(text("report.lineage.code", commit=model.git_sha[:_HASH_CHARACTERS]))
    items += [
        text("report.lineage.cohort", cohort=model.cohort),
        text("report.lineage.outcome", outcome=model.outcome_kind.replace("_", " ")),
        text("report.lineage.schema", fingerprint=model.schema_fingerprint[:_HASH_CHARACTERS]),
    ]
    return ", ".join(items)
