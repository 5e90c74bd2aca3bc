"""No answer says two things that exclude each other, in 5,000 random screenings.

`EXCLUDE` lists the pairs: what an answer says in one place, and what it then can't say in another.
Valued are simulated athletes of every battery, some with red flags, pain, an age that the model has
not seen, or hardly a test. Next tests are worked out for a few, since they take longest.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneerisk.answer import compose_answer
from kneerisk.answer.answer_schema import SHOWN, Answer, Driver
from kneerisk.answer.compose_answer import answers
from kneerisk.answer.drivers import WORTH_A_WORD
from kneerisk.answer.follow_up.compare_visits import follow_up
from kneerisk.answer.follow_up.follow_up_request import FollowUp
from kneerisk.answer.pattern_schema import named
from kneerisk.answer.report import wording
from kneerisk.answer.summary import compared, hurting_sides
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evidence import advice, assumption, conditions
from kneerisk.model import Bundle
from kneerisk.schema import Screening, columns, from_row, to_row
from kneerisk.schema.sections import RED_FLAGS

SCREENINGS = 5_000
BATCH = 500
#: So many of them are seen a second time.
FOLLOWED = 40
#: Left out nowhere: a screening has to have them, or another measure needs them.
NEEDED = re.compile(r"age_years|sex|sport|mode|task")
#: Said of a risk by its band; none of the words of another band may stand beside it.
WORDS_OF_BAND = {
    "below": ("less than half", "about half", "about two thirds"),
    "near": ("about what is usual",),
    "above": ("a third more", "one and a half times", "about twice"),
    "well_above": ("about twice", "times what is usual"),
}
#: What the evidence says raises the risk, by the side of the usual that does.
RAISES = {
    "quad_torque_nm_kg": "lower", "wblt_dorsiflexion_deg": "lower", "ober_adduction_deg": "lower",
    "resistance_sessions_per_week": "lower", "hip_drop_deg": "higher", "fppa_deg": "higher",
    "ake_deficit_deg": "higher", "navicular_drop_mm": "higher",
}  # fmt: skip


def randomised(seed: int) -> Iterator[Screening]:
    """Simulated screenings, a fifth of them with something out of the ordinary."""
    rng = np.random.default_rng(seed)
    frame = simulate(SCREENINGS, seed).cohort.frame
    for row in frame[[name for name in frame if name in columns()]].to_dict("records"):
        given = {str(name): value for name, value in row.items() if not pd.isna(value)}
        kept = {
            name: value for name, value in given.items()
            if rng.random() < 0.9 or NEEDED.search(name)
        }  # fmt: skip
        flags: list[str] | None = []
        chance = rng.random()
        if chance < 0.06:
            flags = [str(flag) for flag in rng.choice(RED_FLAGS, 2, replace=False)]
        elif chance < 0.1:
            kept = {"age_years": float(rng.choice([14, 82])), "sex": kept["sex"]}
        elif chance < 0.14:
            kept[f"{rng.choice(SHOWN)}_pain_nrs"] = int(rng.integers(1, 9))
        elif chance < 0.2:
            flags, few = None, list(rng.choice(list(kept), 4))
            kept = {n: v for n, v in kept.items() if n in few or NEEDED.search(n)}  # fmt: skip
        yield from_row(kept, flags)


def risks(found: Answer) -> dict[str, Any]:
    knees = {knee: getattr(found.risk, knee) for knee in (*SHOWN, "either")}
    return {knee: risk for knee, risk in knees.items() if risk is not None}


def has(found: Answer, code: str) -> bool:
    return any(reason.code == code for reason in found.risk.reasons)


def adding(found: Answer) -> list[Driver]:
    """What can change, adds a point or more, and is not near the usual."""
    return [d for d in found.drivers if d.modifiable and d.points >= WORTH_A_WORD
            and d.against_usual != "near"]  # fmt: skip


def pattern_words(found: Answer) -> str:
    return " ".join([*(one.message for one in found.likely or ()),
                     *(one.wording for one in found.imbalances or ())])  # fmt: skip


def risk_words(found: Answer) -> str:
    return " ".join([found.summary[0], *(reason.message for reason in found.risk.reasons)])


def statuses(found: Answer, side: str) -> dict[str, str]:
    return {one.name: one.status for one in found.imbalances or () if one.side == side}


def contradicts_band(screening: Screening, found: Answer) -> bool:
    for knee, risk in risks(found).items():
        if risk.band != "not_assessed":
            words = compared(found, knee, screening.athlete.sport)
            if not any(told in words for told in WORDS_OF_BAND[risk.band]):
                return True
    return False


def wrong_verdict(found: Answer) -> bool:
    for verdict in found.likely or ():
        own = statuses(found, verdict.side)
        is_named = {name for name, status in own.items() if status in {"clear", "possible"}}
        if verdict.name == "none" and is_named:
            return True
        if verdict.name not in {"none", "indeterminate"} and verdict.name not in is_named:
            return True
        if verdict.name == "indeterminate" and len(is_named) == 1:
            return True
    return False


def wrong_wording(found: Answer) -> bool:
    starts = {"clear": "The measurements are consistent", "possible": "The measurements may point"}
    for one in found.imbalances or ():
        says_for = next((s for s, words in starts.items() if one.wording.startswith(words)), None)
        is_named = one.status in starts
        if (says_for == one.status) != is_named or (says_for is not None and not is_named):
            return True
        if "do not point to" in one.wording and one.status != "not_supported":
            return True
        again = assumption("imbalance_clear_named_again")
        if is_named and ((one.named_again or 0.0) >= again) != (one.status == "clear"):
            return True
    return False


def driver_against_its_value(found: Answer) -> bool:
    for driver in found.drivers:
        if driver.usual is not None and isinstance(driver.value, float):
            if driver.against_usual == "lower" and driver.value >= driver.usual:
                return True
            if driver.against_usual == "higher" and driver.value <= driver.usual:
                return True
        if (driver.value == "none") != driver.heading.startswith("No knee injury"):
            return True
        is_yes = driver.value == "yes"
        if driver.value in {"yes", "no"} and driver.heading.startswith("No ") == is_yes:
            return True
    return False


def raises_what_lowers(found: Answer) -> bool:
    """A value on the good side of the usual that is said to add a point or more."""
    for driver in found.drivers:
        bad = RAISES.get(driver.measure)
        if bad and driver.points >= WORTH_A_WORD and driver.against_usual not in {bad, "near"}:
            return True
        if driver.value == "none" and driver.points >= WORTH_A_WORD:
            return True
    return False


def advice_without_reason(screening: Screening, found: Answer) -> bool:
    sore = set(screening.pain.sides)
    recent = {side for side in SHOWN if screening.leg(side).prior_knee_injury == "within_12_months"}
    told = {(one.name, one.side) for one in named(found.imbalances or [])}
    whens = {entry.code: entry.when for entry in advice()}
    for piece in found.advice:
        about_leg = any(
            conditions()[name].level == "leg" for name in re.split(r"[ +]", whens[piece.code])
        )
        if piece.reason.startswith("Current pain") and not set(piece.sides) <= sore:
            return True
        if piece.code == "graded_return" and not set(piece.sides) <= recent:
            return True
        if about_leg and "{" in piece.reason:
            return True
        if piece.about not in {"load", "everyone"} and not (
            {(piece.about, side) for side in piece.sides} <= told
        ):
            return True
    return False


def wrong_next_test(screening: Screening, found: Answer) -> bool:
    second = found.summary[1]
    worth = [test for test in found.next_tests if test.worth_the_time]
    at_hand = {"none", *(screening.equipment or ["tape_or_phone", "dynamometer"])}
    if "no other test at hand is worth" in second and worth:
        return True
    return any(test.equipment not in at_hand for test in found.next_tests)


def wrong_week(found: Answer) -> bool:
    week = found.coming_week
    is_told = any(piece.code == "limit_session_spike" for piece in found.advice)
    if week is None or found.risk.status == "refer":
        return is_told
    return is_told == ("as long as usual" in week.message)


#: What excludes each other: a name, and whether an answer says both.
EXCLUDE: dict[str, Callable[[Screening, Answer], bool]] = {
    "a clinician first | anything scored or advised": lambda _, f: (
        f.risk.status == "refer"
        and bool(risks(f) or f.drivers or f.advice or f.next_tests or f.plan or f.imbalances)
    ),
    "an urgent flag | anything but a clinician": lambda _, f: (
        (f.risk.status != "refer") == any(flag.urgency != "routine" for flag in f.red_flags)
    ),
    "all fine | a reason why not": lambda _, f: (f.risk.status == "ok") == bool(f.risk.reasons),
    "it already hurts | a risk": lambda _, f: any(
        side in risks(f) or any(d.side == side for d in f.drivers) for side in hurting_sides(f)
    ),
    "it already hurts | no risk of new pain": lambda _, f: (
        "no risk" in " ".join([*f.summary, risk_words(f)]).lower()
    ),
    "not scored | scored": lambda s, f: (
        f.risk.status != "refer"
        and any(("not scored" in r.message) != (r.code == "current_pain") for r in f.risk.reasons)
    ),
    "little is known | a band": lambda _, f: (
        has(f, "low_information") and any(risk.band != "not_assessed" for risk in risks(f).values())
    ),
    "little is known | a number": lambda _, f: (
        has(f, "low_information") and bool(re.search(r"\d| times|usual", " ".join(f.summary)))
    ),
    "little is known | much was learnt": lambda _, f: (
        any("settle little" in reason.message for reason in f.risk.reasons)
        and any((r.information or 0.0) > 0.3 for r in risks(f).values())
    ),
    "a recent injury is known | little is known": lambda s, f: (
        has(f, "low_information")
        and any(s.leg(side).prior_knee_injury == "within_12_months" for side in SHOWN)
    ),
    "not seen by the model | a number": lambda _, f: (
        "has not seen" in f.summary[0] and bool(re.search(r"\d", " ".join(f.summary)))
    ),
    "a band | the words of another": contradicts_band,
    "the headline | the band": lambda s, f: (
        bool(risks(f))
        and not has(f, "low_information")
        and any(
            wording.band_phrase(getattr(f.risk, side), s.athlete.sport)
            not in wording.headline(f, s)
            for side in SHOWN
            if side in risks(f)
        )
    ),
    "a verdict | the patterns it is made from": lambda _, f: wrong_verdict(f),
    "a pattern's words | its status": lambda _, f: wrong_wording(f),
    "too little for the risk | the same of a pattern": lambda _, f: bool(
        re.search(r"too little|little was", pattern_words(f), re.IGNORECASE)
    ),
    "can't be told of a pattern | the same of the risk": lambda _, f: bool(
        re.search(r"can't tell|be told", risk_words(f))
    ),
    "a driver's words | its value": lambda _, f: driver_against_its_value(f),
    "a good value | it adds to the risk": lambda _, f: raises_what_lowers(f),
    "advice leads from it | no trial shows that it helps": lambda _, f: any(
        driver.untested and driver.advice for driver in f.drivers
    ),
    "nothing can change | something that can": lambda _, f: (
        "Nothing measured that can change" in f.summary[1] and bool(adding(f))
    ),
    "nothing is worth the time | a test to add": lambda _, f: bool(
        re.search(r"useful to add|add a test", pattern_words(f))
    ),
    "near the usual | named as what adds most": lambda _, f: "near usual" in f.summary[1],
    "advice | its reason": advice_without_reason,
    "advice twice": lambda _, f: len({a.code for a in f.advice}) < len(f.advice),
    "the plan | the advice": lambda _, f: (
        f.plan is not None
        and not {item.code for item in f.plan.items} <= {piece.code for piece in f.advice}
    ),
    "nothing is worth the time | a test": wrong_next_test,
    "a long session | as usual": lambda _, f: wrong_week(f),
    "a chance finding | beyond chance": lambda _, f: any(
        row.beyond_chance and not row.beyond_error for row in f.side_differences
    ),
    "either knee | less likely than one": lambda _, f: (
        f.risk.either is not None
        and any(risk.probability > f.risk.either.probability + 1e-9 for risk in risks(f).values())
    ),
    "a risk | outside its own interval": lambda _, f: any(
        not risk.interval[0] <= risk.probability <= risk.interval[1] for risk in risks(f).values()
    ),
}


@dataclass
class Checked:
    """What became of 5,000 answers; they are let go of batch by batch, being large."""

    both: dict[str, list[str]] = field(default_factory=dict)
    """The first sentences of the answers that say both, by pair."""
    kinds: set[str] = field(default_factory=set)
    bands: set[str] = field(default_factory=set)
    to_do: list[str] = field(default_factory=list)
    first: list[Screening] = field(default_factory=list)

    def add(self, screening: Screening, found: Answer) -> None:
        """Hold an answer against every pair."""
        for pair, says_both in EXCLUDE.items():
            if says_both(screening, found):
                self.both.setdefault(pair, []).append(found.summary[0])
        self.kinds.add(found.risk.status)
        self.bands |= {risk.band for risk in risks(found).values()}
        self.to_do.append(found.summary[1])
        if len(self.first) < FOLLOWED and found.risk.status != "refer":
            self.first.append(screening)


@pytest.fixture(scope="module")
def checked(released: Bundle) -> Checked:
    """5,000 answers held against every pair."""
    screenings, seen = list(randomised(13)), Checked()
    # A collection of garbage walks through all that the tests hold: most of the time.
    gc.disable()
    with pytest.MonkeyPatch.context() as patch:
        whole = compose_answer.next_tests_of_each
        patch.setattr(
            compose_answer, "next_tests_of_each",
            lambda predictions, told: {i: [] for i in told} | whole(
                predictions, {i: known for i, known in told.items() if i % 25 == 0}
            ),
        )  # fmt: skip
        # Nothing is said in the list of inputs that could contradict.
        patch.setattr(compose_answer, "inputs_of", lambda *_: [])
        for start in range(0, SCREENINGS, BATCH):
            batch = screenings[start : start + BATCH]
            for screening, found in zip(batch, answers(released, batch), strict=True):
                seen.add(screening, found)
    gc.enable()
    return seen


@pytest.mark.parametrize("pair", EXCLUDE)
def test_no_answer_says_both(checked: Checked, pair: str) -> None:
    both = checked.both.get(pair, [])
    assert not both, f"{len(both)} of {SCREENINGS}, first {both[0]}"


def test_the_screenings_are_of_every_kind(checked: Checked) -> None:
    assert checked.kinds == {"refer", "current_pain", "out_of_population", "low_information", "ok"}
    assert checked.bands >= set(WORDS_OF_BAND)
    words = " ".join(checked.to_do)
    assert "no other test at hand is worth the time" in words
    assert "though no trial shows that changing it helps" in words
    assert ", and ask about previous problems" in words


#: Texts of a follow-up that exclude each other.
APART = (
    ("did not clearly change|clearly changed", "really changed"),
    ("no further than a repeat", "more than a repeat"),
    ("moved by less than 1 point", "(rose|fell) by [1-9]"),
    ("really changed .better: [^;]*.,? and", "the risk for .* rose by"),
    ("so no change can be told apart", "really changed"),
)
#: Retaken at the second visit; none of them is part of a ratio.
RETAKEN = ("wblt_dorsiflexion_deg", "hip_drop_deg", "ober_adduction_deg", "ake_deficit_deg")


def test_no_follow_up_says_both(released: Bundle, checked: Checked) -> None:
    rng = np.random.default_rng(3)
    shown: list[str] = []
    for screening in checked.first:
        first = to_row(screening)
        moved = {
            f"{side}_{name}": float(np.clip(first[f"{side}_{name}"] + rng.normal(0, 6), 2, 24))
            for side in SHOWN
            for name in RETAKEN
            if f"{side}_{name}" in first
        }
        again = from_row(first | moved, [])
        visits = [{"date": date, "screening": one.model_dump(mode="json", exclude_none=True)}
                  for date, one in (("2026-01-10", screening), ("2026-05-10", again))]  # fmt: skip
        shown.append(follow_up(released, FollowUp.model_validate({"visits": visits})).summary)
    assert len(set(shown)) > 10
    for one, other in APART:
        both = [words for words in shown if re.search(one, words) and re.search(other, words)]
        assert not both, both[0]
