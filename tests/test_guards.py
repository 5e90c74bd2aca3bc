"""A cohort that no model can be trained on is refused with the reason; honest ones are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from real_data import real_file
from typer.testing import CliRunner

from kneerisk.cohort import Cohort
from kneerisk.cohort.files import write
from kneerisk.cohort.published import ric, weightlifters
from kneerisk.cohort.simulation.simulated_cohort import Simulated, simulate
from kneerisk.cohort.splits import subset, train_test_split
from kneerisk.errors import CohortRefused
from kneerisk.training.leakage.computed_labels import labels_computed_from_inputs
from kneerisk.training.leakage.leakage_checks import (
    duplicate_athletes,
    provenance_inputs,
    refuse_unsound,
)
from kneerisk.training.leakage.required_sample_size import (
    cox_snell,
    outcomes_for,
    required_events,
    rows_for,
)

RATIO = "hamstring_quad_ratio"


@pytest.fixture(scope="module")
def club(simulated: Simulated) -> Cohort:
    """A club of 900 athletes with honest outcomes, none of whom is hurting."""
    frame = simulated.cohort.frame
    free = (frame["left_pain_nrs"] == 0) & (frame["right_pain_nrs"] == 0)
    whole = replace(simulated.cohort, kind="observed", source="a made-up club")
    return subset(whole, free.to_numpy() & (np.arange(len(frame)) < 1_100))


def labelled(club: Cohort, left, right, **more) -> Cohort:
    """The club with other outcomes; what they are made from must be known."""
    frame = club.frame.assign(outcome_left=left, outcome_right=right, **more)
    known = frame["outcome_left"].notna() & frame["outcome_right"].notna()
    return replace(club, frame=frame[known].reset_index(drop=True))


def below(values, limit):
    """1 where a value lies below a limit, missing where it is missing."""
    return (values < limit).astype(float).where(values.notna())


class TestComputedLabels:
    def test_a_threshold_on_a_measure(self, club: Cohort) -> None:
        made = labelled(club, below(club.frame["left_wblt_distance_cm"], 9.0),
                        below(club.frame["right_wblt_distance_cm"], 9.0))  # fmt: skip
        reasons = list(labels_computed_from_inputs(made))
        assert "'left_wblt_distance_cm'" in reasons[0]
        assert "'right_wblt_distance_cm'" in reasons[1]

    def test_two_measures(self, club: Cohort) -> None:
        frame = club.frame
        sides = [
            ((frame[f"{side}_hip_drop_deg"] > 5) & (frame["age_years"] > 24))
            .astype(float)
            .where(frame[f"{side}_hip_drop_deg"].notna())
            for side in ("left", "right")
        ]
        told = " ".join(labels_computed_from_inputs(labelled(club, *sides)))
        assert "'age_years' and 'left_hip_drop_deg'" in told

    def test_a_ratio_of_left_and_right(self, club: Cohort) -> None:
        left, right = (club.frame[f"{side}_quad_torque_nm_kg"] for side in ("left", "right"))
        made = labelled(club, below(left / right, 0.9), below(right / left, 0.9))
        told = " ".join(labels_computed_from_inputs(made))
        assert "'left_quad_torque_nm_kg' and 'right_quad_torque_nm_kg'" in told

    def test_a_difference_of_left_and_right_without_sides(self, club: Cohort) -> None:
        left, right = (club.frame[f"{side}_slr_deg"] for side in ("left", "right"))
        uneven = below(-(left - right).abs(), -8.0)
        frame = club.frame.drop(columns=["outcome_left", "outcome_right"])
        known = uneven.notna().to_numpy()
        made = replace(club, frame=frame.assign(outcome_either=uneven)[known])
        told = " ".join(labels_computed_from_inputs(made))
        assert "'left_slr_deg' and 'right_slr_deg'" in told

    def test_a_ratio_whose_near_copy_is_an_input(self, club: Cohort) -> None:
        """The label is made from the parts; what is in the file is a rounded copy of the ratio."""
        rng = np.random.default_rng(5)
        ratio = {
            side: club.frame[f"{side}_hamstring_torque_nm_kg"]
            / club.frame[f"{side}_quad_torque_nm_kg"]
            for side in ("left", "right")
        }
        more = {f"{s}_hamstring_torque_nm_kg": np.nan for s in ratio}
        more |= {
            f"{side}_{RATIO}": (values * (1 + 0.01 * rng.standard_normal(len(values)))).round(2)
            for side, values in ratio.items()
        }
        sides = [below(-values, -0.62) for values in ratio.values()]
        told = " ".join(labels_computed_from_inputs(labelled(club, *sides, **more)))
        assert f"left_{RATIO}" in told
        assert f"right_{RATIO}" in told

    def test_an_answer_that_says_the_same_as_the_outcome(self, club: Cohort) -> None:
        past = replace(club, outcome_kind="past_injury", horizon_months=None)
        injured = (club.frame["left_prior_knee_injury"] != "none").astype(float)
        told = " ".join(
            labels_computed_from_inputs(labelled(past, injured, club.frame["outcome_right"]))
        )
        assert "left_prior_knee_injury" in told

    def test_many_measures_at_once(self, club: Cohort) -> None:
        """A score of six measures: no tree on two of them tells it."""
        names = [
            "age_years", "weekly_run_km", "left_hip_drop_deg", "right_hip_drop_deg",
            "left_wblt_distance_cm", "right_wblt_distance_cm",
        ]  # fmt: skip
        rng = np.random.default_rng(3)
        parts = club.frame[names].apply(
            lambda column: column.where(
                column.notna(), rng.choice(column.dropna().to_numpy(), len(column))
            )
        )
        frame = club.frame.assign(**parts)
        score = ((parts - parts.mean()) / parts.std()).sum(axis=1)
        made = frame.assign(outcome_left=(score > 2.0) * 1.0, outcome_right=(score > 2.0) * 1.0)
        told = " ".join(labels_computed_from_inputs(replace(club, frame=made)))
        assert all(f"'{name}'" in told for name in names)

    def test_honest_outcomes_are_not_suspected(self, club: Cohort) -> None:
        assert list(labels_computed_from_inputs(club)) == []

    @pytest.mark.parametrize("athletes", [12, 25, 50, 100])
    def test_a_small_honest_cohort_is_not_refused_by_chance(
        self, club: Cohort, athletes: int
    ) -> None:
        for first in range(0, 800, 200):
            rows = (np.arange(len(club.frame)) >= first) & (
                np.arange(len(club.frame)) < first + athletes
            )
            assert list(labels_computed_from_inputs(subset(club, rows))) == []

    def test_nobody_is_named(self, club: Cohort) -> None:
        made = labelled(club, below(club.frame["left_wblt_distance_cm"], 9.0),
                        below(club.frame["right_wblt_distance_cm"], 9.0))  # fmt: skip
        assert "sim-" not in " ".join(labels_computed_from_inputs(made))


class TestRealCohorts:
    def test_runners_pass(self) -> None:
        files = real_file("ric/run_data_meta.csv"), real_file("ric/run_kinematics.csv")
        cohort = ric.ingest(*files).cohort
        found = refuse_unsound(cohort, *train_test_split(cohort))
        assert found.events == 366
        assert found.required.minimum < 100 < found.events < found.required.full

    def test_weightlifters_pass(self) -> None:
        cohort = weightlifters.ingest(real_file("weightlifters/wlinj.csv")).cohort
        found = refuse_unsound(cohort, *train_test_split(cohort))
        assert found.events == 167
        assert found.warning


class TestSplit:
    def test_an_athlete_on_both_sides_is_counted_not_named(self, club: Cohort) -> None:
        train, test = train_test_split(club)
        both = replace(test, frame=test.frame.assign(athlete_id=train.frame["athlete_id"][0]))
        assert [r for r in duplicate_athletes((train, both)) if "sim-" in r] == []
        with pytest.raises(CohortRefused, match=r"1 athlete\(s\) are on both sides of the split"):
            refuse_unsound(club, train, both)

    def test_ids_that_differ_by_case_or_spaces_are_one_person(self, club: Cohort) -> None:
        train, test = train_test_split(club)
        shouted = train.frame["athlete_id"][:3].str.upper().str.replace("SIM-", " SIM-")
        frame = test.frame.head(3).assign(athlete_id=list(shouted))
        reasons = list(duplicate_athletes((train, replace(test, frame=frame))))
        assert reasons[0].startswith("3 athlete(s)")

    def test_the_same_readings_under_another_id(self, club: Cohort) -> None:
        train, test = train_test_split(club)
        copied = train.frame.tail(4).assign(athlete_id=["w", "x", "y", "z"])
        reasons = list(duplicate_athletes((train, replace(test, frame=copied))))
        assert "same readings" in reasons[0]
        assert list(duplicate_athletes((train, test))) == []


class TestProvenance:
    @pytest.mark.parametrize("name", ["group", "site", "screening_date", "file_name", "athlete_id"])
    def test_is_no_input(self, club: Cohort, name: str) -> None:
        with pytest.raises(CohortRefused, match=f"'{name}': reveals"):
            refuse_unsound(club, inputs=["age_years", name])

    def test_measures_are_inputs_whatever_their_names(self, club: Cohort) -> None:
        names = ["session_spike_ratio", "resistance_sessions_per_week", "age_years"]
        assert list(provenance_inputs(club, names)) == []

    def test_a_column_that_nobody_knows(self, club: Cohort) -> None:
        strange = replace(club, frame=club.frame.assign(clinic_year=2019))
        assert "'clinic_year'" in " ".join(provenance_inputs(strange))

    def test_a_measure_with_one_value_a_group(self, club: Cohort) -> None:
        teams = np.array(["a", "b", "c"])[np.arange(len(club.frame)) % 3]
        hours = np.array([5.0, 7.5, 10.0])[np.arange(len(club.frame)) % 3]
        made = club.frame.assign(group=teams, training_hours_per_week=hours)
        reasons = list(provenance_inputs(replace(club, frame=made)))
        assert len(reasons) == 1
        assert "'training_hours_per_week' has a single value for each group" in reasons[0]

    def test_the_year_of_the_visit(self, club: Cohort) -> None:
        years = 2019 + np.arange(len(club.frame)) % 4
        made = club.frame.assign(screening_date=[f"{y}-03-01" for y in years],
                                 sitting_hours_per_day=years - 2015.0)  # fmt: skip
        assert "reveals the year" in " ".join(provenance_inputs(replace(club, frame=made)))

    def test_a_running_number(self, club: Cohort) -> None:
        numbered = club.frame.head(40).assign(weekly_run_km=np.arange(40.0)[::-1])
        assert "running row number" in " ".join(provenance_inputs(replace(club, frame=numbered)))

    def test_teams_that_differ_in_their_sport_are_no_fault(self, club: Cohort) -> None:
        grouped = club.frame.assign(group=club.frame["sport"])
        assert list(provenance_inputs(replace(club, frame=grouped))) == []


class TestTooFewOutcomes:
    def test_a_small_club_is_told_how_many_it_takes(self, club: Cohort) -> None:
        few = subset(club, np.arange(len(club.frame)) < 60)
        need, events = required_events(few)
        with pytest.raises(CohortRefused) as refused:
            refuse_unsound(few)
        assert f"{events} to train on" in str(refused.value)
        assert f"require {need.minimum} " in str(refused.value)
        assert "kneerisk adapt" in str(refused.value)

    def test_an_adaptation_takes_what_there_is(self, club: Cohort) -> None:
        few = subset(club, np.arange(len(club.frame)) < 60)
        assert refuse_unsound(few, from_scratch=False).warning is None

    def test_true_risks_need_no_outcomes(self, club: Cohort) -> None:
        assert refuse_unsound(subset(club, np.arange(len(club.frame)) < 20), true=True).events < 10

    def test_the_rarer_sort_counts(self, club: Cohort) -> None:
        turned = labelled(club, 1 - club.frame["outcome_left"], 1 - club.frame["outcome_right"])
        assert required_events(turned)[1] == required_events(club)[1]

    def test_published_r2_of_an_auc(self) -> None:
        """Cox-Snell R2 at 20 % with the outcome: 0.045, 0.083 and 0.124 (a normal log-odds)."""
        found = [cox_snell(0.2, auc)[0] for auc in (0.65, 0.70, 0.75)]
        assert found == pytest.approx([0.045, 0.083, 0.124], abs=0.004)

    def test_published_sizes(self) -> None:
        """Rows for a shrinkage of 0.9 at 20 %: 2,913 of 15 weights, 4,855 of 25 (AUC 0.65)."""
        assert rows_for(15, 0.2, 0.65) == pytest.approx(2_913, rel=0.01)
        assert rows_for(25, 0.2, 0.65) == pytest.approx(4_855, rel=0.01)

    def test_overall_risk_alone_sets_the_least(self) -> None:
        """(1.96 / 0.05)^2 * 0.5 * 0.5 = 384.2 rows, half of them outcomes."""
        assert rows_for(1, 0.5, 0.72) == 385
        assert outcomes_for(1, 0.5, 0.72) == 193

    def test_more_weights_need_more(self) -> None:
        sizes = [outcomes_for(p, 0.1, 0.65) for p in (1, 5, 20, 60)]
        assert sizes == sorted(set(sizes))


class TestCommand:
    def test_train_refuses_before_it_opens_a_store(self, tmp_path, monkeypatch) -> None:
        from pipelines.__main__ import app

        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        cohort = replace(simulate(60, 8).cohort, kind="observed", source="a made-up club")
        write(cohort, tmp_path / "club.csv")
        found = CliRunner().invoke(app, ["train", "--data", "club.csv", "--json"])
        assert isinstance(found.exception, CohortRefused)
        assert "Riley" in str(found.exception)
        assert not (tmp_path / "mlflow.db").exists()
        assert found.stdout == ""
