"""Processor time from a training log's bytes to the load before a screening.

`python -m benchmarks.training_log_speed` times a Strava export of 1,200 activities and the largest
logs that are read, and fails where the export takes a second or the largest ten.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date, timedelta

from benchmarks.performance_page import RESULTS
from benchmarks.serving_speed import machine
from kneerisk.cohort.sheets.training_logs.log_answer import LogAsked
from kneerisk.cohort.sheets.training_logs.read_log import read_training_logs

SCREENED = date(2026, 6, 15)
#: What the export of an account of some years, and the largest log, may take.
LIMITS_SECONDS = {"strava_1200": 1.0, "strava_largest": 10.0, "apple_health_20000": 10.0}
#: Columns of the export that nothing is read from, as wide as Strava's.
_FILLER = "," * 84


def strava(activities: int) -> bytes:
    """An export with one run a day, as wide as Strava's."""
    names = "Activity ID,Activity Date,Activity Name,Activity Type,Elapsed Time,Distance"
    lines = [f"{names},Moving Time,Distance,Average Cadence{_FILLER}"]
    for at in range(activities):
        day = SCREENED - timedelta(days=1 + at % 3_000)
        when = f"{day:%b} {day.day}, {day.year}, 5:04:{at % 60:02} PM"
        km = 6.0 + at % 9
        lines.append(f'{at},"{when}",x,Run,{at % 900 + 1800},{km},1800,{1000 * km},82{_FILLER}')
    return "\n".join(lines).encode()


def apple_health(workouts: int) -> bytes:
    """An export in which each workout stands among a hundred heartbeats."""
    beats = '<Record type="HKQuantityTypeIdentifierHeartRate" value="60"/>' * 100
    lines = [
        f'{beats}<Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="40" '
        f'durationUnit="min" totalDistance="8" totalDistanceUnit="km" '
        f'startDate="{SCREENED - timedelta(days=1 + at % 3_000)} 17:04:33 +0200"/>'
        for at in range(workouts)
    ]
    return "\n".join(["<HealthData>", *lines, "</HealthData>"]).encode()


def main() -> int:
    """Time each log, write the results and tell which limits are broken."""
    logs = {"strava_1200": strava(1_200), "strava_largest": strava(25_000),
            "apple_health_20000": apple_health(19_999)}  # fmt: skip
    asked = LogAsked(date=SCREENED.isoformat(), athlete="A")
    seconds: dict[str, float] = {}
    for name, content in logs.items():
        started = time.process_time()
        read_training_logs([content], asked)
        seconds[name] = round(time.process_time() - started, 3)
    megabytes = {name: round(len(log) / 1e6, 1) for name, log in logs.items()}
    result = {"machine": machine(), "seconds": seconds, "megabytes": megabytes}
    text = json.dumps(result, indent=2)
    (RESULTS / "training-log-speed.json").write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{text}\n")
    return int(any(seconds[name] > most for name, most in LIMITS_SECONDS.items()))


if __name__ == "__main__":
    sys.exit(main())
