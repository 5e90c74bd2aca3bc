"""The five imbalances: named on two readings that agree, never on one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bodies import TEXTBOOK, body, leg, textbook, typical_leg, value_at
from hypothesis import given
from hypothesis import strategies as st
from strategies import screenings

from kneerisk.answer.imbalances import imbalances_of, leg_verdicts
from kneerisk.answer.inputs_and_norms import norm_of
from kneerisk.answer.pattern_schema import Imbalance, PatternRow
from kneerisk.answer.predictions import Predictions, predictions_of
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evidence import assumption, imbalances
from kneerisk.evidence.imbalance_patterns import marks
from kneerisk.model import Bundle
from kneerisk.schema import Screening, coded, quantity
from kneerisk.schema.detectable_change import error_sd
from kneerisk.schema.z_scores import location_and_scale, true_share
from kneerisk.training.fitting.fit_inputs import inputs_of

Ask = Callable[..., list[Imbalance]]
NAMED = {"clear", "possible"}
MARKED = [(name, measure) for name, signs in marks().items() for measure in signs]


@pytest.fixture
def ask(released: Bundle) -> Ask:
    """The imbalances of a body."""

    def asked(body: dict[str, Any]) -> list[Imbalance]:
        found = imbalances_of(predictions_of(released, [Screening.model_validate(body)]), 0)
        assert found is not None
        return found

    return asked


def one_of(found: list[Imbalance], name: str, side: str = "right") -> Imbalance:
    [one] = [one for one in found if (one.name, one.side) == (name, side)]
    return one


def verdicts(found: list[Imbalance]) -> dict[str, str]:
    told = leg_verdicts(found)
    assert told is not None
    assert [one.side for one in told] == ["right", "left"]
    return {one.side: one.name for one in told}


def messages(found: list[Imbalance]) -> dict[str, str]:
    return {one.side: one.message for one in leg_verdicts(found) or []}


# Textbook cases


@pytest.mark.parametrize("name", TEXTBOOK)
def test_a_textbook_case_is_named(ask: Ask, name: str) -> None:
    found = ask(textbook(name))
    one = one_of(found, name)
    assert one.status == "clear"
    assert {row.measure for row in one.pattern if row.speaks == "for"} == set(TEXTBOOK[name])
    assert verdicts(found) == {"right": name, "left": "indeterminate"}
    assert imbalances()[one.name].phrase in messages(found)["right"]
    assert one_of(found, name, "left").status not in NAMED


@pytest.mark.parametrize(
    ("name", "measure"), [(name, measure) for name, case in TEXTBOOK.items() for measure in case]
)
@pytest.mark.parametrize("others", ["not measured", "typical"])
def test_one_reading_alone_is_not_named(ask: Ask, name: str, measure: str, others: str) -> None:
    extreme = leg(**{measure: 2.0 * TEXTBOOK[name][measure]})
    rest = {} if others == "not measured" else typical_leg()
    found = ask(body({**rest, **extreme}, {**rest, **leg(**{measure: 0.0})}))
    assert not [one for one in found if one.status in NAMED]
    assert verdicts(found)["right"] in {"indeterminate", "none"}


def test_a_likely_pattern_on_one_reading_says_why_it_is_not_named(ask: Ask) -> None:
    found = ask(body(leg(wblt_dorsiflexion_deg=-3.0), leg(wblt_dorsiflexion_deg=0.0)))
    one = one_of(found, "calf_tightness")
    assert one.probability > 2.0 * assumption("imbalance_possible_probability")
    assert one.status == "cannot_tell"
    assert one.named_again is None
    assert one.wording.startswith("Fewer than two measurements point to tight calves")
    assert "neither named nor ruled out" in messages(found)["right"]


def test_a_ratio_and_its_parts_count_once(ask: Ask) -> None:
    weak = {"hip_adduction_torque_nm_kg": 1.7, "hip_abduction_torque_nm_kg": 2.6}
    normal = {"hip_adduction_torque_nm_kg": 2.8, "hip_abduction_torque_nm_kg": 2.6}
    one = one_of(ask(body(weak, normal)), "adductor_underactivity")
    assert one.probability > assumption("imbalance_possible_probability")
    assert one.status == "cannot_tell"


@pytest.mark.parametrize(("mode", "named"), [("isokinetic_60", False), ("isometric", True)])
def test_a_ratio_confirms_strength_from_another_test_only(ask: Ask, mode: str, named: bool) -> None:
    weak = {"quad_torque_nm_kg": 1.7, "hamstring_quad_ratio": 0.95}
    normal = {"quad_torque_nm_kg": 2.9, "hamstring_quad_ratio": 0.6}
    found = ask(body(weak, normal) | {"protocol": {"torque_mode": mode}})
    one = one_of(found, "hamstring_dominance")
    assert [row.speaks for row in one.pattern] == ["for", "for"]
    assert (one.status in NAMED) == named


def test_the_lunge_in_two_units_is_one_reading(ask: Ask) -> None:
    tight = leg(wblt_dorsiflexion_deg=-3.0, wblt_distance_cm=-3.0)
    one = one_of(ask(body(tight)), "calf_tightness")
    assert [row.speaks for row in one.pattern] == ["for", "for"]
    assert one.status == "cannot_tell"


def test_a_typical_symmetric_athlete_has_none(ask: Ask) -> None:
    found = ask(body(typical_leg(), typical_leg()))
    assert {one.status for one in found} == {"not_supported"}
    assert verdicts(found) == {"right": "none", "left": "none"}
    assert messages(found)["left"] == "Nothing measured on the left leg points to an imbalance."


def test_three_tests_alone_are_indeterminate(ask: Ask) -> None:
    three = leg(wblt_dorsiflexion_deg=0.0, hip_drop_deg=0.0, hip_abduction_pct_bw=0.0)
    found = ask(body(three, three))
    assert verdicts(found) == {"right": "indeterminate", "left": "indeterminate"}
    assert one_of(found, "glute_underactivity").status == "not_supported"
    assert one_of(found, "vmo_inhibition").status == "cannot_tell"
    assert messages(found)["right"] == (
        "On the right leg, no pattern can be named or ruled out yet. What would tell: "
        "quadriceps strength, quadriceps lag, heel rise in the squat and hip adduction torque."
    )


def test_readings_that_say_little_leave_it_open(ask: Ask) -> None:
    faint = leg(navicular_drop_mm=0.0, foot_progression_deg=0.0)
    one = one_of(ask(body(faint, faint)), "calf_tightness")
    assert len(one.pattern) == 2
    assert one.status == "cannot_tell"
    firm = leg(wblt_dorsiflexion_deg=0.0, foot_progression_deg=0.0)
    assert one_of(ask(body(firm, firm)), "calf_tightness").status == "not_supported"


def test_nothing_measured_is_not_called_healthy(ask: Ask) -> None:
    found = ask(body())
    assert {one.status for one in found} == {"cannot_tell"}
    assert not any(one.pattern for one in found)
    assert set(verdicts(found).values()) == {"indeterminate"}


def test_a_split_names_both(ask: Ask) -> None:
    found = ask(textbook("calf_tightness"))
    calf, glute = one_of(found, "calf_tightness"), one_of(found, "glute_underactivity")
    other = found[5:]
    near = replace(glute, status="possible", probability=calf.probability - 0.09)
    assert verdicts([calf, near, *other])["right"] == "indeterminate"
    assert "tight calves and under-active glutes" in messages([calf, near, *other])["right"]
    far = replace(near, probability=calf.probability - 0.11)
    assert verdicts([calf, far, *other])["right"] == "calf_tightness"
    unnamed = replace(near, status="cannot_tell")
    assert verdicts([calf, unnamed, *other])["right"] == "calf_tightness"


# What speaks for and against


@pytest.mark.parametrize(("name", "measure"), MARKED)
def test_a_value_speaks_in_the_direction_of_its_sign(ask: Ask, name: str, measure: str) -> None:
    sign = marks()[name][measure]
    for size, speaks in ((3.5, "for"), (-3.5, "against"), (0.0, "neither")):
        value = value_at(measure, sign * size)
        [row] = one_of(ask(body({measure: value})), name).pattern
        at_its_limit = quantity(measure).whole and size < 0.0
        assert row.speaks == ("neither" if at_its_limit else speaks)
        assert row.side_difference is None
        assert row.side_difference_beyond_error is None
        assert row.value == value
        if not at_its_limit and size:
            assert np.sign(row.z) == np.sign(sign * size)


@pytest.mark.parametrize(("name", "measure"), MARKED)
def test_a_value_speaks_from_its_error_on(ask: Ask, name: str, measure: str) -> None:
    if quantity(measure).whole:
        return
    sign = marks()[name][measure]
    data = coded([Screening.model_validate(body())])
    _, scale = location_and_scale(measure, data)
    limit = float(1.96 * error_sd(measure, data)[0] / scale[0])
    for size, speaks in ((0.99, "neither"), (1.01, "for"), (-0.99, "neither"), (-1.01, "against")):
        value = value_at(measure, sign * size * limit)
        [row] = one_of(ask(body({measure: value})), name).pattern
        assert row.speaks == speaks
        # People read z-scores in SDs of readings, which hold the error too.
        assert row.z == pytest.approx(sign * size * limit * true_share(measure) ** 0.5)


def test_the_marks_point_where_the_literature_has_them() -> None:
    """A weak muscle, a short one, a late one and a dropping pelvis are what the names say."""
    signs = {
        (name, measure): sign for name, found in marks().items() for measure, sign in found.items()
    }
    assert {pair for pair, sign in signs.items() if sign < 0} >= {
        ("hamstring_dominance", "quad_torque_nm_kg"), ("hamstring_dominance", "slr_deg"),
        ("vmo_inhibition", "vmo_vl_ratio"), ("calf_tightness", "wblt_dorsiflexion_deg"),
        ("calf_tightness", "wblt_distance_cm"), ("adductor_underactivity", "adductor_squeeze_n_kg"),
        ("adductor_underactivity", "adduction_abduction_ratio"),
        ("glute_underactivity", "hip_abduction_pct_bw"),
        ("glute_underactivity", "ober_adduction_deg"),
    }  # fmt: skip
    assert {pair for pair, sign in signs.items() if sign > 0} >= {
        ("hamstring_dominance", "hamstring_quad_ratio"), ("hamstring_dominance", "ake_deficit_deg"),
        ("vmo_inhibition", "vmo_delay_ms"), ("vmo_inhibition", "quad_lag_grade"),
        ("calf_tightness", "squat_heel_rise_grade"), ("calf_tightness", "foot_progression_deg"),
        ("glute_underactivity", "hip_drop_deg"), ("glute_underactivity", "fppa_deg"),
        ("glute_underactivity", "adduction_abduction_ratio"),
    }  # fmt: skip


def test_a_side_difference_speaks_beyond_the_detectable_one_only(ask: Ask) -> None:
    for difference, speaks in ((-5.0, "for"), (-4.0, "neither"), (5.0, "neither")):
        right, left = 40.0 + difference / 2, 40.0 - difference / 2
        found = ask(body({"wblt_dorsiflexion_deg": right}, {"wblt_dorsiflexion_deg": left}))
        [row] = one_of(found, "calf_tightness").pattern
        assert row.speaks == speaks
        assert row.side_difference == pytest.approx(difference)
        assert row.side_difference_beyond_error == (abs(difference) > 4.65)
        [other] = one_of(found, "calf_tightness", "left").pattern
        assert other.side_difference == pytest.approx(-difference)


def test_what_is_usual_at_an_age_does_not_speak(ask: Ask) -> None:
    weak = {"quad_torque_nm_kg": 2.35}
    young = one_of(ask(body(weak)), "hamstring_dominance").pattern[0]
    old = one_of(ask(body(weak, athlete={"age_years": 65})), "hamstring_dominance").pattern[0]
    assert (young.speaks, old.speaks) == ("for", "neither")
    assert young.z == old.z < -1.0
    assert young.usual is None
    assert old.usual is not None
    assert old.usual < old.typical.mean


def test_a_row_says_where_its_numbers_come_from(ask: Ask) -> None:
    found = ask(body(leg(quad_torque_nm_kg=-1.0)))
    [row] = one_of(found, "hamstring_dominance").pattern
    assert (row.typical.mean, row.typical.sd) == (3.19, 0.67)
    assert "PMC8554160" in row.typical.source
    assert row.unit == "Nm/kg"
    assert row.z == pytest.approx(-(true_share("quad_torque_nm_kg") ** 0.5))
    assert row.error == pytest.approx(1.96 * 0.13 / 2.795 * row.value, rel=0.05)


@given(screening=screenings())
def test_whatever_speaks_is_beyond_error(released: Bundle, screening: Screening) -> None:
    predictions = predictions_of(released, [screening])
    found = imbalances_of(predictions, 0)
    assert found is not None
    for one in found:
        order = [("for", "against", "neither").index(row.speaks) for row in one.pattern]
        assert order == sorted(order)
        for row in one.pattern:
            sign = marks()[one.name][row.measure]
            towards = sign * row.z > 1.96 * _error_in_sd(predictions, row.measure)
            away = -sign * row.z > 1.96 * _error_in_sd(predictions, row.measure)
            lopsided = row.side_difference_beyond_error and sign * (row.side_difference or 0) > 0
            if row.speaks == "for":
                assert towards or lopsided
            if row.speaks == "against":
                assert away
                assert not lopsided


def _error_in_sd(predictions: Predictions, measure: str) -> float:
    """The error of a reading in SDs of readings, as people read z-scores."""
    norm = norm_of(measure, predictions.rows[0])
    return norm.error_sd / norm.scale


# One reading of both legs

SQUEEZE = "adductor_squeeze_n_kg"


def squeezes(found: list[Imbalance]) -> list[tuple[float, list[PatternRow]]]:
    """Probability and rows of under-active adductors, right leg first."""
    both = [one_of(found, "adductor_underactivity", side) for side in ("right", "left")]
    return [(one.probability, [r for r in one.pattern if r.measure == SQUEEZE]) for one in both]


def test_a_squeeze_says_the_same_of_both_legs_wherever_it_was_written(ask: Ask) -> None:
    weak = {SQUEEZE: value_at(SQUEEZE, -3.0)}
    right, left, both = (squeezes(ask(body(*legs))) for legs in (
        (weak, {}), ({}, weak), (weak, weak)))  # fmt: skip
    for (probability, rows), *others in zip(right, left, both, strict=True):
        assert probability == pytest.approx(right[0][0], abs=1e-9)
        [row] = rows
        assert row.speaks == "for"
        assert row.side_difference is None
        for other_probability, other_rows in others:
            assert other_probability == pytest.approx(probability, abs=1e-9)
            assert [one.value for one in other_rows] == [pytest.approx(row.value)]


def test_two_squeezes_count_as_their_mean_and_are_not_compared(ask: Ask) -> None:
    weak, strong = {SQUEEZE: 2.5}, {SQUEEZE: 4.9}
    mean = {SQUEEZE: (2.5 * 4.9) ** 0.5}
    differing, equal = (squeezes(ask(body(*legs))) for legs in ((weak, strong), (mean, mean)))
    for (probability, [row]), (expected, [wanted]) in zip(differing, equal, strict=True):
        assert probability == pytest.approx(expected, abs=1e-9)
        assert row.value == pytest.approx(wanted.value)
        assert row.side_difference is None
        assert row.side_difference_beyond_error is None


@given(z=st.floats(-6.0, 6.0))
def test_a_squeeze_alone_names_nothing(released: Bundle, z: float) -> None:
    screening = Screening.model_validate(body({SQUEEZE: value_at(SQUEEZE, z)}))
    found = imbalances_of(predictions_of(released, [screening]), 0)
    assert not [one for one in found or [] if one.status in NAMED]


@pytest.mark.parametrize("written", ["right", "left", "both"])
def test_a_squeeze_confirms_the_weaker_leg_only(ask: Ask, written: str) -> None:
    squeeze = leg(**{SQUEEZE: -3.0})
    right = leg(hip_adduction_torque_nm_kg=-3.0) | (squeeze if written != "left" else {})
    left = leg(hip_adduction_torque_nm_kg=0.0) | (squeeze if written != "right" else {})
    found = ask(body(right, left))
    assert one_of(found, "adductor_underactivity").status in NAMED
    assert one_of(found, "adductor_underactivity", "left").status not in NAMED


# Probability and interval


@given(screening=screenings())
def test_each_leg_has_the_five_ranked_inside_their_intervals(
    released: Bundle, screening: Screening
) -> None:
    found = imbalances_of(predictions_of(released, [screening]), 0)
    assert found is not None
    assert [one.side for one in found] == ["right"] * 5 + ["left"] * 5
    for part in (found[:5], found[5:]):
        assert {one.name for one in part} == set(imbalances())
        chances = [one.probability for one in part]
        assert chances == sorted(chances, reverse=True)
        for one in part:
            low, high = one.interval
            assert 0.0 <= low <= one.probability <= high <= 1.0
            if one.status in NAMED:
                assert sum(row.speaks == "for" for row in one.pattern) >= 2
                assert one.probability >= assumption("imbalance_possible_probability")


@given(screening=screenings())
def test_exchanging_the_legs_exchanges_everything(released: Bundle, screening: Screening) -> None:
    pair = predictions_of(released, [screening, screening.swapped()])
    other = {"left": "right", "right": "left"}
    as_it_is, swapped = imbalances_of(pair, 0), imbalances_of(pair, 1)
    assert as_it_is is not None
    assert swapped is not None
    turned = [replace(one, side=other[one.side]) for one in swapped]
    assert turned[5:] + turned[:5] == as_it_is
    assert [one.name for one in leg_verdicts(swapped) or []] == [
        one.name for one in reversed(leg_verdicts(as_it_is) or [])
    ]


def test_a_screening_is_told_the_same_in_a_team(released: Bundle) -> None:
    team = [Screening.model_validate(textbook(name)) for name in TEXTBOOK]
    together = predictions_of(released, team)
    for i, screening in enumerate(team):
        assert imbalances_of(together, i) == imbalances_of(predictions_of(released, [screening]), 0)


def test_the_interval_covers_the_true_probability(released: Bundle) -> None:
    """Known exactly, the truth lies inside in nine legs of ten, whatever was measured."""
    cohort = simulate(4_000, 31)
    model = released.model
    assert model.imbalance is not None
    legs = inputs_of(cohort.cohort, cohort.truth, model.population).legs
    names = model.imbalance.names
    low, high = model.imbalance.intervals(legs, model.imbalance.probabilities(legs))
    sides = [cohort.truth[[f"{s}_{name}" for name in names]].to_numpy() for s in ("left", "right")]
    true = np.stack(sides, axis=1)
    covered = (low <= true) & (true <= high)
    assert 0.88 <= covered.mean() <= 0.92
    assert np.all(np.abs(covered.mean(axis=(0, 1)) - 0.90) <= 0.03)
    battery = cohort.truth["battery"].to_numpy()
    widths = {}
    for name in np.unique(battery):
        assert 0.85 <= covered[battery == name].mean() <= 0.95, name
        widths[name] = float((high - low)[battery == name].mean())
    assert min(widths, key=lambda name: widths[name]) == "full_lab"
    assert widths["full_lab"] < 0.7 * widths["isokinetic_ratio"]


def test_an_interval_is_narrow_where_the_answer_is_sure(ask: Ask) -> None:
    found = ask(textbook("adductor_underactivity"))
    sure = one_of(found, "adductor_underactivity")
    assert sure.probability > 0.9
    assert sure.interval[0] > 0.5
    typical = body(leg(**dict.fromkeys(TEXTBOOK["adductor_underactivity"], 0.0)))
    healthy = one_of(ask(typical), "adductor_underactivity")
    assert healthy.probability < 0.1
    assert healthy.interval[1] < 0.5


# What may be said


def test_a_model_without_imbalances_tells_none(released: Bundle) -> None:
    blind = replace(released, model=replace(released.model, imbalance=None))
    predictions = predictions_of(blind, [Screening.model_validate(textbook("calf_tightness"))])
    assert imbalances_of(predictions, 0) is None
    assert leg_verdicts(None) is None


@pytest.mark.parametrize(
    ("name", "site", "sport", "grade"),
    [
        ("glute_underactivity", "lateral", "running", "moderate"),
        ("glute_underactivity", "lateral", "weightlifting", "low"),
        ("glute_underactivity", "anterior", "running", "low"),
        ("calf_tightness", "anterior", "volleyball", "moderate"),
        ("calf_tightness", "anterior", "running", "low"),
        ("hamstring_dominance", "anterior", "running", "moderate"),
    ],
)
def test_the_grade_depends_on_site_and_sport(
    ask: Ask, name: str, site: str, sport: str, grade: str
) -> None:
    pain = {"right": {"pain_nrs": 4, "pain_site": site}}
    found = ask(textbook(name, pain=pain, athlete={"sport": sport}))
    assert one_of(found, name).evidence_grade == grade


@pytest.mark.parametrize("name", TEXTBOOK)
def test_words_promise_no_more_than_a_pattern(ask: Ask, name: str) -> None:
    found = ask(textbook(name))
    texts = [one.wording for one in found] + list(messages(found).values())
    for text in texts:
        for word in ("diagnos", "caused by", "causes", "switched off", "glutes off"):
            assert word not in text.lower()
        assert text.endswith(".")
    assert "consistent with" in one_of(found, name).wording


def test_every_mark_has_a_norm_and_an_error() -> None:
    for _, measure in MARKED:
        found = quantity(measure)
        assert found.norms
        assert found.error
