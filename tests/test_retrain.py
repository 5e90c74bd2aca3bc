"""`kneerisk retrain`: what a club's records make of the version that was served."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from scipy.special import expit, logit
from typer.testing import CliRunner

from kneerisk.cohort.file_screenings import screenings_of
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.model import Bundle, bundle, champion
from kneerisk.records.audit import audit_lines
from kneerisk.records.clubs import made_club
from kneerisk.records.database import Database
from kneerisk.records.visit_records import (
    Reported,
    Screened,
    Told,
    record_answer,
    record_outcomes,
)
from kneerisk.schema import SIDES, fingerprint
from kneerisk.training.new_versions.retraining import Retrained, is_due
from kneerisk.training.registry import releases
from kneerisk.training.tracking import CHALLENGER, CHAMPION, Tracking
from kneerisk.training.updating.hazard_beside import proposal
from pipelines.__main__ import app
from pipelines.retrain import EXIT_CODES, summary

NOW = datetime.now(UTC)
VISIT = NOW.date() - timedelta(days=380)
#: By which the club's knees have more pain than was told, in log-odds.
MORE_PAIN = 0.9


def season(database: Database, served: Bundle, athletes: int, start: date = VISIT) -> None:
    """A club whose athletes were told a risk, and of whom more got pain than was told."""
    simulated = simulate(athletes, 5)
    told = served.model.predict(simulated.cohort.columns())
    rng = np.random.default_rng(8)
    pain = [rng.random(athletes) < expit(logit(risk) + MORE_PAIN)
            for risk in (simulated.truth["risk_left"], simulated.truth["risk_right"])]  # fmt: skip
    with database.writing() as session:
        club = made_club(session, "Harbour FC", NOW)
        for number, screening in enumerate(screenings_of(simulated.cohort.frame)):
            name, numbers = f"A{number}", risk_of(told, number)
            screened = Screened(
                athlete=name, day=start, schema_fingerprint=fingerprint(),
                screening=screening.model_dump(mode="json", exclude_none=True, exclude_unset=True),
            )  # fmt: skip
            version = Told(
                version=served.metadata.version, bundle_sha256=served.sha256,
                numbers={"risk": numbers},
            )  # fmt: skip
            record_answer(session, club, "key", screened, version, NOW)
            onset = start + timedelta(days=int(rng.integers(7, 360)))
            outcomes = [
                Reported(athlete=name, kind="knee_pain", side=side, first_day=onset, last_day=onset)
                for side, of_side in zip(SIDES, pain, strict=True)
                if of_side[number]
            ]
            hurts = bool(outcomes)
            # Weekly at first, which makes it weekly follow-up, and then for the rest.
            for first, last in ((0, 7), (8, 14), (15, 21), (22, 28), (29, 370)):
                until = start + timedelta(days=last)
                outcomes.append(Reported(
                    athlete=name, kind="check_in", side="both",
                    first_day=start + timedelta(days=first), last_day=until,
                    details={"knee_problem": hurts and onset <= until},
                ))  # fmt: skip
            record_outcomes(session, club, "key", outcomes, NOW)


def risk_of(told: Any, number: int) -> dict[str, Any]:
    knees = {
        side: {"probability": float(risk[number])}
        for side, risk in zip(SIDES, (told.left, told.right), strict=True)
    }
    return {"status": "ok", "outcome_kind": "new_pain", "horizon_months": 12, **knees}


@pytest.fixture
def run(tmp_path: Path, released: Bundle, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "KNEERISK_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KNEERISK_RECORDS", str(tmp_path / "club.sqlite"))
    monkeypatch.setattr("kneerisk.training.new_versions.adapted_version.FOLD_SEEDS", range(1))
    # Its number is that of no version which an empty store would give.
    served = replace(released.metadata, version="kneerisk-new_pain-12m-v7")
    folder = tmp_path / "models" / served.version
    sha256 = bundle.save(released.model, served, folder, baseline=released.baseline)
    champion.write(folder.parent, served.version, sha256, None)
    arguments = ["retrain", "--refits", "0", "--json"]
    return lambda *more: CliRunner().invoke(app, [*arguments, *more])


@pytest.fixture
def database(run: Callable[..., Result], tmp_path: Path) -> Database:
    made = Database(str(tmp_path / "club.sqlite"))
    made.upgrade()
    return made


@pytest.mark.slow
def test_a_season_with_more_pain_than_told_becomes_the_next_champion(
    run: Callable[..., Result], database: Database, released: Bundle, tmp_path: Path
) -> None:
    season(database, released, 300)
    waiting = run()
    assert waiting.exit_code == EXIT_CODES["waiting"], waiting.output
    told = json.loads(waiting.stdout)
    assert (told["state"], told["how"], told["base"]) == (
        "waiting", "adapted", "kneerisk-new_pain-12m-v7",
    )  # fmt: skip
    assert told["verdict"]["passes"]
    assert told["metrics"]["cv_log_loss"] < told["metrics"]["cv_as_is_log_loss"]
    # Follow-up was weekly: a hazard was fitted beside it, and stays beside it.
    assert told["metrics"]["cv_hazard_log_loss"] < told["metrics"]["cv_as_is_log_loss"]
    assert told["proposed"] == proposal(told["metrics"])
    tracking = Tracking(tmp_path)
    assert champion.read(tmp_path / "models").version == told["base"]

    # The same records are not learnt from twice: what waits is what is approved.
    approved = run("--approve-by", "J. Doe")
    assert approved.exit_code == EXIT_CODES["promoted"], approved.output
    assert json.loads(approved.stdout)["version"] == told["version"]
    assert json.loads(approved.stdout)["proposed"] == told["proposed"]
    assert champion.read(tmp_path / "models").version == told["version"]
    version = tracking.version_with_alias("kneerisk-new_pain-12m", CHAMPION)
    assert version is not None
    assert (str(version), version.tags["approved_by"]) == (told["version"], "J. Doe")
    assert releases.recorded(tmp_path / "models")[told["version"]].approved_by == "J. Doe"
    assert tracking.version_with_alias("kneerisk-new_pain-12m", CHALLENGER) is None

    again = run()
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["state"] == "nothing_due"
    states = [line.action for line in audit_lines(database)][-3:]
    assert states == ["waiting", "promoted", "nothing_due"]
    # No file holds the athletes but the records.
    assert not list(tmp_path.rglob("*.parquet"))


def test_before_anybody_was_followed_to_the_end_nothing_is_due(
    run: Callable[..., Result], database: Database, released: Bundle
) -> None:
    season(database, released, 5, start=NOW.date() - timedelta(days=60))
    found = run()
    assert (found.exit_code, json.loads(found.stdout)["state"]) == (0, "too_early")


def test_an_approval_has_a_name(run: Callable[..., Result], database: Database) -> None:
    found = run("--approve-by", " ")
    assert found.exit_code == 2
    assert "say who" in found.stderr


@pytest.mark.parametrize(
    ("asked_for", "learnt_from", "events", "due"),
    [
        ("nothing", 0.0, 14, False), ("nothing", 0.0, 15, True), ("collect", 30.0, 59, False),
        ("collect", 30.0, 60, True), ("adapt", 30.0, 1, True), ("stop", 30.0, 0, False),
    ],
)  # fmt: skip
def test_what_is_due(
    asked_for: str, learnt_from: float, events: int, due: bool, released: Bundle
) -> None:
    kind = "adapted" if learnt_from else "simulated"
    served = replace(released.metadata, cohort=kind, events=learnt_from)
    assert is_due(served, asked_for, events) is due


#: Out of fold: the risk of the horizon, and the hazard by week, which saves 0.01.
COMPARED = {
    "cv_log_loss": 0.45, "cv_calibration_slope": 1.0, "cv_calibration_intercept": 0.05,
    "cv_hazard_log_loss": 0.44, "cv_hazard_calibration_slope": 1.1,
    "cv_hazard_calibration_intercept": 0.1, "cv_log_loss_over_hazard": 0.01,
    "cv_log_loss_over_hazard_error": 0.004,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "proposed"),
    [
        ({}, "weekly_hazard"),
        ({"cv_log_loss_over_hazard_error": 0.02}, "risk_of_the_horizon"),
        ({"cv_log_loss_over_hazard": -0.01}, "risk_of_the_horizon"),
        ({"cv_hazard_calibration_slope": 0.6}, "risk_of_the_horizon"),
        ({"cv_hazard_calibration_slope": 0.6, "cv_calibration_slope": 0.5}, "weekly_hazard"),
        ({"cv_hazard_calibration_intercept": 0.3}, "risk_of_the_horizon"),
    ],
)
def test_which_of_the_two_is_proposed(changed: dict[str, float], proposed: str) -> None:
    assert proposal(COMPARED | changed) == proposed


def test_without_weekly_follow_up_nothing_is_proposed() -> None:
    assert proposal({"cv_log_loss": 0.45}) is None


def test_the_proposal_is_told_and_not_taken() -> None:
    ratio = dict(zip(("hazard_training_ratio", "hazard_training_ratio_low",
                      "hazard_training_ratio_high"), (1.2, 1.05, 1.37), strict=True))  # fmt: skip
    lines = summary(Retrained(
        state="waiting", base="m-v1", events=90, version="m-v2", how="adapted", step="slope",
        metrics=COMPARED | ratio, proposed="weekly_hazard",
    ))  # fmt: skip
    told = "\n".join(str(line) for line in lines)
    assert "log loss 0.4400 and slope 1.10" in told
    assert "is +0.0100 against it (standard error 0.0040)" in told
    assert "No version tells it yet" in told
    assert "1.20 times the hazard (95 % interval 1.05 to 1.37)" in told
