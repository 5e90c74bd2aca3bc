"""A club's own measures: from `measures.toml` to an answer over HTTP, and what is refused."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pandas as pd
import pytest
from browser import Opener
from hypothesis import given
from hypothesis import strategies as st
from mlflow.models.model import Model
from playwright.sync_api import expect
from scipy.special import expit, logit
from served import ONE_WORKER, Served, served
from typer.testing import CliRunner

from kneerisk.answer import answer
from kneerisk.batch.pyfunc_loader import _load_pyfunc
from kneerisk.cohort import Cohort, read, write
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.cohort.splits import train_test_split
from kneerisk.errors import BundleRefused, CohortRefused, KneeriskError, MeasuresRefused
from kneerisk.evaluation.metrics import log_loss_over
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.evidence.population import OWN_LEFT_RIGHT, published
from kneerisk.model import Bundle, bundle, champion
from kneerisk.model.feature_columns import Column, feature_columns
from kneerisk.schema import Screening, coded, columns, fingerprint, read_screening, to_row
from kneerisk.schema.measures_file import MOST_MEASURES, own_measures, read_measures_file
from kneerisk.schema.own_measures import OwnMeasures, own_measures_in_force
from kneerisk.training.fitting.fit import Fitted, fit
from kneerisk.training.fitting.fitted_metadata import metadata_of
from kneerisk.training.fitting.population_shrinkage import population_of
from kneerisk.training.tracking.loadable_model import write_loadable_model
from kneerisk.training.updating.model_updating import update_model
from kneerisk.training.updating.widening import widened
from pipelines.__main__ import app

EXAMPLE = Path(__file__).parents[1] / "data" / "measures.toml"
HOP = {
    "label": "Hop", "of": "leg", "unit": "cm", "low": 20, "high": 300, "mean": 140, "sd": 25,
    "source": "assumption",
}  # fmt: skip
BODY: dict[str, Any] = {
    "athlete": {
        "age_years": 24,
        "sex": "male",
        "sport": "running",
        "grip_strength_n_kg": 6,
        "playing_position": "goal",
    },
    "left": {"hop_distance_cm": 95, "landing_quality": "poor"},
    "right": {"hop_distance_cm": 155, "landing_quality": "good"},
}
ATHLETES = 900
KEYS = [*HOP, "error", "direction", "whole", "log_scale", "minutes", "choices", "ordered", "test"]
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**30), st.floats(), st.text(max_size=5),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(["male", "female", "other"]), st.floats(), max_size=3),
)  # fmt: skip
V1, V2 = "kneerisk-new_pain-12m-v1", "kneerisk-new_pain-12m-v2"


@pytest.fixture(scope="module")
def own() -> OwnMeasures:
    """The measures of the example."""
    return read_measures_file(EXAMPLE)


@pytest.fixture(scope="module")
def club(own: OwnMeasures) -> Cohort:
    """Athletes whose knees hurt the more often, the shorter they hop on that leg."""
    simulated, rng = simulate(ATHLETES, 5), np.random.default_rng(5)
    frame = simulated.cohort.frame.drop(columns=["outcome_either"], errors="ignore")
    n, female = len(frame), (frame["sex"] == "female").to_numpy()
    hop = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]], n)
    for k, side in enumerate(("left", "right")):
        distance = np.where(female, 120.0, 150.0) + 24.0 * hop[:, k] + rng.normal(0.0, 6.0, n)
        distance[rng.random(n) < 0.1] = np.nan
        frame[f"{side}_hop_distance_cm"] = distance.clip(20, 300).round()
        frame[f"{side}_landing_quality"] = rng.choice(["good", "fair", "poor"], n)
        risk = expit(logit(simulated.truth[f"risk_{side}"]) - 1.1 * hop[:, k] + 0.6)
        frame[f"outcome_{side}"] = (rng.random(n) < risk).astype(float)
    frame["grip_strength_n_kg"] = rng.normal(5.6, 1.2, n).clip(1, 15).round(1)
    frame["playing_position"] = rng.choice(["goal", "defence", "midfield", "attack"], n)
    with own.in_force():
        return Cohort(frame, "observed", "new_pain", 12, "a made-up club")


@pytest.fixture(scope="module")
def club_fit(own: OwnMeasures, club: Cohort) -> Fitted:
    """A model of the club that knows them."""
    with own.in_force():
        return fit(train_test_split(club)[0])


@pytest.fixture(scope="module")
def models(
    own: OwnMeasures, club: Cohort, club_fit: Fitted, released: Bundle, tmp_path_factory: Any
) -> Path:
    """Two released versions: the club's, with own measures, is served; the other has none."""
    folder = tmp_path_factory.mktemp("own")
    with own.in_force():
        metadata = metadata_of(
            train_test_split(club)[0], None, club_fit,
            version=V1, run_id="1" * 32, git_sha=None, data_sha256="1" * 64,
        )  # fmt: skip
    champion.write(folder, V1, bundle.save(club_fit.model, metadata, folder / V1), None)
    bundle.save(released.model, replace(released.metadata, version=V2), folder / V2)
    return folder


@pytest.fixture(scope="module")
def loaded(models: Path) -> Bundle:
    """The club's version, as a service loads it."""
    return bundle.load(models / V1)


def hashed(models: Path, version: str) -> str:
    return bundle.load(models / version).sha256


def refused(declared: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a declaration, by place."""
    with pytest.raises(MeasuresRefused) as refusal:
        own_measures(declared, "measures.toml")
    for fault in refusal.value.faults:
        assert fault.pointer in str(refusal.value)
    return {fault.pointer: fault.code for fault in refusal.value.faults}


class TestDeclaration:
    def test_the_example_declares_four(self, own: OwnMeasures) -> None:
        assert own.names == (
            "grip_strength_n_kg", "playing_position", "hop_distance_cm", "landing_quality",
        )  # fmt: skip
        with own.in_force():
            hop = columns()["left_hop_distance_cm"].published()
        assert hop["unit"] == "cm"
        assert hop["station"] == "own"
        assert hop["typical"][0]["female"] == {"mean": 120.0, "sd": 25.0}
        assert hop["sem"] == 6.0

    def test_the_one_shown_is_a_part_of_the_example(self) -> None:
        page = (EXAMPLE.parents[1] / "docs" / "measures-of-your-own.md").read_text("utf-8")
        shown = tomllib.loads(page.partition("```toml")[2].partition("```")[0])
        assert own_measures(shown, "the page").names == ("hop_distance_cm",)
        example = tomllib.loads(EXAMPLE.read_text("utf-8"))["hop_distance_cm"]
        assert shown["hop_distance_cm"].items() <= example.items()

    @pytest.mark.parametrize(
        ("name", "changed", "where", "code"),
        [
            ("hip_drop_deg", {"unit": "deg"}, "/hip_drop_deg", "name_taken"),
            ("age_years", {"unit": "years"}, "/age_years", "name_taken"),
            ("pain_nrs", {"unit": "points"}, "/pain_nrs", "name_taken"),
            ("torque_mode", {"unit": "points"}, "/torque_mode", "name_taken"),
            ("source", {"unit": "points"}, "/source", "name_taken"),
            ("left_hop_cm", {}, "/left_hop_cm", "not_a_name"),
            ("Hop_cm", {}, "/Hop_cm", "not_a_name"),
            ("hop-cm", {}, "/hop-cm", "not_a_name"),
            ("hop_cm", {"unit": "cmm"}, "/hop_cm/unit", "literal_error"),
            ("hop_cm", {"unit": "m"}, "/hop_cm/unit", "name_without_unit"),
            ("hop", {}, "/hop/unit", "name_without_unit"),
            ("hop_cm", {"low": 300, "high": 20}, "/hop_cm/low", "limits_upside_down"),
            ("hop_cm", {"mean": 10}, "/hop_cm/mean", "outside_limits"),
            ("hop_cm", {"sd": 0}, "/hop_cm/sd", "outside_limits"),
            ("hop_cm", {"error": 25}, "/hop_cm/error", "outside_limits"),
            ("hop_cm", {"error": -1}, "/hop_cm/error", "outside_limits"),
            ("hop_cm", {"mean": {"male": 140}}, "/hop_cm/mean", "not_a_number"),
            ("hop_cm", {"mean": float("nan")}, "/hop_cm/mean", "not_a_number"),
            ("hop_cm", {"high": float("inf")}, "/hop_cm/high", "not_finite"),
            ("hop_cm", {"low": "20"}, "/hop_cm/low", "not_a_number"),
            ("hop_cm", {"low": -5, "log_scale": True}, "/hop_cm/log_scale", "outside_limits"),
            ("hop_cm", {"of": "knee"}, "/hop_cm/of", "literal_error"),
            ("hop_cm", {"direction": "up"}, "/hop_cm/direction", "literal_error"),
            ("hop_cm", {"label": "Hip drop"}, "/hop_cm/label", "name_taken"),
            ("hop_cm", {"label": "<b>Hop</b>"}, "/hop_cm/label", "string_pattern_mismatch"),
            ("hop_cm", {"label": "=1+1"}, "/hop_cm/label", "string_pattern_mismatch"),
            ("hop_cm", {"source": ""}, "/hop_cm/source", "string_too_short"),
            ("hop_cm", {"colour": "red"}, "/hop_cm/colour", "unknown_name"),
        ],
    )
    def test_what_is_wrong_is_refused_where_it_is(
        self, name: str, changed: dict[str, Any], where: str, code: str
    ) -> None:
        assert refused({name: HOP | changed})[where] == code

    @given(
        st.dictionaries(
            st.one_of(st.just("hop_cm"), st.text(max_size=8)),
            st.dictionaries(st.sampled_from(KEYS), ODD, max_size=6).map(lambda keys: HOP | keys),
            max_size=3,
        )
    )
    def test_whatever_is_declared_is_refused_or_can_be_used(self, declared: dict[str, Any]) -> None:
        try:
            own = own_measures(declared, "measures.toml")
        except MeasuresRefused:
            return
        with own.in_force():
            assert set(columns()) > {*own.athlete}
            read_screening({"athlete": {"age_years": 30, "sex": "male"}})

    def test_all_faults_are_told_at_once(self) -> None:
        choice = {"label": "Foot", "of": "leg", "choices": ["a", "b", "b"], "source": "assumption"}
        found = refused(
            {"hip_drop_deg": HOP | {"unit": "deg"}, "hop_cm": HOP | {"unit": "cmm", "low": "x"},
             "jump_cm": HOP | {"low": 400, "label": "Jump"}, "foot": choice, "odd": 3}
        )  # fmt: skip
        assert found["/hip_drop_deg"] == "name_taken"
        assert found["/hop_cm/unit"] == "literal_error"
        assert found["/hop_cm/low"] == "not_a_number"
        assert found["/jump_cm/low"] == "limits_upside_down"
        assert found["/foot/choices"] == "told_twice"
        assert found["/odd"] == "not_an_object"

    def test_limits_upside_down_are_told_beside_what_is_missing(self) -> None:
        stated = {"label": "Hop", "of": "leg", "unit": "parsec", "low": 300, "high": 20}
        with pytest.raises(MeasuresRefused) as refused:
            own_measures({"hop_cm": stated}, "measures.toml")
        told = {(fault.pointer, fault.code) for fault in refused.value.faults}
        assert ("/hop_cm/low", "limits_upside_down") in told
        assert {pointer for pointer, _ in told} >= {"/hop_cm/unit", "/hop_cm/mean"}

    def test_what_is_allowed_is_said(self) -> None:
        with pytest.raises(MeasuresRefused, match="must be one of mm, cm, m,"):
            own_measures({"hop_cm": HOP | {"unit": "cmm"}}, "measures.toml")
        with pytest.raises(MeasuresRefused, match="is not one of the keys: label, of, source"):
            own_measures({"hop_cm": HOP | {"colour": "red"}}, "measures.toml")

    def test_a_file_that_is_none_is_refused(self, tmp_path: Path) -> None:
        broken = (b"", b"[hop_cm\n", b"\xff\xfe", b"# " + b"x" * 200_000,
                  b"[hop_cm]\nlow = " + b"9" * 5_000, b"a = " + b"[" * 20_000)  # fmt: skip
        for content in broken:
            (tmp_path / "measures.toml").write_bytes(content)
            with pytest.raises(MeasuresRefused):
                read_measures_file(tmp_path / "measures.toml")
        with pytest.raises(MeasuresRefused, match="can't be read"):
            read_measures_file(tmp_path / "none.toml")
        many = {f"hop{i}_cm": HOP | {"label": f"Hop {i}"} for i in range(MOST_MEASURES + 1)}
        with pytest.raises(MeasuresRefused, match=f"1 to {MOST_MEASURES}"):
            own_measures(many, "measures.toml")


class TestSchema:
    def test_they_are_in_force_within_the_block_alone(self, own: OwnMeasures) -> None:
        before, names = fingerprint(), set(columns())
        with own.in_force():
            assert set(columns()) - names == {
                "grip_strength_n_kg", "playing_position",
                *(f"{side}_{name}" for side in ("left", "right")
                  for name in ("hop_distance_cm", "landing_quality")),
            }  # fmt: skip
            assert fingerprint() != before
            with own_measures({"jump_cm": HOP}, "other").in_force():
                assert "left_jump_cm" in columns()
                assert "left_hop_distance_cm" not in columns()
        assert (fingerprint(), set(columns())) == (before, names)

    def test_two_threads_have_each_its_own(self, own: OwnMeasures) -> None:
        """Two sets that call different things by one name answer side by side."""
        other = own_measures({"hop_distance_cm": HOP | {"high": 500}}, "other")
        together, limits = Barrier(2), dict[str, float]()

        def look(name: str, measures: OwnMeasures) -> None:
            with measures.in_force():
                together.wait()
                limits[name] = columns()["left_hop_distance_cm"].high  # type: ignore[attr-defined]
                together.wait()

        threads = [Thread(target=look, args=pair) for pair in (("a", own), ("b", other))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert limits == {"a": 300.0, "b": 500.0}
        assert not own_measures_in_force()

    def test_the_fingerprint_is_of_what_numbers_depend_on(self) -> None:
        def of(**changed: Any) -> str:
            with own_measures({"hop_cm": HOP | changed}, "x").in_force():
                return fingerprint()

        assert of() == of(label="Another label")
        assert (
            len({of(), of(high=301), of(mean=141), of(sd=26), of(error=3), of(of="athlete")}) == 6
        )

    def test_a_screening_has_their_fields_and_limits(self, own: OwnMeasures) -> None:
        with own.in_force():
            screening = read_screening(BODY)
            assert isinstance(screening, Screening)
            assert screening.left.hop_distance_cm == 95.0  # type: ignore[attr-defined]
            assert Screening.model_validate_json(json.dumps(BODY)) == screening
            with pytest.raises(KneeriskError, match="from 20 to 300 cm"):
                read_screening(BODY | {"left": {"hop_distance_cm": 301}})
        with pytest.raises(KneeriskError, match="not a name of the schema"):
            read_screening(BODY)


class TestModel:
    def test_it_is_found_and_the_held_out_log_loss_falls(
        self, own: OwnMeasures, club: Cohort, club_fit: Fitted, loaded: Bundle
    ) -> None:
        train, test = train_test_split(club)
        without = fit(train).model
        with own.in_force():
            data = test.columns()
        over = log_loss_over(
            test, risks_of(club_fit.model.predict(data)), risks_of(without.predict(data)), "without"
        )
        assert over["log_loss_over_without"] < -2.0 * over["log_loss_over_without_error"] < 0.0
        with own.in_force():
            screening = read_screening(BODY)
        found = answer(loaded, screening)
        left = [driver for driver in found.drivers if driver.side == "left"]
        assert left[0].measure == "hop_distance_cm"
        assert left[0].points > 2.0
        assert left[0].heading == "Single-leg hop for distance below usual"

    def test_how_it_goes_with_other_measures_is_learnt_with_shrinkage(
        self, own: OwnMeasures, club: Cohort
    ) -> None:
        """Nothing is known before; a cohort that shows 0.6 moves it part of the way."""
        frame = club.frame.copy()
        z = (frame["left_hop_distance_cm"] - frame["left_hop_distance_cm"].mean()) / 25.0
        noise = np.random.default_rng(0).normal(size=len(frame))
        frame["grip_strength_n_kg"] = (5.6 + 1.1 * (0.8 * z + 0.6 * noise)).clip(1, 15)

        def covariance(cohort: Cohort | None) -> pd.DataFrame:
            with own.in_force():
                people = population_of(cohort) if cohort else published()
            names = [*people.athlete, *people.leg]
            table = people.covariance[: len(names), : len(names)]
            return pd.DataFrame(table, index=names, columns=names)

        pair = ("grip_strength_n_kg", "hop_distance_cm")
        assert covariance(None).loc[pair] == 0.0
        few, many = (
            covariance(replace(club, frame=frame.head(n))).loc[pair] for n in (60, len(frame))
        )
        assert 0.05 < few < many < 0.8
        with own.in_force():
            prior = published()
        leg = len(prior.athlete) + prior.leg.index("hop_distance_cm")
        assert prior.covariance[leg, leg + len(prior.leg)] == pytest.approx(OWN_LEFT_RIGHT)

    def test_what_is_only_recorded_is_read_by_no_model(self) -> None:
        declared = tomllib.loads(EXAMPLE.read_text("utf-8"))
        recorded = {name: stated | {"model_input": False} for name, stated in declared.items()}
        plain = feature_columns(published())
        with own_measures(recorded, "measures.toml").in_force():
            assert feature_columns(published()) == plain
            screening = read_screening(BODY)
        with own_measures(declared, "measures.toml").in_force():
            assert len(feature_columns(published())) == len(plain) + 4 + 2 + 2 + 1 + 2
        assert screening.left.hop_distance_cm == 95.0  # type: ignore[attr-defined]

    def test_choices_without_an_order_have_each_a_weight(
        self, own: OwnMeasures, club: Cohort
    ) -> None:
        """Who keeps goal, and whose foot strikes with the heel, is hurt: neither is an end."""
        stated = {"label": "Foot strike", "of": "leg", "source": "assumption",
                  "choices": ["toe", "heel", "middle"]}  # fmt: skip
        position = {"label": "Position", "of": "athlete", "source": "assumption",
                    "choices": ["attack", "goal", "defence"]}  # fmt: skip
        both = own_measures({"foot_strike": stated, "position": position}, "measures.toml")
        frame = club.frame.drop(columns=[c for c in club.frame if c.endswith(own.names)])
        rng, n = np.random.default_rng(2), len(frame)
        frame["position"] = rng.choice(position["choices"], n)
        for side in ("left", "right"):
            frame[f"{side}_foot_strike"] = rng.choice(stated["choices"], n)
            hurts = 2.0 * (frame[f"{side}_foot_strike"] == "heel") + (frame["position"] == "goal")
            frame[f"outcome_{side}"] = (rng.random(n) < expit(hurts - 3.0)).astype(float)
        with both.in_force():
            model = fit(replace(club, frame=frame), interval=False).model
            columns = model.margin.between.columns
            names = {column.name for column in columns}
            assert all(Column.parse(column.name) == column for column in columns)
            assert {"own_foot_strike=heel", "one_hot_position=goal"} <= names
            bodies = [{"athlete": {"age_years": 30, "sex": "male", "position": position},
                       "left": {"foot_strike": foot}, "right": {"foot_strike": "toe"}}
                      for position, foot in (("attack", "toe"), ("attack", "heel"),
                                             ("attack", "middle"), ("goal", "toe"),
                                             ("defence", "toe"))]  # fmt: skip
            data = coded([read_screening(body) for body in bodies])
            plain, heel, middle, goal, defence = model.predict(data).left  # type: ignore[misc]
            expected = model.measurement_update.expected(data)
            parts = model.contributions(data, expected, model.features(data, expected))
        assert heel > 2.0 * max(plain, middle)
        assert goal > 1.2 * max(plain, defence)
        place = parts.sources.index("left_foot_strike")
        assert parts.values[1, 0, place] == parts.values[1, 0].max() > 0.5

    def test_missing_values_stay_missing(self, own: OwnMeasures, loaded: Bundle) -> None:
        with own.in_force():
            given, bare = read_screening(BODY), read_screening({"athlete": BODY["athlete"]})
        statuses = []
        for screening in (given, bare):
            found = answer(loaded, screening)
            status = {each.column: each.status for each in found.inputs}
            statuses.append(status["left_hop_distance_cm"])
        assert statuses == ["used", "missing"]
        assert "hop_distance_cm" in {test.test for test in answer(loaded, bare).next_tests}
        assert "hop_distance_cm" not in {test.test for test in answer(loaded, given).next_tests}

    def test_a_model_without_them_leaves_them_out_and_says_so(
        self, own: OwnMeasures, released: Bundle
    ) -> None:
        plain = {section: {name: value for name, value in values.items() if name not in own.names}
                 for section, values in BODY.items()}  # fmt: skip
        with own.in_force():
            found = answer(released, read_screening(BODY))
        expected = answer(released, read_screening(plain))
        assert found.risk == expected.risk
        status = {each.column: each.status for each in found.inputs}
        for column in ("grip_strength_n_kg", "left_hop_distance_cm", "right_landing_quality"):
            assert status[column] == "unknown_to_model"

    def test_a_model_with_them_reads_a_screening_without(self, loaded: Bundle) -> None:
        plain = read_screening({"athlete": {"age_years": 24, "sex": "male"}})
        assert answer(loaded, plain).risk.left is not None


class TestAdapt:
    def test_a_ridge_learns_their_weights(
        self, own: OwnMeasures, club: Cohort, released: Bundle
    ) -> None:
        train, test = train_test_split(club)
        with own.in_force():
            data = test.columns()
            wide = widened(released.model, train)
            same = wide.predict(data).either - released.model.predict(data).either
            assert np.abs(same).max() < 1e-12
            updated = update_model(released.model, train)
        assert updated.step == "ridge"
        weights = dict(zip(updated.model.margin.between.columns,
                           updated.model.margin.between_weights, strict=True))  # fmt: skip
        named = {column.subject: weight for column, weight in weights.items()}
        assert named["hop_distance_cm"] < -0.1
        plain = update_model(released.model, train)
        over = log_loss_over(
            test,
            risks_of(updated.model.predict(data)),
            risks_of(plain.model.predict(data)),
            "plain",
        )
        assert over["log_loss_over_plain"] < 0.0

    def test_a_small_club_leaves_them_out(
        self, own: OwnMeasures, club: Cohort, released: Bundle
    ) -> None:
        few = replace(club, frame=club.frame.head(60))
        with own.in_force():
            updated = update_model(released.model, few)
            data = club.columns()
        assert updated.step in {"as_is", "intercept", "slope"}
        changed = {**data, "left_hop_distance_cm": data["left_hop_distance_cm"] * 0.5 + 10}
        assert np.array_equal(
            updated.model.predict(data).either, updated.model.predict(changed).either
        )


class TestBundle:
    def test_it_carries_them(self, own: OwnMeasures, loaded: Bundle, models: Path) -> None:
        assert loaded.model.own.declared == own.declared
        manifest = json.loads((models / V1 / "manifest.json").read_text())
        with own.in_force():
            assert manifest["schema"] == loaded.metadata.schema == fingerprint()
        assert "own_measures.json" not in json.loads(
            (models / V2 / "manifest.json").read_text()
        )["files"]  # fmt: skip

    @pytest.mark.parametrize("rehashed", [False, True])
    def test_it_is_refused_where_they_were_changed(
        self, models: Path, tmp_path: Path, rehashed: bool
    ) -> None:
        import hashlib

        folder = tmp_path / V1
        shutil.copytree(models / V1, folder)
        declared = json.loads((folder / "own_measures.json").read_text())
        declared["hop_distance_cm"]["sd"] = 20
        (folder / "own_measures.json").write_text(json.dumps(declared))
        if rehashed:
            manifest = json.loads((folder / "manifest.json").read_text())
            content = (folder / "own_measures.json").read_bytes()
            manifest["files"]["own_measures.json"] = hashlib.sha256(content).hexdigest()
            (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(BundleRefused):
            bundle.load(folder)

    @pytest.mark.parametrize("content", [b"{}", b"[]", b"nonsense", b'{"hip_drop_deg": {}}'])
    def test_it_is_refused_where_they_are_no_measures(
        self, models: Path, tmp_path: Path, content: bytes
    ) -> None:
        import hashlib

        folder = tmp_path / V1
        shutil.copytree(models / V1, folder)
        (folder / "own_measures.json").write_bytes(content)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["own_measures.json"] = hashlib.sha256(content).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(BundleRefused):
            bundle.load(folder)


@pytest.fixture(scope="module")
def service(models: Path, tmp_path_factory: Any) -> Iterator[Served]:
    """A service of one worker that serves the club's version."""
    folder = tmp_path_factory.mktemp("served")
    env = {"KNEERISK_MODELS": str(models), "KNEERISK_MEASURES": str(EXAMPLE)}
    with served(folder, *ONE_WORKER, **env) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


#: What a model of each version says of a hop that was given.
STATUS = {V1: "used", V2: "unknown_to_model"}


@contextmanager
def answered_meanwhile(service: Served) -> Iterator[list[str]]:
    """Ask without a pause; gives what was odd: an answer that two models had a part in, or none."""
    odd: list[str] = []
    done = Event()

    def ask() -> None:
        while not done.is_set():
            found = service.post("/v1/predict_team", {"screenings": [BODY] * 3})
            for result in found.json().get("results", [{}]):
                answered = result.get("answer", {"model": {"version": "none"}, "inputs": []})
                statuses = {i["column"]: i["status"] for i in answered["inputs"]}
                if statuses.get("left_hop_distance_cm") != STATUS.get(answered["model"]["version"]):
                    odd.append(found.text[:500])

    threads = [Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield odd
    finally:
        done.set()
        for thread in threads:
            thread.join()


class TestService:
    def test_it_is_answered_with_the_measure_among_the_drivers(self, service: Served) -> None:
        found = service.post("/v1/predict", BODY)
        assert found.status_code == 200, found.text
        drivers = [d for d in found.json()["drivers"] if d["side"] == "left"]
        assert drivers[0]["measure"] == "hop_distance_cm"
        team = service.post("/v1/predict_team", {"screenings": [BODY, BODY]}).json()
        assert team["results"][1]["answer"]["risk"] == found.json()["risk"]

    def test_its_limits_hold(self, service: Served) -> None:
        bad = BODY | {"left": {"hop_distance_cm": 1, "landing_quality": "awful"}}
        found = service.post("/v1/predict", bad)
        assert found.status_code == 422
        assert {(f["pointer"], f["code"]) for f in found.json()["faults"]} == {
            ("/left/hop_distance_cm", "outside_limits"),
            ("/left/landing_quality", "unknown_choice"),
        }

    def test_it_describes_them(self, service: Served) -> None:
        leg = service.get("/v1/schema").json()["$defs"]["Leg"]["properties"]["hop_distance_cm"]
        assert (leg["title"], leg["maximum"]) == ("Single-leg hop for distance", 300.0)
        described = service.get("/docs.json").json()["components"]["schemas"]
        assert "hop_distance_cm" in described["Leg"]["properties"]
        assert "grip_strength_n_kg" in described["Athlete"]["properties"]
        assert "hop_distance_cm" in service.get("/v1/model").json()["own_measures"]
        assert "hop_distance_cm" in service.get("/v1/texts").json()["units"]

    def test_what_if_follow_up_report_and_import_know_them(self, service: Served) -> None:
        changed = service.post(
            "/v1/what_if", {"screening": BODY, "changes": {"left_hop_distance_cm": 150}}
        )
        assert changed.json()["left"]["points"] < -1.0
        later = BODY | {"left": {"hop_distance_cm": 150, "landing_quality": "poor"}}
        visits = [{"date": "2026-01-05", "screening": BODY},
                  {"date": "2026-03-05", "screening": later}]  # fmt: skip
        compared = service.post("/v1/follow_up", {"visits": visits}).json()
        assert "Single-leg hop for distance" in compared["summary"]
        assert "Single-leg hop for distance" in service.post("/v1/report", BODY).text
        sheet = "athlete,age,sex,left_hop_distance_cm,Grip strength (N/kg)\nA,30,m,120,5\n"
        means = {c["column"]: c.get("means") for c in service.post_sheet(sheet).json()["columns"]}
        assert means["left_hop_distance_cm"] == "left_hop_distance_cm"
        assert means["Grip strength (N/kg)"] == "grip_strength_n_kg"

    def test_a_swap_to_a_model_without_and_back(self, service: Served, models: Path) -> None:
        """A body with own measures is answered throughout; each answer is one model's alone."""

        def answered_by(version: str) -> bool:
            found = service.post("/v1/predict", BODY)
            assert found.status_code == 200, found.text
            return found.json()["model"]["version"] == version

        def status() -> str:
            inputs = service.post("/v1/predict", BODY).json()["inputs"]
            return next(i["status"] for i in inputs if i["column"] == "left_hop_distance_cm")

        before = service.post("/v1/predict", BODY).json()
        with answered_meanwhile(service) as odd:
            champion.write(models, V2, hashed(models, V2), None)
            service.until(lambda: answered_by(V2))
            assert status() == "unknown_to_model"
            assert "own_measures" not in service.get("/v1/model").json()
            champion.write(models, V1, hashed(models, V1), None)
            service.until(lambda: answered_by(V1))
        assert odd == []
        assert status() == "used"
        assert service.post("/v1/predict", BODY).json() == before


@pytest.fixture
def page_service(service: Served) -> Served:
    """The service whose page `opened` shows."""
    return service


class TestPage:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_the_form_has_a_station_of_them(self, opened: Opener, scheme: str) -> None:
        seen = opened(color_scheme=scheme, size=(390, 844), has_touch=True, is_mobile=True)
        station = seen.page.locator("#st-own")
        expect(station.locator("legend")).to_have_text("Your own")
        station.get_by_label("Left leg: Single-leg hop for distance, cm").fill("95")
        station.get_by_label("Playing position").select_option("goal")
        seen.page.get_by_label("Age required").fill("24")
        seen.page.get_by_label("Sex required").select_option("male")
        seen.settled()
        sent = seen.asked("/v1/predict")[-1]
        assert sent["left"] == {"hop_distance_cm": 95}
        assert sent["athlete"]["playing_position"] == "goal"
        assert seen.axe() == []
        assert seen.overflow() <= 0
        seen.shot(f"phone-{scheme}-own-measures")


@pytest.mark.slow
class TestCommands:
    @pytest.fixture
    def run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.chdir(tmp_path)
        for name in ("MLFLOW_TRACKING_URI", "KNEERISK_MODELS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(
            "kneerisk.training.new_versions.trained_version.CROSS_VALIDATION_SEEDS", range(1)
        )

        def invoke(*arguments: str) -> Any:
            found = CliRunner().invoke(app, [*arguments, "--json"])
            assert found.exception is None, (arguments, found.exception, found.stderr)
            return json.loads(found.stdout)

        return invoke

    def test_from_a_sheet_to_a_version_that_is_reproduced(
        self, run: Any, own: OwnMeasures, club: Cohort, tmp_path: Path
    ) -> None:
        names = ["athlete_id", "age_years", "sex", "sport", "outcome_left", "outcome_right"]
        names += [column for column in club.frame if column.partition("_")[2] in own.names]
        sheet = club.frame[[*names, *own.athlete]].head(500)
        sheet.to_csv(tmp_path / "club.csv", index=False)
        proposed = run("ingest", "sheet", "club.csv", "--propose", "club.toml",
                       "--measures", str(EXAMPLE))  # fmt: skip
        assert proposed["columns"]["left_hop_distance_cm"] == "left_hop_distance_cm"

        with own.in_force():
            write(replace(club, frame=club.frame.head(500)), tmp_path / "club.parquet")
        made = run("train", "--data", "club.parquet", "--measures", str(EXAMPLE), "--refits", "0")
        again = run("reproduce", made["version"])
        assert again["identical"]
        judged = run("evaluate", "--model", made["version"], "--data", "club.parquet")
        assert judged["screenings"] > 0

    def test_the_simulator_does_not_know_them(self, own: OwnMeasures, tmp_path: Path) -> None:
        found = CliRunner().invoke(app, ["train", "--measures", str(EXAMPLE), "--athletes", "50"])
        assert isinstance(found.exception, CohortRefused)

    def test_a_cohort_file_with_them_needs_them(
        self, own: OwnMeasures, club: Cohort, tmp_path: Path
    ) -> None:
        with own.in_force():
            write(club, tmp_path / "club.csv")
            assert read(tmp_path / "club.csv") == read(tmp_path / "club.csv")
        with pytest.raises(CohortRefused, match="hop_distance_cm"):
            read(tmp_path / "club.csv")


def test_mlflow_loads_it_with_them(models: Path, loaded: Bundle, tmp_path: Path) -> None:
    """A frame may have the club's measures, and the signature names them."""
    write_loadable_model(
        tmp_path / "logged", models / V1, loaded.sha256, {"run_id": "1" * 32, "model_id": "m-1"}
    )
    described = Model.load(str(tmp_path / "logged"))
    assert "left_hop_distance_cm" in described.signature.inputs.input_names()
    config = described.flavors["python_function"]["config"]
    model = _load_pyfunc(str(tmp_path / "logged" / "bundle"), config)
    with loaded.model.own.in_force():
        screening = read_screening(BODY)
        row = to_row(screening)
    assert "left_hop_distance_cm" in row
    told = answer(loaded, screening).risk.either
    assert told is not None
    assert model.predict(pd.DataFrame([row]))["risk_either"].tolist() == [told.probability]
