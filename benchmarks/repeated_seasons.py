"""Many seasons of the simulated club, each with records of its own, without a service before them.

What is told, reported, imported, looked at and learnt is done by the functions that the service and
the commands call.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.season_club import TEAMS, ClubPool, level_off
from benchmarks.season_diary import LAST_DAY, Season
from kneerisk.cohort.splits import train_test_split
from kneerisk.evaluation.task_rows import Risks, risks_of
from kneerisk.model import Bundle
from kneerisk.model.risk_model import RiskModel
from kneerisk.records.clubs import clubs_named, made_club
from kneerisk.records.cohort_of_records.record_cohort import RecordAccount, cohort_of_records
from kneerisk.records.database import Database
from kneerisk.records.outcome_logs.outcome_mapping import OutcomeMapping
from kneerisk.records.outcome_logs.read_outcomes import read_outcome_logs
from kneerisk.records.outcome_report import OutcomeReport
from kneerisk.records.recorded_log import record_log
from kneerisk.records.reported_outcomes import keep_reports
from kneerisk.records.visit_records import Screened, Told, record_answer
from kneerisk.schema import SIDES, FloatArray, fingerprint
from kneerisk.training.fitting.settings import SEED
from kneerisk.training.updating.model_updating import UpdatedModel, update_model

CLUB, ACTOR = "Harbour Volleyball and Basketball", "benchmark"
#: Years that are played; a third team is screened after them.
YEARS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonResult:
    """What the years of one club came to.

    Levels are calibration in the large: by how many log-odds the told risks of the next year's
    knees are below their true ones.

    Attributes
    ----------
    season
        Its number.
    events
        Knees with new pain in the records, after each year.
    known
        Knees whose outcome is known, after each year.
    step
        What of the model was corrected, after each year.
    before
        Level of the first version, a year later and two.
    after
        Level of the version that was adapted to one year, and of that adapted to two.
    """

    season: int
    events: tuple[int, ...]
    known: tuple[int, ...]
    step: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def repeat_season(bundle: Bundle, club: ClubPool, number: int, today: date) -> SeasonResult:
    """Play two years of a club, each from screening to an adapted version, judged on the next.

    Parameters
    ----------
    bundle
        The first version.
    club
        Whose years they are.
    number
        Which are drawn.
    today
        The end of the second year.

    Returns
    -------
    SeasonResult
        Of both years.
    """
    years: dict[str, list[Any]] = defaultdict(list)
    teller = bundle
    with TemporaryDirectory() as folder:
        database = Database(str(Path(folder) / "club.sqlite"))
        database.upgrade()
        for year, (team, next_team) in enumerate(pairwise(TEAMS)):
            end = today - timedelta(days=(YEARS - 1 - year) * LAST_DAY)
            season = club.season(number, team, end - timedelta(days=LAST_DAY))
            record(database, teller, season, Path(folder))
            learnt, account = _learn(database, bundle, end)
            following = club.season(number, next_team, end)
            years["events"].append(account.events)
            years["known"].append(account.known)
            years["step"].append(learnt.step)
            years["before"].append(level(bundle.model, following))
            years["after"].append(level(learnt.model, following))
            # The next year is told by what was learnt.
            teller = replace(bundle, model=learnt.model)
        database.close()
    found = {name: tuple(values) for name, values in years.items()}
    return SeasonResult(season=number, **found)


def _learn(database: Database, bundle: Bundle, today: date) -> tuple[UpdatedModel, RecordAccount]:
    """The first version adapted to all records, as `kneerisk retrain` does it."""
    with database.reading() as session:
        cohort, account = cohort_of_records(session, clubs_named(session, []), today)
    return update_model(bundle.model, train_test_split(cohort)[0], SEED), account


def told_of_knees(model: RiskModel, season: Season) -> FloatArray:
    """The risks that a model tells of both knees of each athlete, shape (n, 2)."""
    told = risks_of(model.predict(season.cohort.columns()))
    return np.stack([np.asarray(told.left), np.asarray(told.right)], axis=1)


def level(model: RiskModel, season: Season) -> float:
    """Calibration in the large of a model's risks of a season's knees against the true ones."""
    return level_off(told_of_knees(model, season).ravel(), season.true_risk.ravel())


def record(database: Database, bundle: Bundle, season: Season, folder: Path) -> None:
    """Keep a year's screenings with what was told, the weekly reports and the list of cases.

    Parameters
    ----------
    database
        The records.
    bundle
        Of the version that tells.
    season
        The year.
    folder
        Where the list of cases may be written.
    """
    now = datetime.now(UTC)
    told = risks_of(bundle.model.predict(season.cohort.columns()))
    with database.writing() as session:
        club_id = made_club(session, CLUB, now)
        for place, screening in enumerate(season.screenings()):
            screened = Screened(
                athlete=season.athletes[place], day=season.first_day, screening=screening,
                schema_fingerprint=fingerprint(),
            )  # fmt: skip
            answer = Told(
                version=bundle.metadata.version, bundle_sha256=bundle.sha256,
                numbers={"risk": _numbers(told, place)},
            )  # fmt: skip
            record_answer(session, club_id, ACTOR, screened, answer, now)
        reports = [OutcomeReport.model_validate(one) for one in season.reports(0.0, LAST_DAY)]
        keep_reports(session, club_id, ACTOR, reports, now)
    cases = folder / "cases.csv"
    season.cases_until(LAST_DAY).to_csv(cases, index=False)
    record_log(database, CLUB, read_outcome_logs([cases], OutcomeMapping()), now)


def _numbers(told: Risks, place: int) -> dict[str, Any]:
    risks = dict(zip((*SIDES, "either"), (told.left, told.right, told.either), strict=True))
    return {"outcome_kind": "new_pain", "horizon_months": 12} | {
        name: {"probability": float(np.asarray(risk)[place])} for name, risk in risks.items()
    }
