"""A club's count without screenings: `kneerisk adapt --outcomes 14 --of 60` and its promotion."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from conftest import VERSION
from typer.testing import CliRunner

from kneerisk.answer import answer
from kneerisk.answer.answer_schema import Answer
from kneerisk.cohort.files import write
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.errors import CohortRefused
from kneerisk.model import Bundle, bundle, champion
from kneerisk.model.base_rates import Count
from kneerisk.model.metadata import Metadata
from kneerisk.schema import read_screening
from kneerisk.training.registry.count_record import base_gate, correction_gate, count_gates
from kneerisk.training.registry.releases import recorded
from kneerisk.training.tracking import CARD, CHALLENGER, CHAMPION, Tracking
from kneerisk.training.updating.count_updating import update_by_count
from pipelines.__main__ import app

KIND = "kneerisk-new_pain-12m"
#: One with a sport, one without, one with nothing but age and sex.
BODIES = (
    {"athlete": {"age_years": 27, "sex": "female", "sport": "running"},
     "left": {"hip_drop_deg": 8, "wblt_distance_cm": 7}, "right": {"hip_drop_deg": 4}},
    {"athlete": {"age_years": 19, "sex": "male"}, "left": {"prior_knee_injury": "none"}},
    {"athlete": {"age_years": 44, "sex": "female", "sport": "volleyball"}},
)  # fmt: skip
SETTING = {"knee_pain_per_100": 100 * 14 / 60, "of": 60}


def kneerisk(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def numbers(given: Answer) -> list[float]:
    """Every risk, bound and base rate of an answer."""
    risks = [getattr(given.risk, knee) for knee in ("left", "right", "either")]
    of_risks = [number for risk in risks for number in (risk.probability, *risk.interval)]
    return [*of_risks, given.risk.base_rate.leg, given.risk.base_rate.either]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, champion_models: Path) -> Path:
    """A folder whose champion is registered, and to which a count was adapted as typed."""
    folder = tmp_path_factory.mktemp("counted")
    shutil.copytree(champion_models, folder / "models")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        served = champion.read(folder / "models")
        assert served is not None
        tracking = Tracking(folder)
        with tracking.start_run("the champion", {}) as run:
            version = run.register(KIND, "the champion")
            run.log_bundle(served.folder, served.sha256)
        tracking.make_champion(version)
        result = kneerisk("adapt", "--outcomes", "14", "--of", "60", "--json")
        assert result.exception is None, result.stderr
        (folder / "result.json").write_text(result.stdout, "utf-8")
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder; releases go to a copy of its models."""
    monkeypatch.chdir(made)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copytree(made / "models", tmp_path / "models")
    monkeypatch.setenv("KNEERISK_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def updated(here: Path, made: Path, tmp_path: Path) -> Bundle:
    """The challenger's bundle."""
    tracking = Tracking(made)
    version = tracking.version(json.loads((made / "result.json").read_text("utf-8"))["version"])
    (tmp_path / "fetched").mkdir()
    fetched = tracking.download_bundle(version, tmp_path / "fetched")
    return bundle.load(fetched, version.tags["bundle_sha256"])


@pytest.mark.slow
class TestCommand:
    def test_gives_a_challenger_that_says_what_it_is(self, here, made) -> None:
        result = json.loads((made / "result.json").read_text("utf-8"))
        assert result["base"] == VERSION
        assert result["step"] == "count"
        assert result["base_rate"]["before"] < result["base_rate"]["after"] < 14 / 60
        tracking = Tracking(made)
        assert str(tracking.version_with_alias(KIND, CHALLENGER)) == result["version"]
        params, metrics = tracking.logged_values(result["run_id"])
        assert params["cohort_kind"] == "adapted"
        assert (params["count_outcomes"], params["count_of"]) == ("14.0", "60.0")
        assert params["base_version"] == VERSION
        assert metrics == {}

    def test_its_card_says_that_it_is_not_validated(self, here, made, tmp_path) -> None:
        result = json.loads((made / "result.json").read_text("utf-8"))
        card = Tracking(made).download(result["run_id"], CARD, tmp_path).read_text("utf-8")
        assert "**Not validated**; updated by a count of 14 of 60 athletes." in card
        assert VERSION in card

    @pytest.mark.parametrize("body", BODIES)
    def test_answers_as_the_base_does_with_the_setting(self, updated, released, body) -> None:
        own = answer(updated, read_screening(body))
        asked = answer(released, read_screening({**body, "setting": SETTING}))
        assert numbers(own) == pytest.approx(numbers(asked), abs=1e-9)
        plain = answer(released, read_screening(body))
        assert own.risk.left.probability > plain.risk.left.probability * 1.2
        assert "count of 14 of 60 athletes" in own.notice
        assert own.risk.base_rate.from_club

    def test_a_setting_of_a_request_replaces_the_count(self, updated, released) -> None:
        body = {**BODIES[0], "setting": {"knee_pain_per_100": 5, "of": 300}}
        own, asked = (answer(each, read_screening(body)) for each in (updated, released))
        assert numbers(own) == pytest.approx(numbers(asked), abs=1e-9)

    def test_a_person_reads_what_moved_and_what_is_not_known(self, here) -> None:
        result = kneerisk("adapt", "--outcomes", "0", "--of", "60", "--model", VERSION)
        assert result.exception is None, result.stderr
        before, after = re.search(r"(\S+) of 100 before, (\S+) of 100 now", result.stdout).groups()
        assert 0.0 < float(after) < 0.5 * float(before)
        assert "not validated; updated by a count of 0 of 60 athletes" in result.stdout
        assert "setting replaces this count" in result.stdout

    def test_is_reproduced(self, here, made) -> None:
        result = json.loads((made / "result.json").read_text("utf-8"))
        reproduced = kneerisk("reproduce", result["version"], "--json")
        assert reproduced.exit_code == 0, reproduced.stderr
        assert json.loads(reproduced.stdout)["identical"]

    def test_is_not_updated_twice(self, here, made, simulated: Simulated, tmp_path) -> None:
        version = json.loads((made / "result.json").read_text("utf-8"))["version"]
        observed = replace(simulated.cohort, kind="observed", frame=simulated.cohort.frame.head(90))
        write(observed, tmp_path / "club.csv")
        for way in (("--outcomes", "9", "--of", "50"), ("--data", str(tmp_path / "club.csv"))):
            again = kneerisk("adapt", *way, "--model", version)
            assert "count the same pain twice" in str(again.exception)
            assert f"--model {VERSION}" in str(again.exception)


@pytest.mark.slow
class TestPromotion:
    def test_takes_a_person_s_word_and_keeps_it(self, here, made) -> None:
        version = json.loads((made / "result.json").read_text("utf-8"))["version"]
        refused = kneerisk("promote", version, "--serve", "--json")
        verdict = json.loads(refused.stdout)
        assert (verdict["promoted"], verdict["reasons"]) == (False, ["not_validated"])
        assert "not validated; updated by a count of 14 of 60 athletes" in str(refused.exception)
        why = "the count is of our own seasons"
        promoted = kneerisk("promote", version, "--accept-unvalidated", why, "--no-testpack")
        assert promoted.exception is None, promoted.stderr
        assert why in promoted.stdout
        assert not [*here.glob("*-testpack")]
        served = champion.read(here)
        assert served is not None
        assert served.version == version
        assert recorded(here)[version].accepted_unvalidated == why
        assert str(Tracking(made).version_with_alias(KIND, CHAMPION)) == version
        assert kneerisk("rollback").exit_code == 0
        assert champion.read(here).version == VERSION


#: What is typed, and what is said of it.
REFUSED = {
    "more than were counted": (("--outcomes", "61", "--of", "60"), "61 of 60 is no count"),
    "negative": (("--outcomes", "-1", "--of", "60"), "-1 of 60 is no count"),
    "of nobody": (("--outcomes", "0", "--of", "0"), "0 of 0 is no count"),
    "of too many": (("--outcomes", "1", "--of", "100001"), "1 of 100,001 is no count"),
    "no number counted": (("--outcomes", "14"), "a count takes both"),
    "no outcomes": (("--of", "60"), "a count takes both"),
    "a share": (("--outcomes", "0.23", "--of", "60"), "a valid int"),
    "nothing": ((), "give either"),
}


class TestRefused:
    @pytest.mark.parametrize("case", REFUSED)
    def test_a_count_that_is_none(self, case: str, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        typed, message = REFUSED[case]
        result = kneerisk("adapt", *typed)
        assert result.exit_code == 2
        assert message in " ".join(result.stderr.replace("│", " ").split())
        assert list(tmp_path.iterdir()) == []

    def test_a_count_beside_a_cohort(self, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("club.csv").write_text("athlete_id\n", "utf-8")
        result = kneerisk("adapt", "--outcomes", "14", "--of", "60", "--data", "club.csv")
        assert result.exit_code == 2
        assert "give either" in result.stderr

    @pytest.mark.parametrize("count", [Count(60, 60), Count(900, 1_000), Count(0, 1_000)])
    def test_a_count_of_something_else(self, released: Bundle, count: Count) -> None:
        with pytest.raises(CohortRefused, match="fits no definition of knee pain"):
            update_by_count(released, count)

    def test_a_version_that_outcomes_have_settled(self, released: Bundle) -> None:
        settled = replace(released, model=replace(released.model, base_rates=None))
        with pytest.raises(CohortRefused, match="have settled how often knees hurt"):
            update_by_count(settled, Count(14, 60))


PARAMS = {"adapted_step": "count", "count_outcomes": "14.0", "count_of": "60.0"}


class TestGates:
    def failed(self, gates) -> list[str]:
        return [gate.reason for gate in gates if not gate.passed]

    def test_of_its_own(self) -> None:
        assert self.failed(count_gates(PARAMS)) == ["not_validated"]
        assert self.failed(count_gates(PARAMS, "a person's reason")) == []
        few = PARAMS | {"count_of": "19.0"}
        assert self.failed(count_gates(few, "a reason")) == ["count_too_small"]

    def test_no_other_model_is_let_through(self) -> None:
        assert count_gates({"adapted_step": "intercept"}, "a reason") == ()

    def test_the_correction_is_what_the_count_supports(self, released: Bundle) -> None:
        params = {**PARAMS, "base_sha256": released.sha256}
        right = replace(released, model=released.model.counting(Count(14, 60)))
        assert correction_gate(right, released, params).passed
        for wrong in (released.model, released.model.counting(Count(15, 60))):
            gate = correction_gate(replace(released, model=wrong), released, params)
            assert (gate.passed, gate.reason) == (False, "other_correction")
        assert not correction_gate(right, released, {**params, "base_sha256": "0" * 64}).passed

    def test_only_the_model_that_it_updates_is_replaced(self, released: Bundle) -> None:
        base = released.metadata
        counted = replace(base, version=f"{KIND}-v8", base_version=base.version,
                          choices={"count_outcomes": 9.0, "count_of": 50.0})  # fmt: skip
        by_outcomes = replace(counted, choices={})
        assert base_gate(base, base).passed
        assert base_gate(base, counted).passed
        assert base_gate(base, by_outcomes).reason == "base_not_champion"
        assert base_gate(base, replace(base, version=f"{KIND}-v9")).reason == "base_not_champion"

    @pytest.mark.parametrize("verdict", [None, {"passes": False}, {"passes": True}])
    def test_without_a_champion_the_base_must_pass(self, released: Bundle, verdict) -> None:
        base: Metadata = replace(released.metadata, verdict=verdict)
        assert base_gate(base, None).passed is (verdict == {"passes": True})


def test_a_count_was_surprising_where_few_beforehand_had_been_further_out(
    released: Bundle,
) -> None:
    """By simulation: a normal base rate over definitions and sports, then binomial counts."""
    rates = released.model.base_rates
    assert rates is not None
    generator = np.random.default_rng(5)
    shift = generator.normal(size=200_000) * np.hypot(rates.spread.mean(), rates._between_sports)
    rate = 1.0 / (1.0 + np.exp(-rates._club_log_odds(-1, shift)))
    drawn = generator.binomial(60, rate)
    for outcomes in (0, 2, 14, 25):
        tail = min((drawn <= outcomes).mean(), (drawn >= outcomes).mean())
        assert rates.surprise(Count(outcomes, 60)) == pytest.approx(min(1, 2 * tail), abs=0.01)
