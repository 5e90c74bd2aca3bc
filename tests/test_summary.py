"""The two sentences that an answer begins with agree with the rest of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from strategies import screenings

from kneerisk.answer import answer
from kneerisk.answer.answer_schema import SHOWN, Answer, BaseRate, Risk
from kneerisk.answer.summary import COMPARED, compared, hurting_sides, summary_of, worthwhile_test
from kneerisk.evidence import advice, screening_tests
from kneerisk.model import Bundle
from kneerisk.schema import Screening
from kneerisk.words import in_sentence, section, text, variant

FORBIDDEN = re.compile(
    r"\b(safe|cleared|normal|high-risk|dangerous|will|causes|prevents|predicts|accurate|proven|AI"
    r"|score|diagnosis|deficit|dysfunction|only)\b"
)
RUNNER = {
    "athlete": {"age_years": 27, "sex": "female", "sport": "running", "height_cm": 168,
                "mass_kg": 61, "weekly_run_km": 40, "longest_run_30d_km": 16,
                "next_long_run_km": 20},
    "left": {"wblt_dorsiflexion_deg": 33, "hip_drop_deg": 9, "fppa_deg": 14,
             "quad_torque_nm_kg": 1.9, "hamstring_torque_nm_kg": 1.1, "hip_abduction_pct_bw": 24,
             "ober_adduction_deg": 15, "prior_knee_injury": "within_12_months"},
    "right": {"wblt_dorsiflexion_deg": 41, "hip_drop_deg": 4.5, "fppa_deg": 8,
              "quad_torque_nm_kg": 2.4, "hamstring_torque_nm_kg": 1.2, "hip_abduction_pct_bw": 33,
              "ober_adduction_deg": 24, "prior_knee_injury": "none"},
    "protocol": {"torque_mode": "isometric", "valgus_task": "single_leg_squat"},
    "red_flags": [],
}  # fmt: skip


def asked(bundle: Bundle, **parts: Any) -> Answer:
    return answer(bundle, Screening.model_validate({**RUNNER, **parts}))


@pytest.fixture(scope="module")
def runner(released: Bundle) -> Answer:
    return asked(released)


class TestTextbookCases:
    def test_the_higher_knee_against_the_usual(self, runner: Answer) -> None:
        likely, to_do = runner.summary
        left = runner.risk.left
        assert left is not None
        assert likely.startswith(f"Put together, studies suggest about {left.per_100} in 100 runn")
        assert "new pain in the left knee within 12 months, about" in likely
        assert likely.endswith("usual for runners.")
        assert to_do.startswith("Of what can change, ")
        assert "; next, " in to_do

    def test_a_red_flag_says_what_and_how_soon(self, released: Bundle) -> None:
        told = asked(released, red_flags=["hot_red_swollen_joint"]).summary
        assert told == [
            "A clinician comes first, today: Possible joint infection or crystal arthritis.",
            "Until then, nothing is scored and no exercise is advised.",
        ]

    def test_a_knee_that_hurts(self, released: Bundle) -> None:
        told = asked(released, pain={"right": {"pain_nrs": 4}}).summary
        start = "The right knee is not scored, since it already hurts; put together, studies"
        assert told[0].startswith(start)
        assert "left knee" in told[0]

    def test_two_knees_that_hurt(self, released: Bundle) -> None:
        pain = {"right": {"pain_nrs": 4}, "left": {"pain_nrs": 2}}
        told = asked(released, pain=pain).summary
        assert told[0] == "Neither knee is scored, since both already hurt."
        assert told[1].startswith("Next, ")

    @pytest.mark.parametrize("age", [14, 80])
    def test_an_age_that_the_model_has_not_seen_has_no_number(
        self, released: Bundle, age: int
    ) -> None:
        told = asked(released, athlete={"age_years": age, "sex": "female", "sport": "running"})
        assert "has not seen athletes of this age" in told.summary[0]
        assert not re.search(r"\d", " ".join(told.summary))

    def test_little_information_has_no_number(self, released: Bundle) -> None:
        bare = Screening.model_validate({"athlete": {"age_years": 27, "sex": "female"}})
        found = answer(released, bare)
        assert found.summary[0] == "Too little was measured to say what is likely for these knees."
        assert found.next_tests
        assert variant("answer.summary.test", found.next_tests[0].test) in found.summary[1]

    @pytest.mark.parametrize(("cohort", "start"), [
        ("observed", "Judging by the athletes it was fitted to, about"),
        ("adapted", "Put together, studies and a club's outcomes suggest about"),
    ])  # fmt: skip
    def test_whose_numbers_they_are(self, runner: Answer, cohort: str, start: str) -> None:
        model = runner.model.model_copy(update={"cohort": cohort})
        told = summary_of(runner.model_copy(update={"model": model}), "running")
        assert told[0].startswith(start)

    def test_a_model_without_sides(self, runner: Answer) -> None:
        risk = runner.risk.model_copy(update={"left": None, "right": None})
        drivers = [replace(d, side="either") for d in runner.drivers]
        told = summary_of(runner.model_copy(update={"risk": risk, "drivers": drivers}), "running")
        assert "new pain in either knee" in told[0]
        assert "left" not in told[0]

    def test_no_driver_that_can_change(self, runner: Answer) -> None:
        fixed = [d for d in runner.drivers if not d.modifiable]
        told = summary_of(runner.model_copy(update={"drivers": fixed}), "running")
        assert told[1].startswith(
            "Nothing measured that can change adds a point out of 100 or more"
        )

    def test_no_test_worth_the_time(self, runner: Answer) -> None:
        told = summary_of(runner.model_copy(update={"next_tests": []}), "running")
        assert told[1].endswith("; no other test at hand is worth the time.")


@pytest.mark.parametrize(("ratio", "words"), [
    (0.3, "less than half of what"), (0.5, "about half of what"), (0.7, "about two thirds"),
    (0.75, "about what is"), (1.24, "about what is"), (1.25, "about a third more"),
    (1.5, "about one and a half times"), (1.8, "about twice"), (2.49, "about twice"),
    (2.5, "about 3 times"), (3.6, "about 4 times"),
])  # fmt: skip
def test_a_ratio_in_words(runner: Answer, ratio: float, words: str) -> None:
    assert runner.risk.left is not None
    left = runner.risk.left.model_copy(update={"probability": 0.08 * ratio + 1e-12})
    risk = runner.risk.model_copy(update={"left": left, "base_rate": BaseRate(leg=0.08)})
    told = compared(runner.model_copy(update={"risk": risk}), "left", "running")
    assert told.startswith(words)
    assert told.endswith("usual for runners")


def test_every_code_has_its_words() -> None:
    words = section("answer")["summary"]
    assert set(words["action"]) == {piece.code for piece in advice()}
    assert set(words["test"]) == set(screening_tests())
    assert {name for _, name in COMPARED} < set(words["compared"])


def scored(found: Answer) -> dict[str, Risk]:
    knees = {knee: getattr(found.risk, knee) for knee in (*SHOWN, "either")}
    return {knee: risk for knee, risk in knees.items() if risk is not None}


@given(screening=screenings())
@settings(max_examples=60)
def test_it_agrees_with_the_rest_of_the_answer(released: Bundle, screening: Screening) -> None:
    found = answer(released, screening)
    assert len(found.summary) == 2
    assert all(sentence.endswith(".") and sentence[0].isupper() for sentence in found.summary)
    first, second = found.summary
    assert not FORBIDDEN.search(f"{first} {second}")
    if found.risk.status == "refer":
        assert found.red_flags[0].when in first
        assert not re.search(r"\d", first.replace(found.red_flags[0].reason, "") + second)
        return
    for side in SHOWN:
        assert side in scored(found) or side in hurting_sides(found)
    if any(reason.code == "low_information" for reason in found.risk.reasons):
        assert not re.search(r"\d| times|usual", f"{first} {second}")
    counts = {int(n) for n in re.findall(r"about (\d+)(?: in 100| in the left)", first)}
    assert counts <= {risk.per_100 for knee, risk in scored(found).items()}
    actions = [variant("answer.summary.action", piece.code) for piece in found.advice]
    assert any(action in second for action in actions)
    driver = re.match(
        r"Of what can change, this adds most(?: in the \w+ knee)?: "
        r"(.+?)(?: \([^()]+\))?(?:, though .+)?; next",
        second,
    )
    if driver:
        assert driver[1] in {
            in_sentence(d.heading) for d in found.drivers if d.modifiable and d.points >= 1
        }
    test = worthwhile_test(found)
    named = [code for code in screening_tests() if variant("answer.summary.test", code) in second]
    if named:
        assert test is not None
        assert test == found.next_tests[0]
        assert test.test in named


@given(screening=screenings())
@settings(max_examples=30)
def test_swapping_the_legs_swaps_the_first_sentence(released: Bundle, screening: Screening) -> None:
    one, other = answer(released, screening), answer(released, screening.swapped())
    swapped = {"left": "right", "right": "left"}
    mirrored = re.sub(r"\b(left|right)\b", lambda m: swapped[m[0]], one.summary[0])
    if "right knee" in one.summary[0] and "left knee" in one.summary[0]:
        assert "right knee" in other.summary[0]
        return
    assert other.summary[0] == mirrored


def test_measures_are_named_in_the_words_of_the_schema(runner: Answer) -> None:
    headings = {in_sentence(d.heading) for d in runner.drivers if d.modifiable}
    start = "Of what can change, this adds most: "
    assert any(f"{start}{heading}" in runner.summary[1] for heading in headings)
    assert text("answer.summary.until_then") not in runner.summary
