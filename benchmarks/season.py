"""A club's season, end to end: screening, weekly reports, alarm, retraining, calibration restored.

`python -m benchmarks.season` lets one simulated club live through a year with the real service,
its database and the commands, in a folder of its own: 200 athletes, among whom new knee pain is
twice as frequent as the model tells. What the adapted version tells of the next year's athletes is
held against their true risks. One club is chance, so the same is repeated for others without a
service before them, and for a second year. No club was chosen by its result.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import season_plots
from benchmarks.repeated_seasons import CLUB, SeasonResult, repeat_season, told_of_knees
from benchmarks.season_club import ClubPool, level_off
from benchmarks.season_diary import LAST_DAY
from benchmarks.season_page import TARGET, as_markdown, summed_up
from benchmarks.season_pictures import take_pictures
from benchmarks.season_service import (
    TRAINED_ON,
    ClubFolder,
    live_through,
    screen,
    wait_for_version,
)
from kneerisk.evaluation.calibration.calibration_bins import Bins, bins
from kneerisk.evaluation.task_rows import own_task, risks_of
from kneerisk.model import Bundle
from kneerisk.records.clubs import clubs_named
from kneerisk.records.cohort_of_records.record_cohort import cohort_of_records
from kneerisk.records.database import Database
from kneerisk.training.registry.versions import load_version
from pipelines.console import say
from pipelines.retrain import EXIT_CODES

ROOT = Path(__file__).parents[1]
NUMBERS = ROOT / "benchmarks" / "results" / "season.json"
PAGE = NUMBERS.with_suffix(".md")
PLOTS = ROOT / "docs" / "plots"
#: Clubs; the first one is also the one with a service.
SEASONS = 20
#: Of the adapted version and the hazard by week beside it, on athletes that were left out.
OUT_OF_FOLD = (
    "log_loss", "calibration_slope", "hazard_log_loss", "hazard_calibration_slope",
    "log_loss_over_hazard", "log_loss_over_hazard_error",
)  # fmt: skip


def served_season(
    folder: ClubFolder, bundle: Bundle, club: ClubPool, today: date, pictures: bool
) -> dict[str, Any]:
    """Season 0 through service, database and commands.

    Parameters
    ----------
    folder
        With a released model.
    bundle
        The released model.
    club
        Whose season it is.
    today
        Its end.
    pictures
        Whether to take pictures of the page.

    Returns
    -------
    dict
        What was seen and told, as plain data.
    """
    season = club.season(0, "A", today - timedelta(days=LAST_DAY))
    following = club.season(0, "B", today)
    folder.run("records", "upgrade")
    key = folder.run("keys", "add", "--club", CLUB, "--role", "write")["key"]
    with folder.served(key) as client:
        screen(client, season)
        looks = live_through(client, folder, season)
        if pictures:
            take_pictures(str(client.base_url), key, season.athletes[0], PLOTS)
        end = folder.run("monitor", "--club", CLUB)
        waiting = folder.run("retrain", "--club", CLUB, ends_with=EXIT_CODES["waiting"])
        approved = folder.run("retrain", "--club", CLUB, "--approve-by", "J. Doe",
                              ends_with=EXIT_CODES["promoted"])  # fmt: skip
        wait_for_version(client, approved["version"])
        told = screen(client, following)
    true = following.true_risk.ravel()
    of_first = told_of_knees(bundle.model, following).ravel()
    return {
        "looks": asdict(looks), "at_the_end": end["next_step"], "events": waiting["events"],
        "first": waiting["base"], "adapted": approved["version"], "step": approved["step"],
        "proposed": waiting["proposed"],
        "out_of_fold": {name: waiting["metrics"][f"cv_{name}"] for name in OUT_OF_FOLD},
        "gates": [gate["told"] for gate in waiting["verdict"]["gates"]],
        "level_before": level_off(of_first, true), "level_after": level_off(told.ravel(), true),
        "first_year": observed_of_first(folder, bundle, today).as_dict(),
        "next_year": {"first": season_plots.tenths(of_first, true),
                      "adapted": season_plots.tenths(told.ravel(), true)},
    }  # fmt: skip


def observed_of_first(folder: ClubFolder, bundle: Bundle, today: date) -> Bins:
    """Told risks of version 1 and what the records say of them, in bins."""
    database = Database(folder.records)
    with database.reading() as session:
        cohort, _ = cohort_of_records(session, clubs_named(session, []), today)
    database.close()
    return bins(own_task(cohort, risks_of(bundle.model.predict(cohort.columns()))))


def main() -> int:
    """Play the seasons, print and write the results; 1 if the target is missed on average."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.season", description=__doc__)
    parser.add_argument("--seasons", type=int, default=SEASONS, help="clubs that are played")
    parser.add_argument("--pictures", action="store_true", help="also of the page, in Chromium")
    options = parser.parse_args()
    today = datetime.now(UTC).date()
    with TemporaryDirectory(prefix="kneerisk-season-") as path:
        folder = ClubFolder(Path(path))
        say("training version 1")
        folder.run("train", "--athletes", str(TRAINED_ON), "--refits", "0")
        folder.run("promote")
        bundle = load_version(folder.models)
        club = ClubPool.draw(bundle.model)
        say("a season with the service")
        served = served_season(folder, bundle, club, today, options.pictures)
    seasons = []
    for number in range(options.seasons):
        say(f"club {number + 1} of {options.seasons}")
        seasons.append(repeat_season(bundle, club, number, today))
    return write_results(served, club, seasons)


def write_results(served: dict[str, Any], club: ClubPool, seasons: Sequence[SeasonResult]) -> int:
    """Write numbers, page and plots.

    Parameters
    ----------
    served
        What `served_season` gave.
    club
        Whose seasons they are.
    seasons
        Of each club.

    Returns
    -------
    int
        1 if the target is missed on average.
    """
    repeated = summed_up(seasons)
    of_risks = {"told": float(club.told_risk.mean()), "told_either": float(club.told_either.mean()),
                "true": float(club.true_risk.mean())}  # fmt: skip
    result = {
        "club": of_risks, "target": TARGET, "served": served, "repeated": repeated,
        "met_on_average": abs(repeated["one_year"]["mean"]) <= TARGET,
        "seasons": [one.as_dict() for one in seasons],
    }  # fmt: skip
    NUMBERS.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    page = as_markdown(result)
    PAGE.write_text(page, "utf-8")
    for name, figure in season_plots.all_plots(result).items():
        figure.savefig(PLOTS / f"season-{name}.png", metadata={"Software": None})
    sys.stdout.write(page)
    return 0 if result["met_on_average"] else 1


if __name__ == "__main__":
    sys.exit(main())
