"""The simulator keeps what it says: published effects, nulls as nulls, error, gaps, the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from kneerisk.cohort import files
from kneerisk.cohort.simulation import simulated_cohort
from kneerisk.cohort.simulation.athletes import draw_athletes
from kneerisk.cohort.simulation.observation import batteries
from kneerisk.cohort.simulation.simulated_cohort import Simulated, simulate
from kneerisk.cohort.simulation.true_risks import draw_effects, true_risk
from kneerisk.evidence import effects, imbalances, sport_base_rates
from kneerisk.evidence.population import published
from kneerisk.evidence.risk_factors import risk_factors
from kneerisk.schema import SIDES, columns, contradictions


@pytest.fixture(scope="module")
def large() -> Simulated:
    return simulate(20_000, 3)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.parquet", "two.parquet", "one.csv", "two.csv"):
        files.write(simulate(300, 7).cohort, tmp_path / name)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    files.write(simulate(300, 8).cohort, tmp_path / "other.csv")
    assert (tmp_path / "one.csv").read_bytes() != (tmp_path / "other.csv").read_bytes()


def test_blocks_of_athletes_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first block is the cohort that it would be alone; later ones are other people."""
    monkeypatch.setattr(simulated_cohort, "BLOCK", 100)
    alone, many = simulate(100, 7), simulate(250, 7)
    for table in (many.cohort.frame, many.truth):
        assert table["athlete_id"].tolist() == [f"sim-7-{number:06d}" for number in range(250)]
    assert many.truth.head(100).equals(alone.truth)
    first = many.cohort.frame.head(100)
    assert first[alone.cohort.frame.columns].equals(alone.cohort.frame)
    risks = many.truth["risk_either"].dropna()
    assert risks.is_unique


def test_a_simulated_cohort_is_a_sound_cohort_file(tmp_path: Path, simulated: Simulated) -> None:
    files.write(simulated.cohort, tmp_path / "cohort.csv")
    assert files.read(tmp_path / "cohort.csv") == simulated.cohort
    rows = simulated.cohort.frame.head(300).to_dict("records")
    plain = [{k: v for k, v in row.items() if v is not None and v == v} for row in rows]
    assert [list(contradictions(row)) for row in plain] == [[]] * len(plain)


def test_every_sport_has_its_published_base_rate(large: Simulated) -> None:
    by_sport = large.truth["risk_either"].groupby(large.cohort.frame["sport"])
    risk, error = by_sport.mean(), by_sport.sem()
    for sport, rate in sport_base_rates().items():
        assert rate.low < risk[sport] < rate.high
        # The intercept comes from as many athletes, so that its error comes on top.
        assert risk[sport] == pytest.approx(rate.central, abs=4 * error[sport])


def test_outcomes_happen_as_often_as_the_true_risk_says(large: Simulated) -> None:
    for side in ("left", "right"):
        outcome, risk = large.cohort.frame[f"outcome_{side}"], large.truth[f"risk_{side}"]
        assert outcome.isna().equals(risk.isna())
        error = np.sqrt((risk * (1 - risk)).sum()) / risk.notna().sum()
        assert abs(outcome.mean() - risk.mean()) < 4 * error
    both = large.cohort.frame[["outcome_left", "outcome_right"]].max(axis=1, skipna=False)
    assert both.mean() == pytest.approx(large.truth["risk_either"].mean(), abs=0.01)


def test_a_knee_that_hurts_has_no_risk_of_new_pain(large: Simulated) -> None:
    for side in SIDES:
        hurts = large.cohort.frame[f"{side}_pain_nrs"] > 0
        assert 0.05 < hurts.mean() < 0.2
        assert large.truth[f"risk_{side}"].isna().equals(hurts)


def test_the_truth_predicts_no_better_than_the_field_allows(large: Simulated) -> None:
    known = large.truth[large.truth["risk_left"].notna()]
    risk = logit(known["risk_left"]) - known["definition_shift"]
    auc = roc_auc_score(large.cohort.frame["outcome_left"][known.index], risk)
    # Two SE of an AUC here are 0.015; effect sizes are drawn by athlete, which nobody can know.
    # What counts as pain differs between clubs, not within one.
    assert 0.66 < auc < 0.76


class TestEffects:
    @pytest.fixture(scope="class")
    @classmethod
    def drawn(cls):
        rng = np.random.default_rng(5)
        athletes = draw_athletes(published(), 20_000, rng)
        found = draw_effects(athletes, rng)
        return athletes, found, true_risk(athletes, found)

    def test_sizes_are_drawn_within_their_published_ranges(self, drawn) -> None:
        for i, effect in enumerate(risk_factors()):
            sizes = drawn[1].log_odds[:, i]
            assert sizes.min() >= effect.low
            assert sizes.max() <= effect.high
            middle = (effect.low + effect.central + effect.high) / 3
            assert sizes.mean() == pytest.approx(middle, abs=0.02)

    @pytest.mark.parametrize(
        ("measure", "sign"),
        [("quad_torque_nm_kg", -1), ("hip_drop_deg", 1), ("vmo_delay_ms", 1)],
    )
    def test_a_supported_effect_shows_in_the_true_risk(self, drawn, measure, sign) -> None:
        athletes, _, truth = drawn
        slope = np.polyfit(athletes.z("left", measure), logit(truth.left), 1)[0]
        assert sign * slope > 0.1

    def test_pain_in_movement_is_a_risk_of_its_own_knee(self, drawn) -> None:
        athletes, _, truth = drawn
        data, log_odds = athletes.data, logit(truth.left)
        own, other = (data[f"{side}_pain_on_squat_jump"] == 1 for side in SIDES)
        assert 0.3 < log_odds[own].mean() - log_odds[~own].mean() < 0.65
        assert abs(log_odds[other].mean() - log_odds[~other].mean()) < 0.1

    def test_pain_in_movement_is_common_and_goes_with_pain_now(self, drawn) -> None:
        data = drawn[0].data
        provoked, hurts = data["left_pain_on_squat_jump"] == 1, data["left_pain_nrs"] > 0
        injured = data["left_prior_knee_injury"] > 0
        assert provoked[hurts].all()
        assert provoked[~hurts].mean() == pytest.approx(0.1, abs=0.01)
        # Independent of earlier injuries: the published effect is adjusted for them.
        assert provoked[~hurts & injured].mean() == pytest.approx(0.1, abs=0.02)

    def test_a_null_effect_has_none(self, drawn) -> None:
        """A null is no factor: what is left of it is what it shares with others."""
        factors = {effect.factor for effect in risk_factors()}
        nulls = {name for name, effect in effects().items() if effect.status == "null"}
        assert {"hamstring_quad_ratio", "hip_abduction_strength", "sitting"} <= nulls
        assert not nulls & factors
        athletes, _, truth = drawn
        slope = np.polyfit(athletes.z("left", "sitting_hours_per_day"), logit(truth.left), 1)[0]
        assert abs(slope) < 0.03


def test_pain_lowers_strength_and_not_mobility(large: Simulated) -> None:
    frame = large.cohort.frame
    hurts = frame["left_pain_nrs"] > 0

    def gap(column: str) -> float:
        return (frame[column][hurts].mean() - frame[column][~hurts].mean()) / frame[column].std()

    assert gap("left_hip_abduction_pct_bw") < -0.2
    assert abs(gap("left_wblt_dorsiflexion_deg")) < 0.08


def test_both_legs_have_one_squeeze(large: Simulated) -> None:
    frame = large.cohort.frame
    left, right = (frame[f"{side}_adductor_squeeze_n_kg"] for side in SIDES)
    assert left.notna().any()
    assert left.equals(right.rename(left.name))


def test_whole_tests_are_missing_together(large: Simulated) -> None:
    frame = large.cohort.frame
    torque = frame[[f"{s}_{m}_torque_nm_kg" for s in SIDES for m in ("quad", "hamstring")]]
    assert torque.isna().all(axis=1).equals(torque.isna().any(axis=1))
    assert set(large.truth["battery"]) == {row.battery for row in batteries()}
    tape = large.truth["battery"] == "tape_and_phone"
    assert frame.loc[tape, "left_quad_torque_nm_kg"].isna().all()
    assert frame.loc[tape, "left_wblt_dorsiflexion_deg"].notna().mean() > 0.9


def test_imbalances_are_as_common_as_assumed_and_alike_on_both_legs(large: Simulated) -> None:
    for name, facts in imbalances().items():
        left, right = large.truth[f"left_{name}"], large.truth[f"right_{name}"]
        assert left.mean() == pytest.approx(facts.prevalence_central, abs=0.01)
        assert 0.3 < np.corrcoef(left, right)[0, 1] < 0.7


def test_measures_have_the_norms_of_the_schema(large: Simulated) -> None:
    frame = large.cohort.frame
    young = (frame["age_years"] < 40) & (frame["left_pain_nrs"] == 0) & (frame["sex"] == "male")
    for name in ("ober_adduction_deg", "wblt_dorsiflexion_deg", "ake_deficit_deg"):
        norm = columns()[f"left_{name}"].norms[0].male
        values = frame.loc[young, f"left_{name}"]
        assert values.mean() == pytest.approx(norm[0], abs=0.3)
        # The norm's SD is one of readings: the error is in it already.
        assert values.std() == pytest.approx(norm[1], rel=0.05)
