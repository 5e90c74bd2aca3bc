"""Adapting a champion to a club: what moves with how many outcomes, and what it is worth."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from typer.testing import CliRunner

from benchmarks.club_updating import UpdatingStudy, as_markdown
from benchmarks.learning_curve import PairedDifference
from benchmarks.simulated_clubs import AthletePool, ClubEffects, ClubVariation
from kneerisk.answer import answer
from kneerisk.cohort import Cohort
from kneerisk.cohort.files import write
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.cohort.splits import train_test_split
from kneerisk.errors import CohortRefused
from kneerisk.evidence import assumption
from kneerisk.evidence.pair_dependence import either, either_slopes
from kneerisk.model import Bundle, bundle
from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.schema import read_screening
from kneerisk.training.leakage.leakage_checks import refuse_other_outcome
from kneerisk.training.registry.update_record import updated_metadata
from kneerisk.training.tracking import CHALLENGER, Tracking
from kneerisk.training.updating.club_likelihood import Club, club_of
from kneerisk.training.updating.correction_fit import fit_intercept, fit_ridge, fit_slope, fit_trees
from kneerisk.training.updating.corrections import Correction, corrected, shortened
from kneerisk.training.updating.model_updating import (
    events_needed,
    refuse_club,
    update_for_club,
    update_model,
)
from pipelines.__main__ import app

BODY = {
    "athlete": {"age_years": 27, "sex": "female", "sport": "running"},
    "left": {"hip_drop_deg": 8, "wblt_distance_cm": 7},
    "right": {"hip_drop_deg": 4},
}
#: How clubs of the small benchmark differ: base rates by a factor of two either way.
DIFFERENT = ClubVariation("different", 0.7, 0.9, 0.3, 0.15)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Athletes of a club with outcomes."""
    return replace(simulate(2_500, 21).cohort, kind="observed", source="a made-up club")


@pytest.fixture(scope="module")
def club(released: Bundle, cohort: Cohort) -> Club:
    """The same as the champion reads it."""
    return club_of(released.model, cohort)


def with_events(club: Club, events: int) -> Club:
    """The first screenings of a club, up to so many outcomes."""
    so_far = np.nansum(club.outcome, axis=1).cumsum()
    return club.take(np.arange(len(so_far)) < int(np.searchsorted(so_far, events)) + 1)


def unsided(cohort: Cohort) -> Cohort:
    """The cohort as a club without sides records it."""
    frame = cohort.frame.drop(columns=["outcome_left", "outcome_right"])
    return replace(cohort, frame=frame.assign(outcome_either=cohort.outcomes().either))


class TestHowMuch:
    def test_without_an_outcome_the_champion_is_kept(self, released: Bundle, club: Club) -> None:
        quiet = club.take(np.nansum(club.outcome, axis=1) == 0).take(np.arange(40))
        adapted = update_for_club(released.model, quiet)
        assert adapted.step == "as_is"
        assert adapted.model is released.model
        for step in ("intercept", "slope", "ridge"):
            assert str(events_needed()[step]) in adapted.needs

    def test_below_15_outcomes_only_the_intercept_moves(self, released: Bundle, club: Club) -> None:
        few = with_events(club, 14)
        adapted = update_for_club(released.model, few)
        assert (few.events, adapted.step) == (14, "intercept")
        moved = adapted.model.log_odds(club.legs) - club.log_odds
        assert np.ptp(moved) < 1e-9
        assert abs(moved.mean()) > 1e-3
        assert "it takes 15 " in adapted.needs

    def test_up_to_100_outcomes_the_slope_moves_too(self, released: Bundle, club: Club) -> None:
        some = with_events(club, 60)
        adapted = update_for_club(released.model, some)
        assert adapted.step == "slope"
        line = np.polyfit(club.log_odds.ravel(), adapted.model.log_odds(club.legs).ravel(), 1)
        fitted = np.polyval(line, club.log_odds.ravel())
        assert np.allclose(fitted, adapted.model.log_odds(club.legs).ravel(), atol=1e-9)
        assert line[0] == pytest.approx(adapted.correction.slope)
        assert "100 to correct the effects" in adapted.needs

    def test_the_fewer_sort_counts(self, released: Bundle, club: Club) -> None:
        few = with_events(club, 14)
        turned = replace(few, outcome=1.0 - few.outcome)
        assert update_for_club(released.model, turned).step == "intercept"

    def test_of_many_outcomes_everything_is_tried(self, released: Bundle, club: Club) -> None:
        many = with_events(club, 150)
        adapted = update_for_club(released.model, many)
        assert {"adapted_ridge_gain", "adapted_boosting_gain"} <= adapted.choices.keys()
        assert "enough to try every correction" in adapted.needs

    def test_an_effect_that_the_champion_does_not_know_is_found(
        self, released: Bundle, club: Club
    ) -> None:
        column = Column(ColumnKind.EXPECTED, "slr_deg")
        place = released.model.margin.between.columns.index(column)
        true = expit(club.log_odds - 1.2 * club.columns[:, :, place])
        drawn = np.random.default_rng(3).random(true.shape) < true
        outcome = np.where(np.isnan(club.outcome), np.nan, drawn)
        adapted = update_for_club(released.model, replace(club, outcome=outcome))
        assert adapted.step in {"ridge", "boosting"}
        assert adapted.choices["adapted_ridge_gain"] > adapted.choices["adapted_ridge_gain_error"]
        kept = np.abs(logit(true) - adapted.model.log_odds(club.legs)).mean()
        assert kept < 0.6 * np.abs(logit(true) - club.log_odds).mean()


class TestFits:
    def test_a_shift_is_shrunk_by_the_prior_alone(self, club: Club) -> None:
        """The posterior mode balances the score of the outcomes against the prior's pull."""
        few = with_events(club, 14)
        shift, scale = fit_intercept(few).shift, assumption("club_intercept_sd")
        score = -few.gradient(few.log_odds + shift).sum()
        pull = 5.0 * shift / (4.0 * scale**2 + shift**2)
        assert score == pytest.approx(pull, abs=1e-4)

    def test_a_club_far_away_is_not_held_back(self, club: Club) -> None:
        """Where ten times as many knees hurt, that is believed: a normal prior would halve it."""
        many = club.take(np.arange(60))
        outcome = (np.arange(120).reshape(60, 2) % 2).astype(float)
        found = fit_intercept(replace(many, outcome=outcome))
        chance = expit(many.log_odds + found.shift).mean()
        assert 0.45 < chance < 0.5

    def test_of_many_outcomes_the_prior_does_not_matter(self, club: Club) -> None:
        true = expit(0.9 + 0.6 * (club.log_odds + 2.5) - 2.5)
        tenfold = club.take(np.tile(np.arange(len(club.log_odds)), 10))
        outcome = (np.random.default_rng(1).random((len(tenfold.log_odds), 2)) < np.tile(
            true, (10, 1))).astype(float)  # fmt: skip
        found = fit_slope(replace(tenfold, outcome=outcome))
        assert found.slope == pytest.approx(0.6, abs=0.06)
        assert found.intercept == pytest.approx(0.9 + 0.6 * 2.5 - 2.5, abs=0.15)

    def test_a_heavy_penalty_leaves_the_slope(self, released: Bundle, club: Club) -> None:
        slope = fit_slope(club)
        ridge = fit_ridge(released.model, club, slope, 1e9)
        apart = ridge.log_odds(released.model, club) - slope.log_odds(released.model, club)
        # The intercept alone may move: that of the slope is held back by its prior.
        assert np.ptp(apart) < 1e-4
        assert np.abs(apart).max() < 0.01

    def test_directions_are_kept(self, released: Bundle, club: Club) -> None:
        """However the outcomes fall, a published factor does not turn."""
        model = released.model
        factor = Column(ColumnKind.FACTOR, "prior_injury_recent")
        place = model.margin.between.columns.index(factor)
        upside_down = expit(club.log_odds - 3.0 * club.columns[:, :, place])
        drawn = np.random.default_rng(2).random(upside_down.shape) < upside_down
        turned = replace(club, outcome=drawn.astype(float))
        found = corrected(model, fit_ridge(model, turned, fit_slope(turned), 1.0)).margin
        assert found.between_weights[place] >= -1e-9
        assert found.within_weights[found.within.columns.index(factor)] >= -1e-9

    @pytest.mark.parametrize("odds_ratio", [0.4, 1.0, 3.0])
    def test_slope_of_either_knee(self, odds_ratio: float) -> None:
        left, right, h = np.array([0.1, 0.5]), np.array([0.3, 0.2]), 1e-6
        one, other = either_slopes(left, right, odds_ratio)
        up, down = (either(left + s * h, right, odds_ratio) for s in (1, -1))
        assert one == pytest.approx((up - down) / (2 * h), abs=1e-7)
        up, down = (either(left, right + s * h, odds_ratio) for s in (1, -1))
        assert other == pytest.approx((up - down) / (2 * h), abs=1e-7)

    @pytest.mark.parametrize("sided", [True, False])
    def test_slope_of_the_loss(self, released: Bundle, cohort: Cohort, sided: bool) -> None:
        given = cohort if sided else unsided(cohort)
        some = club_of(released.model, replace(given, frame=given.frame.head(200)))
        for side in (0, 1):
            step = np.zeros_like(some.log_odds)
            step[:, side] = 1e-6
            up, down = (some.loss(some.log_odds + s * step) for s in (1, -1))
            assert some.gradient(some.log_odds)[:, side] == pytest.approx(
                (up - down) / 2e-6, abs=1e-6
            )


class TestOneModel:
    """An adapted model is a model like any other: the correction is in its own parts."""

    @pytest.fixture(scope="class")
    @classmethod
    def corrections(cls, released: Bundle, club: Club) -> dict[str, Correction]:
        slope, model = fit_slope(club), released.model
        trees = fit_trees(model, club, slope, 20)
        return {
            "slope": slope,
            "ridge": fit_ridge(model, club, slope, 100.0),
            "trees": trees,
            "fewer trees": shortened(model, trees, 10),
        }

    @pytest.mark.parametrize("name", ["slope", "ridge", "trees", "fewer trees"])
    def test_gives_the_corrected_log_odds(
        self, released: Bundle, club: Club, corrections: dict[str, Correction], name: str
    ) -> None:
        model = corrected(released.model, corrections[name])
        expected = corrections[name].log_odds(released.model, club)
        assert np.abs(model.log_odds(club.legs) - expected).max() < 1e-6
        assert np.abs(expected - club.log_odds).max() > 1e-2

    @pytest.mark.parametrize("name", ["slope", "ridge", "trees"])
    def test_what_measures_add_still_adds_up(
        self, released: Bundle, cohort: Cohort, corrections: dict[str, Correction], name: str
    ) -> None:
        model = corrected(released.model, corrections[name])
        data = {column: values[:40] for column, values in cohort.columns().items()}
        expected = model.measurement_update.expected(data)
        legs = model.features(data, expected)
        told = model.explainer.contributions(data, expected, legs)
        assert np.abs(told.base + told.values.sum(axis=2) - model.log_odds(legs)).max() < 1e-6

    def test_trees_are_the_champions_and_some_more(
        self, released: Bundle, corrections: dict[str, Correction]
    ) -> None:
        champions = released.model.boosted.booster
        before = champions.num_boosted_rounds() if champions else 0
        for name, rounds in (("trees", 20), ("fewer trees", 10)):
            booster = corrections[name].booster
            assert booster is not None
            assert booster.num_boosted_rounds() == before + rounds

    def test_the_champion_itself_is_left_alone(self, released: Bundle, club: Club) -> None:
        before = released.model.log_odds(club.legs)
        update_for_club(released.model, club.take(np.arange(800)))
        assert (released.model.log_odds(club.legs) == before).all()

    def test_the_same_club_gives_the_same_model(self, released: Bundle, cohort: Cohort) -> None:
        few = replace(cohort, frame=cohort.frame.head(300))
        one, other = (update_model(released.model, few).model for _ in range(2))
        data = cohort.columns()
        assert (one.predict(data).either == other.predict(data).either).all()

    def test_intervals_move_along_and_know_the_correction_is_uncertain(
        self, released: Bundle, club: Club
    ) -> None:
        def half_width(model) -> float:
            point = model.log_odds(club.legs)
            low, high = model.interval.bounds(club.legs, point)
            assert (low <= point).all()
            assert (point <= high).all()
            return float((high - low).mean() / 2)

        widths = [
            half_width(update_for_club(released.model, with_events(club, n)).model) for n in (5, 14)
        ]
        assert widths[0] > widths[1] > half_width(released.model)


class TestWithoutSides:
    def test_a_club_without_sides_moves_both_knees(
        self, released: Bundle, cohort: Cohort, club: Club
    ) -> None:
        adapted = update_model(released.model, unsided(cohort))
        assert adapted.step != "as_is"
        moved = adapted.model.predict(cohort.columns())
        assert moved.left is not None
        recorded = unsided(cohort).outcomes().either
        known = ~np.isnan(recorded)
        assert moved.either[known].mean() == pytest.approx(recorded[known].mean(), abs=0.01)

    def test_sides_and_no_sides_agree(self, released: Bundle, cohort: Cohort) -> None:
        some = replace(cohort, frame=cohort.frame.head(400))
        one, other = (fit_slope(club_of(released.model, c)) for c in (some, unsided(some)))
        assert one.intercept == pytest.approx(other.intercept, abs=0.6)
        assert np.sign(one.slope - 0.5) == np.sign(other.slope - 0.5)


class TestBundle:
    def test_is_saved_loaded_and_served_with_the_same_numbers(
        self, released: Bundle, cohort: Cohort, tmp_path
    ) -> None:
        few = replace(cohort, frame=cohort.frame.head(150))
        adapted = update_model(released.model, few)
        metadata = updated_metadata(released, few, adapted, version="kneerisk-new_pain-12m-v2",
                              run_id="1" * 32, git_sha=None, data_sha256="2" * 64)  # fmt: skip
        sha256 = bundle.save(adapted.model, metadata, tmp_path / "v2")
        loaded = bundle.load(tmp_path / "v2", sha256)
        data = cohort.columns()
        before, after = adapted.model.predict(data), loaded.model.predict(data)
        assert np.abs(before.either - after.either).max() < 1e-9
        told = answer(loaded, read_screening(BODY))
        assert told.model.cohort == "adapted"
        assert "adjusted to measured ones" in told.notice
        assert told.risk.left.interval[0] < told.risk.left.probability < told.risk.left.interval[1]
        assert loaded.metadata.base_version == released.metadata.version
        assert loaded.metadata.base_sha256 == released.sha256

    def test_base_rates_move_with_the_club(self, released: Bundle, club: Club, cohort) -> None:
        up = replace(cohort, frame=cohort.frame.head(300).assign(outcome_left=1.0))
        adapted = update_model(released.model, up)
        metadata = updated_metadata(released, up, adapted, version="v2", run_id="1" * 32,
                                    git_sha=None, data_sha256="2" * 64)  # fmt: skip
        for sport, rates in released.metadata.base_rates.items():
            assert metadata.base_rates[sport]["leg"] > rates["leg"] * 1.2

    def test_an_old_bundle_names_no_base(self, released: Bundle) -> None:
        assert released.metadata.base_version is None
        assert "base_version" not in released.metadata.public()


class TestRefused:
    def test_a_simulated_club_is_for_practice_on_a_simulated_version(
        self, released: Bundle
    ) -> None:
        club, people = simulate(120, 4, 2.0).cohort, simulate(120, 4).cohort
        train, test = train_test_split(club)
        refuse_club(released, club, train, test, "0" * 63 + "1")
        of_people = replace(released, metadata=replace(released.metadata, cohort="adapted"))
        for base, cohort in ((of_people, club), (released, people)):
            with pytest.raises(CohortRefused, match="to measured athletes"):
                refuse_club(base, cohort, train, test, "0" * 63 + "1")

    def test_another_outcome(self, released: Bundle, cohort: Cohort) -> None:
        past = replace(cohort, outcome_kind="past_injury", horizon_months=None)
        with pytest.raises(
            CohortRefused, match=r"predicts new pain within .* cohort is past injury"
        ):
            refuse_other_outcome(released.metadata, past)

    def test_another_horizon(self, released: Bundle, cohort: Cohort) -> None:
        with pytest.raises(CohortRefused, match="within 6 months"):
            refuse_other_outcome(released.metadata, replace(cohort, horizon_months=6))


class TestSimulatedClubs:
    @pytest.mark.parametrize("side", [0, 1])
    def test_a_knee_whose_other_knee_hurts_gets_pain_as_often_as_its_risk_says(
        self, side: int
    ) -> None:
        pool = AthletePool.draw(4_000, 17)
        risks = pool.true_risks(ClubEffects(1.5, 1.0, np.zeros(pool.factors.shape[2])))
        everyone = np.arange(len(risks))
        rng = np.random.default_rng(2)
        drawn = np.stack([pool.with_outcomes(everyone, risks, rng)[0] for _ in range(40)])
        hurts = np.isnan(risks[:, 1 - side]) & ~np.isnan(risks[:, side])
        assert hurts.sum() > 100
        for legs in (hurts, ~np.isnan(risks).any(axis=1)):
            expected = risks[legs, side].mean()
            assert drawn[:, legs, side].mean() == pytest.approx(expected, rel=0.06)
        assert np.isnan(drawn[:, hurts, 1 - side]).all()


class TestWorth:
    """A small version of `python -m benchmarks.club_updating`."""

    @pytest.fixture(scope="class")
    @classmethod
    def study(cls, released: Bundle) -> UpdatingStudy:
        return UpdatingStudy(released.model, pool=3_000, test=600)

    def test_clubs_that_differ_gain(self, study: UpdatingStudy) -> None:
        for size, most_worse in ((50, 0.5), (500, 0.25)):
            results = [study.run_club(DIFFERENT, size, i, scratch=False) for i in range(24)]
            gain = PairedDifference.between(
                [r.adapted for r in results], [r.as_is for r in results]
            )
            assert gain.mean < 0.0
            assert gain.share_worse <= most_worse

    def test_clubs_that_do_not_differ_lose_little(self, study: UpdatingStudy) -> None:
        same = ClubVariation("the same", 0.0, 1.0, 0.0, 0.0)
        for size, most in ((50, 0.003), (500, 0.0025)):
            results = [study.run_club(same, size, i, scratch=False) for i in range(16)]
            cost = PairedDifference.between(
                [r.adapted for r in results], [r.as_is for r in results]
            )
            assert 0.0 < cost.mean <= most

    def test_adapting_beats_training_from_scratch(self, study: UpdatingStudy) -> None:
        results = [study.run_club(DIFFERENT, 300, i) for i in range(6)]
        gain = PairedDifference.between([r.adapted for r in results], [r.scratch for r in results])
        assert gain.pairs == 6
        assert gain.mean < 0.0

    def test_nothing_beats_the_true_risk(self, study: UpdatingStudy) -> None:
        club = study.run_club(DIFFERENT, 300, 0)
        assert club.true < min(club.as_is, club.adapted, club.scratch)

    def test_a_missed_target_is_reported(self) -> None:
        row = {"world": "w", "size": 50, "step": "slope", "events": 9, "true": 0.2, "as_is": 0.3,
               "adapted": 0.31, "scratch": 0.4}  # fmt: skip
        rows = [row | {"adapted": 0.31 + i / 1000} for i in range(5)]
        world = {"name": "w", "shift_sd": 1, "slope_mean": 1, "slope_sd": 1, "effect_sd": 1}
        text, met = as_markdown(rows, [world, world | {"name": "other"}], "a command")
        assert not met
        assert "w, 50 athletes: worse than as is" in text
        assert "100% made worse" in text


@pytest.mark.slow
class TestCommand:
    @pytest.fixture
    def run(self, tmp_path, champion_models, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        monkeypatch.delenv("KNEERISK_MODELS", raising=False)
        monkeypatch.setattr("kneerisk.training.new_versions.adapted_version.FOLD_SEEDS", range(1))
        shutil.copytree(champion_models, tmp_path / "models")
        return lambda *args: CliRunner().invoke(app, ["adapt", *args])

    def test_gives_a_challenger_beside_as_is_and_from_scratch(self, run, cohort, tmp_path) -> None:
        write(replace(cohort, frame=cohort.frame.head(400)), tmp_path / "club.csv")
        found = run("--data", "club.csv", "--json")
        assert found.exception is None, found.stderr
        told = json.loads(found.stdout)
        assert told["step"] == "slope"
        for way in ("cv_", "cv_as_is_", "cv_scratch_"):
            assert 0.1 < told["metrics"][f"{way}log_loss"] < 1.0
        tracking = Tracking(tmp_path)
        version = tracking.version_with_alias("kneerisk-new_pain-12m", CHALLENGER)
        assert str(version) == told["version"]
        params, _ = tracking.logged_values(told["run_id"])
        assert params["cohort_kind"] == "adapted"
        assert params["base_version"] == told["base"]
        fetched = tracking.download_bundle(version, tmp_path)
        assert bundle.load(fetched, version.tags["bundle_sha256"]).metadata.cohort == "adapted"

    def test_keeps_the_champion_where_nothing_happened(self, run, cohort, tmp_path) -> None:
        frame = cohort.frame[
            (cohort.frame["outcome_left"] == 0) & (cohort.frame["outcome_right"] == 0)
        ]
        write(replace(cohort, frame=frame.head(30).reset_index(drop=True)), tmp_path / "club.csv")
        found = run("--data", "club.csv")
        assert found.exception is None, found.stderr
        assert "stays unchanged" in found.stdout
        assert "15 to correct the spread of risks" in found.stdout
        assert not (tmp_path / "mlflow.db").exists()

    def test_refuses_a_simulated_club(self, run, cohort, tmp_path) -> None:
        write(replace(cohort, kind="simulated", frame=cohort.frame.head(60)), tmp_path / "c.csv")
        found = run("--data", "c.csv")
        assert "to measured athletes" in str(found.exception)

    def test_refuses_labels_computed_from_inputs(self, run, cohort, tmp_path) -> None:
        frame = cohort.frame.head(400)
        made = {
            f"outcome_{side}": (reach < 9).astype(float).where(reach.notna())
            for side in ("left", "right")
            for reach in [frame[f"{side}_wblt_distance_cm"]]
        }
        write(replace(cohort, frame=frame.assign(**made)), tmp_path / "club.csv")
        found = run("--data", "club.csv")
        assert "_wblt_distance_cm': that alone predicts it" in str(found.exception)
