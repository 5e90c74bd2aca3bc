"""The results of the simulated club's season as a page: one club with a service, many without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.repeated_seasons import SeasonResult
from benchmarks.season_club import AGES, ATHLETES, SPORTS
from benchmarks.season_plots import mean_and_half
from benchmarks.season_service import TRAINED_ON

#: Calibration in the large of the adapted version, in log-odds from the truth.
TARGET = 0.1


def summed_up(seasons: Sequence[SeasonResult]) -> dict[str, Any]:
    """Means over clubs and their intervals, and how many met the target.

    Parameters
    ----------
    seasons
        Of each club.

    Returns
    -------
    dict
        Plain data.
    """
    levels = {
        "before": [season.before[0] for season in seasons],
        "one_year": [season.after[0] for season in seasons],
        "two_years": [season.after[1] for season in seasons],
    }
    found: dict[str, Any] = {
        "clubs": len(seasons),
        "events": [float(np.mean([season.events[year] for season in seasons])) for year in (0, 1)],
    }  # fmt: skip
    for name, values in levels.items():
        middle, half = mean_and_half(values)
        found[name] = {
            "mean": middle, "low": middle - half, "high": middle + half,
            "sd": float(np.std(values, ddof=1)),
            "within": int((np.abs(values) <= TARGET).sum()),
            "farthest": float(max(values, key=abs)),
        }  # fmt: skip
    return found


def as_markdown(result: dict[str, Any]) -> str:
    """The page of the results."""
    served, repeated = result["served"], result["repeated"]
    rows = [
        f"| {label} | {found['mean']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f}) | "
        f"{found['sd']:.3f} | {found['within']} of {repeated['clubs']} | {found['farthest']:+.2f} |"
        for label, found in (
            ("version 1", repeated["before"]),
            ("adapted to one year", repeated["one_year"]),
            ("adapted to two years", repeated["two_years"]),
        )
    ]
    return _PAGE.format(
        athletes=ATHLETES, sports=" and ".join(SPORTS), youngest=AGES[0], oldest=AGES[1],
        trained=f"{TRAINED_ON:,}", target=TARGET, rows="\n".join(rows),
        mean_verdict="Met" if result["met_on_average"] else "MISSED", **result["club"],
        **{name: served[name] for name in ("events", "step", "level_before", "level_after")},
        week=served["looks"]["alarm_week"], proposed=served["proposed"].replace("_", " "),
        **served["out_of_fold"],
        clubs=repeated["clubs"], one=repeated["events"][0], two=repeated["events"][1],
        one_year=repeated["one_year"]["within"],
        two_years=repeated["two_years"]["within"],
    )  # fmt: skip


_PAGE = """# A club's season, end to end

Made by `python -m benchmarks.season`. The club is simulated: {athletes} men of {sports},
{youngest} to {oldest} years old, with a knee injury behind them and no pain at the screening. Of
such athletes the model tells {told_either:.0%} a year for either knee ({told:.1%} a knee), as much
as a club of {athletes} needs to see a change in half a season. New pain is twice as frequent in
truth ({true:.1%} a knee). The first version is fitted to {trained} simulated athletes of all
sports.

## With the service

Screening over HTTP with a club's key, weekly answers about each knee (a fifth missing, a fifth of
the athletes stopping within a year), a list of cases with OSIICS codes imported every four weeks, a
look each week, `kneerisk retrain`, a person's approval, and the next year's athletes told by the
version that the running service has changed to.

![What the club sees each week](../../docs/plots/season-alarm.png)

The alarm is raised in week {week}. The correction waits until the year is over (`kneerisk retrain`
says `too_early`): before, pain is known and its absence is not. The records then have {events}
knees with new pain, and the version is corrected in level and slope (`{step}`).

A hazard by week was fitted beside it: log loss {hazard_log_loss:.4f} against {log_loss:.4f} of the
risk of 12 months, on athletes that were left out (difference {log_loss_over_hazard:+.4f}, standard
error {log_loss_over_hazard_error:.4f}). Proposed is the {proposed}.

![Calibration before and after](../../docs/plots/season-calibration.png)

Of the next year's athletes the true risks are {level_before:+.2f} log-odds above those that version
1 tells, and {level_after:+.2f} above those of the adapted version. This club was not chosen by its
result; what chance does to a club is below.

## In {clubs} clubs

One club is chance: {one:.0f} knees with new pain say no more of the level than to some 0.13
log-odds. The same season again, other athletes and other chance, by the functions that the service
calls; then a second year. Calibration in the large against the true risks of the next year's
athletes, in log-odds; above 0, too little is told:

| | mean (95 % interval) | SD over clubs | within {target} | farthest |
| --- | ---: | ---: | ---: | ---: |
{rows}

![Calibration in the large of each club](../../docs/plots/season-levels.png)

{mean_verdict} on average: within {target} log-odds. In each club: {one_year} of {clubs} after a
year ({one:.0f} knees with new pain on average), {two_years} of {clubs} after two ({two:.0f}). A
correction takes clubs to be near the model, and holds the level of one that is this far away back a
little. How often and how soon the alarm is raised in 200 seasons is in `calibration-alarm.json`.
"""
