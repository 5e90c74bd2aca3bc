"""A bundle vouches for itself, and the champion file names one of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.cohort.splits import subset
from kneerisk.errors import BundleRefused
from kneerisk.model import (
    Bundle,
    Prediction,
    RiskModel,
    bundle,
    champion,
    imputation,
    open_variance,
)
from kneerisk.model.imputation import MeasurementUpdate, stated_protocols
from kneerisk.model.open_variance import OpenVariance
from kneerisk.schema import Columns, FloatArray, Screening, coded
from kneerisk.training.fitting.fit import Fitted, fit
from kneerisk.training.fitting.fitted_metadata import metadata_of

FILES = ("manifest.json", "model.json", "facts.json", "golden.json")


def same(one: Prediction, other: Prediction) -> bool:
    """Whether two predictions agree in every bit."""

    def numbers(found: Prediction) -> dict[str, FloatArray]:
        given = {name: getattr(found, name) for name in ("left", "right", "either", "imbalances")}
        ends = {f"{name} interval": np.stack(pair) for name, pair in found.intervals.items()}
        return {name: value for name, value in (given | ends).items() if value is not None}

    ours, theirs = numbers(one), numbers(other)
    return ours.keys() == theirs.keys() and all(
        np.array_equal(value, theirs[name]) for name, value in ours.items()
    )


@pytest.fixture
def folder(champion_models: Path, released: Bundle, tmp_path: Path) -> Path:
    """A copy of the released bundle, to be spoilt."""
    return shutil.copytree(champion_models / released.metadata.version, tmp_path / "spoilt")


def vouch_again(folder: Path) -> None:
    """Write a manifest that agrees with the files as they are now."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


class TestRoundTrip:
    def test_gives_the_same_numbers_to_the_last_bit(
        self, fitted: Fitted, released: Bundle, simulated: Simulated
    ) -> None:
        data = subset(simulated.cohort, np.arange(len(simulated.cohort.frame)) < 500).columns()
        assert same(fitted.model.predict(data), released.model.predict(data))

    @pytest.mark.parametrize("sided", [True, False])
    def test_a_model_of_outcomes_comes_back_as_it_was(
        self, observed: Cohort, sided: bool, tmp_path: Path
    ) -> None:
        cohort = observed if sided else without_sides(observed)
        fitted = fit(cohort)
        metadata = metadata_of(cohort, None, fitted, version="club-v1", run_id="1", git_sha=None,
                         data_sha256="0")  # fmt: skip

        sha256 = bundle.save(fitted.model, metadata, tmp_path / "club")
        loaded = bundle.load(tmp_path / "club", sha256)

        found = loaded.model.predict(cohort.columns())
        assert same(found, fitted.model.predict(cohort.columns()))
        assert (found.left is not None) == sided
        assert found.imbalances is None
        assert loaded.metadata == metadata

    def test_holds_no_file_that_could_run(self, folder: Path) -> None:
        names = {path.name for path in folder.iterdir()}
        assert set(FILES) <= names
        assert {Path(name).suffix for name in names} == {".json", ".ubj"}
        assert all(json.loads((folder / name).read_text()) for name in FILES)

    def test_the_same_model_has_the_same_name(
        self, fitted: Fitted, released: Bundle, tmp_path: Path
    ) -> None:
        sha256 = bundle.save(
            fitted.model, released.metadata, tmp_path / "again", baseline=released.baseline
        )
        assert sha256 == released.sha256

    def test_is_written_once(self, fitted: Fitted, released: Bundle, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("mine")
        with pytest.raises(BundleRefused, match="not empty"):
            bundle.save(fitted.model, released.metadata, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.fixture(scope="module")
def observed(simulated: Simulated) -> Cohort:
    """Some of the simulated athletes as a club's own, outcomes only."""
    some = subset(simulated.cohort, np.arange(len(simulated.cohort.frame)) < 600)
    return replace(some, kind="observed")


def without_sides(cohort: Cohort) -> Cohort:
    frame = cohort.frame.drop(columns=["outcome_left", "outcome_right"])
    return replace(cohort, frame=frame.assign(outcome_either=cohort.outcomes().either))


def edit(path: Path, place: str, value: Any) -> None:
    """Change one place of a JSON file, such as ``margin/between_weights``."""
    data = json.loads(path.read_text())
    *sections, name = place.split("/")
    part = data
    for section in sections:
        part = part[section]
    part[name] = value
    path.write_text(json.dumps(data))


class TestRefused:
    def test_a_folder_without_a_manifest_is_no_bundle(self, tmp_path: Path) -> None:
        with pytest.raises(BundleRefused, match="is not a bundle: it has no manifest"):
            bundle.load(tmp_path)
        with pytest.raises(BundleRefused, match="is not a bundle"):
            bundle.load(tmp_path / "nowhere")

    @pytest.mark.parametrize("name", [*FILES[1:], "quantiles.ubj"])
    def test_a_missing_file_is_named(self, folder: Path, name: str) -> None:
        (folder / name).unlink()
        with pytest.raises(BundleRefused, match=f"{name} is missing"):
            bundle.load(folder)

    @pytest.mark.parametrize("name", [*FILES[1:], "quantiles.ubj"])
    def test_a_changed_file_is_named(self, folder: Path, name: str) -> None:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(BundleRefused, match=f"{name} was changed"):
            bundle.load(folder)

    def test_a_file_too_many_is_named(self, folder: Path) -> None:
        (folder / "extra.json").write_text("{}")
        with pytest.raises(BundleRefused, match=r"extra\.json does not belong"):
            bundle.load(folder)

    def test_a_folder_in_place_of_a_file(self, folder: Path) -> None:
        (folder / "facts.json").unlink()
        (folder / "facts.json").mkdir()
        with pytest.raises(BundleRefused, match="can't be read"):
            bundle.load(folder)

    def test_another_bundle_than_the_one_that_was_released(
        self, folder: Path, released: Bundle
    ) -> None:
        assert bundle.load(folder, released.sha256).metadata == released.metadata
        (folder / "manifest.json").write_text((folder / "manifest.json").read_text() + " ")
        with pytest.raises(BundleRefused, match="not the bundle that was released"):
            bundle.load(folder, released.sha256)

    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            ("schema", "another", "trained with schema another.*train a new model"),
            ("format", 99, "has format 99.*train a new model"),
            ("files", ["model.json"], "can't be read"),
            ("files", None, "can't be read"),
        ],
    )
    def test_a_manifest_of_something_else(
        self, folder: Path, name: str, value: Any, reason: str
    ) -> None:
        edit(folder / "manifest.json", name, value)
        with pytest.raises(BundleRefused, match=reason):
            bundle.load(folder)

    @pytest.mark.parametrize("text", ["", "{", "[]", "3", '"manifest"', "\udc80"])
    def test_a_manifest_that_is_none(self, folder: Path, text: str) -> None:
        (folder / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
        with pytest.raises(BundleRefused, match="can't be read"):
            bundle.load(folder)

    @pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
    def test_truncated_trees_are_refused_before_they_are_read(
        self, folder: Path, share: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """XGBoost may end the process over half a file, so the hashes come first."""
        whole = (folder / "quantiles.ubj").read_bytes()
        (folder / "quantiles.ubj").write_bytes(whole[: int(share * len(whole))])
        monkeypatch.setattr("xgboost.Booster", None)
        with pytest.raises(BundleRefused, match=r"quantiles\.ubj was changed"):
            bundle.load(folder)

    @pytest.mark.parametrize("name", FILES[1:])
    @pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
    def test_a_truncated_file_that_somebody_vouches_for(
        self, folder: Path, name: str, share: float
    ) -> None:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: int(share * len(whole))])
        vouch_again(folder)
        with pytest.raises(BundleRefused):
            bundle.load(folder)

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("margin/intercept", 0.3),
            ("calibration/slope", 1.2),
            ("odds_ratio", 1.0),
            ("either_widening", 0.5),
            ("interval/widening", 0.4),
            ("population/shifts", None),
        ],
    )
    def test_other_numbers_are_caught_by_the_golden_cases(
        self, folder: Path, place: str, value: Any
    ) -> None:
        if value is None:
            shifts = json.loads((folder / "model.json").read_text())["population"]["shifts"]
            value = [[2 * number for number in row] for row in shifts]
        edit(folder / "model.json", place, value)
        vouch_again(folder)
        with pytest.raises(BundleRefused, match="other numbers for its golden cases"):
            bundle.load(folder)

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("margin", None),
            ("margin/between_weights", [1.0]),
            ("population/shifts", [[1.0]]),
            ("population/leg", []),
            ("interval/kind", "unheard of"),
            ("calibration", {"slope": "steep"}),
            ("boosted/file", "elsewhere.ubj"),
        ],
    )
    def test_data_that_is_no_model(self, folder: Path, place: str, value: Any) -> None:
        edit(folder / "model.json", place, value)
        vouch_again(folder)
        with pytest.raises(BundleRefused):
            bundle.load(folder)

    @pytest.mark.parametrize("facts", ['{"unheard_of": 1}', "[]", "null", "3"])
    def test_facts_that_are_none(self, folder: Path, facts: str) -> None:
        (folder / "facts.json").write_text(facts)
        vouch_again(folder)
        with pytest.raises(BundleRefused, match="can't be read"):
            bundle.load(folder)

    @pytest.mark.parametrize("kind", ["pipe", "link", "device"])
    @pytest.mark.parametrize("name", ["manifest.json", "model.json", "quantiles.ubj"])
    def test_only_regular_files_are_read(self, folder: Path, name: str, kind: str) -> None:
        """A pipe in the place of a file would hold the service's watcher up for ever."""
        (folder / name).unlink()
        if kind == "pipe":
            os.mkfifo(folder / name)
        else:
            (folder / name).symlink_to("/dev/zero" if kind == "device" else __file__)
        with pytest.raises(BundleRefused, match=r"can't be read: it is (a link|not a)"):
            bundle.load(folder)

    def test_a_file_out_of_all_measure(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(champion, "MOST_BYTES", 10)
        with pytest.raises(BundleRefused, match="has more than 10 bytes"):
            champion.read_file(folder / "model.json", 10)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("left_children", 5_000), ("right_children", -7), ("left_children", 0),
            ("parents", 9_999), ("split_indices", 4_000_000), ("split_indices", -1),
        ],
    )  # fmt: skip
    def test_trees_that_point_out_of_themselves(self, folder: Path, name: str, value: int) -> None:
        """XGBoost ends the process over these, whoever vouches for the file."""
        path = folder / "quantiles.ubj"
        content = path.read_bytes()
        at = content.index(name.encode() + b"[$l#L") + len(name) + 5 + 8
        path.write_bytes(content[:at] + value.to_bytes(4, "big", signed=True) + content[at + 4 :])
        vouch_again(folder)
        with pytest.raises(BundleRefused, match=r"can't be read: \w+Error"):
            bundle.load(folder)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (b"num_feature", b"num_features"), (b"reg:quantileerror", b"rank:pairwise_now"),
            (b"gbtree", b"gbline"), (b"learner{", b"learner["), (b"base_weights", b"base_height"),
        ],
    )  # fmt: skip
    def test_a_booster_of_another_sort(self, folder: Path, before: bytes, after: bytes) -> None:
        path = folder / "quantiles.ubj"
        path.write_bytes(path.read_bytes().replace(before, after))
        vouch_again(folder)
        with pytest.raises(BundleRefused):
            bundle.load(folder)

    def test_a_booster_that_breaks_off_anywhere(self, folder: Path) -> None:
        path = folder / "quantiles.ubj"
        content = path.read_bytes()
        for size in range(60):
            path.write_bytes(content[:size])
            vouch_again(folder)
            with pytest.raises(BundleRefused, match=r"can't be read: \w+Error"):
                bundle.load(folder)

    def test_numbers_that_are_none_are_not_golden(self, folder: Path) -> None:
        edit(folder / "golden.json", "left", [float("nan")] * 4)
        vouch_again(folder)
        with pytest.raises(BundleRefused, match="golden"):
            bundle.load(folder)


DOCUMENTS = {"card.md": b"# a card", "plots/roc.png": b"a plot"}


class TestDocuments:
    """The card and its plots are vouched for as well; a bundle of an older program has none."""

    @pytest.fixture
    def carded(self, fitted: Fitted, released: Bundle, tmp_path: Path) -> Path:
        bundle.save(fitted.model, released.metadata, tmp_path / "carded", DOCUMENTS)
        return tmp_path / "carded"

    def test_are_read_back(self, carded: Path, folder: Path) -> None:
        assert bundle.load(carded).documents == {"card.md", "plots/roc.png"}
        (folder / "card.md").write_text("of an older program")
        assert bundle.load(folder).documents == frozenset()

    @pytest.mark.parametrize("name", DOCUMENTS)
    def test_that_were_changed_are_refused(self, carded: Path, name: str) -> None:
        (carded / name).write_bytes(b"better")
        with pytest.raises(BundleRefused, match=f"{name} was changed"):
            bundle.load(carded)
        (carded / name).unlink()
        with pytest.raises(BundleRefused, match=f"{name} is missing"):
            bundle.load(carded)

    def test_that_nobody_vouches_for_are_refused(self, carded: Path) -> None:
        (carded / "plots" / "extra.png").write_bytes(b"?")
        with pytest.raises(BundleRefused, match=r"plots/extra\.png does not belong"):
            bundle.load(carded)


class TestChampionFile:
    def test_a_pipe_in_its_place_is_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "champion.json")
        with pytest.raises(BundleRefused, match="not a regular file"):
            champion.read(tmp_path)

    def test_a_write_that_fails_leaves_no_other_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("os.fsync", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            champion.write(tmp_path, "v1", "a", None)
        assert list(tmp_path.iterdir()) == []

    def test_none_where_there_is_none(self, tmp_path: Path) -> None:
        assert champion.read(tmp_path) is None

    def test_what_is_written_is_read(self, tmp_path: Path) -> None:
        written = champion.write(tmp_path / "models", "pain-12m-v2", "ab12", "pain-12m-v1")
        found = champion.read(tmp_path / "models")
        assert found == written
        assert found.folder == tmp_path / "models" / "pain-12m-v2"
        assert (found.sha256, found.previous) == ("ab12", "pain-12m-v1")

    def test_leaves_nothing_else_behind(self, tmp_path: Path) -> None:
        champion.write(tmp_path, "v1", "a", None)
        champion.write(tmp_path, "v2", "b", "v1")
        assert [path.name for path in tmp_path.iterdir()] == ["champion.json"]

    def test_a_reader_sees_the_old_one_or_the_new_one(self, tmp_path: Path) -> None:
        champion.write(tmp_path, "v0", "0", None)
        done = threading.Event()

        def write() -> None:
            for number in range(1, 60):
                champion.write(tmp_path, f"v{number}", str(number), None)
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        while not done.is_set():
            found = champion.read(tmp_path)
            assert found is not None
            assert found.version == f"v{found.sha256}"
        writer.join()

    def test_a_write_that_fails_leaves_the_old_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = champion.write(tmp_path, "v1", "a", None)

        def full(*_: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="no space"):
            champion.write(tmp_path, "v2", "b", "v1")
        assert champion.read(tmp_path) == before

    @pytest.mark.parametrize(
        "text",
        ["", "{", "[]", "null", "3", "{}", '{"version": "v1"}', b"\xff\xfe",
         '{"version": "v1", "sha256": null}', '{"version": "v1", "sha256": "a", "previous": 3}'],
    )  # fmt: skip
    def test_another_file_of_that_name_is_refused(self, tmp_path: Path, text: str | bytes) -> None:
        raw = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "champion.json").write_bytes(raw)
        with pytest.raises(BundleRefused, match=r"champion\.json"):
            champion.read(tmp_path)

    @pytest.mark.parametrize(
        "version", ["..", ".", "", "../v1", "/etc", "a/b", "v1/..", "a\\b", "a\0b", "v1\n", 3, None]
    )
    @pytest.mark.parametrize("place", ["version", "previous"])
    def test_a_way_out_of_the_folder_is_no_version(
        self, tmp_path: Path, version: object, place: str
    ) -> None:
        if version is None and place == "previous":
            return
        facts = {"version": "v1", "sha256": "a", "previous": "v0", place: version}
        (tmp_path / "champion.json").write_text(json.dumps(facts))
        with pytest.raises(BundleRefused, match="does not name a version"):
            champion.read(tmp_path)


class TestThreads:
    def test_give_what_one_alone_gives(
        self, released: Bundle, simulated: Simulated, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With less room for patterns than there are patterns, so that they make room at once."""
        most = 100_000
        monkeypatch.setattr(imputation, "MOST_BYTES", most)
        some = subset(simulated.cohort, np.arange(len(simulated.cohort.frame)) < 250).columns()
        alone = released.model.predict(some)
        shared = RiskModel(
            **{name: getattr(released.model, name) for name in RiskModel.__dataclass_fields__}
        )
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(shared.predict, [some] * 8))
        assert all(same(one, alone) for one in found)
        assert most / 2 < shared.measurement_update.gain.held_bytes <= most


class TestMemory:
    """What a service remembers does not grow with what it is asked."""

    def test_of_20_000_patterns_of_tests_the_latest_are_remembered(self, released: Bundle) -> None:
        update = MeasurementUpdate(released.model.population)
        size, rng = update.population.n_measures, np.random.default_rng(2)
        protocols = bytes(stated_protocols(self.nobody())[0].astype(np.uint8))
        for pattern in rng.integers(0, 2, (20_000, size), dtype=np.uint8):
            latest = update.gain(pattern.tobytes() + protocols)
        assert imputation.MOST_BYTES / 2 < update.gain.held_bytes <= imputation.MOST_BYTES
        assert update.gain(pattern.tobytes() + protocols) is latest

    def test_so_are_the_latest_of_further_tests(self, released: Bundle) -> None:
        opened = OpenVariance(released.model.population)
        protocols, rng = stated_protocols(self.nobody())[0], np.random.default_rng(2)
        for bits in rng.integers(0, 2, (1_200, opened.population.n_measures)):
            opened.posterior(np.flatnonzero(bits), protocols, {"a": (5,)})
        most = open_variance.MOST_BYTES
        assert most / 2 < opened.solved.held_bytes <= most

    def nobody(self) -> Columns:
        return coded([Screening.model_validate({"athlete": {"age_years": 30, "sex": "male"}})])
