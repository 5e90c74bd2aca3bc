"""Synthetic training logs in the layout of each maker, and what they hold."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

SCREENED = date(2026, 6, 15)


class Session(NamedTuple):
    """One session as it truly was."""

    days_before: int
    sport: str
    km: float
    minutes: float
    steps: float = 0.0

    @property
    def day(self) -> date:
        """When it was."""
        return SCREENED - timedelta(days=self.days_before)


#: Ten weeks of a runner, and two sessions that a screening must not see.
SESSIONS = (
    *(Session(at, "Run", 6.0 + at % 5, 36.0 + 6 * (at % 5), 168.0) for at in range(3, 70, 4)),
    Session(2, "Run", 15.0, 82.5, 164.0), Session(20, "Run", 12.0, 66.0, 166.0),
    *(Session(at, "Weight Training", 0.0, 45.0) for at in (5, 12, 19, 26, 40)),
    Session(9, "Ride", 40.0, 90.0), Session(0, "Run", 21.1, 120.0, 170.0),
    Session(-3, "Run", 30.0, 170.0, 170.0),
)  # fmt: skip


def written(rows: Sequence[Sequence[Any]], delimiter: str = ",") -> bytes:
    """Rows as delimited text."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def strava(sessions: Sequence[Session] = SESSIONS, *, language: str = "en") -> bytes:
    """The export of a whole account: two columns are called Distance, two Elapsed Time."""
    names = {
        "en": ["Activity ID", "Activity Date", "Activity Name", "Activity Type",
               "Activity Description", "Elapsed Time", "Distance", "Max Heart Rate",
               "Athlete Weight", "Elapsed Time", "Moving Time", "Distance", "Max Speed",
               "Average Speed", "Max Cadence", "Average Cadence"],
        "de": ["Aktivitäts-ID", "Aktivitätsdatum", "Name der Aktivität", "Aktivitätsart",
               "Beschreibung der Aktivität", "Verstrichene Zeit", "Distanz", "Max. Herzfrequenz",
               "Gewicht des Athleten", "Verstrichene Zeit", "Bewegungszeit", "Distanz",
               "Max. Geschwindigkeit", "Durchschnittsgeschwindigkeit", "Max. Trittfrequenz",
               "Durchschnittliche Trittfrequenz"],
    }[language]  # fmt: skip
    rows: list[list[Any]] = [names]
    for at, one in enumerate(sessions):
        day = (f"{one.day:%b} {one.day.day}, {one.day.year}, 5:04:{at % 60:02} PM"
               if language == "en" else f"{one.day:%d.%m.%Y}, 17:04:{at % 60:02}")  # fmt: skip
        words = {"Run": "Lauf", "Weight Training": "Krafttraining", "Ride": "Radfahrt"}
        seconds = round(60 * one.minutes)
        rows.append(
            [1000 + at, day, "Afternoon", one.sport if language == "en" else words[one.sport], "",
             seconds + 90, f"{one.km:.2f}", 171, 70.0, f"{seconds + 90}.0", f"{seconds}.0",
             f"{1000 * one.km:.1f}", 5.0, 3.0, one.steps / 2 + 6 or "", one.steps / 2 or ""]
        )  # fmt: skip
    return written(rows)


def garmin(sessions: Sequence[Session] = SESSIONS, *, miles: bool = False) -> bytes:
    """The list of activities, in whichever unit the account has."""
    rows: list[list[Any]] = [["Activity Type", "Date", "Favorite", "Title", "Distance", "Calories",
                              "Time", "Avg HR", "Avg Run Cadence", "Avg Pace",
                              "Steps"]]  # fmt: skip
    words = {"Run": "Trail Running", "Weight Training": "Strength Training", "Ride": "Cycling"}
    for at, one in enumerate(sessions):
        minutes = int(one.minutes)
        seconds = round(60 * (one.minutes - minutes))
        shown = f"{one.km / 1.609344 if miles else one.km:.2f}" if one.km else "--"
        rows.append(
            [words[one.sport], f"{one.day} 17:06:{at % 60:02}", "false", "Wellington", shown, "447",
             f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}", "153",
             f"{one.steps:.0f}" if one.steps else "--", "5:44", "4,808"]
        )  # fmt: skip
    return written(rows)


def trainingpeaks(sessions: Sequence[Session] = SESSIONS) -> bytes:
    """Workouts with a plan: one long run of the coming week, one of the week after."""
    rows: list[list[Any]] = [["Title", "WorkoutType", "WorkoutDescription", "PlannedDuration",
                              "PlannedDistanceInMeters", "WorkoutDay", "CoachComments",
                              "DistanceInMeters", "HeartRateAverage", "TimeTotalInHours",
                              "TSS"]]  # fmt: skip
    words = {"Run": "Run", "Weight Training": "Strength", "Ride": "Bike"}
    rows += [["x", words[one.sport], "", 1.0, 9000 if one.sport == "Run" else "", one.day, "",
              1000 * one.km or "", 150, one.minutes / 60, 50] for one in sessions]  # fmt: skip
    for ahead, km in ((5, 18.0), (2, 8.0), (9, 25.0)):
        day = SCREENED + timedelta(days=ahead)
        rows.append(["plan", "Run", "", 1.5, 1000 * km, day, "", "", "", "", ""])
    rows.append(
        ["day off", "Day Off", "", "", "", SCREENED + timedelta(days=3), "", "", "", "", ""]
    )
    return written(rows)


def polar(one: Session) -> bytes:
    """One file a session: two lines on the session, then every second of it."""
    minutes = int(one.minutes)
    heading = ["Name", "Sport", "Date", "Start time", "Duration", "Total distance (km)",
               "Average heart rate (bpm)", "Average speed (km/h)", "Average pace (min/km)",
               "Calories", "Average cadence (rpm)", "Running index", "HR max",
               "VO2max"]  # fmt: skip
    words = {"Run": "RUNNING", "Weight Training": "STRENGTH_TRAINING", "Ride": "CYCLING"}
    values = ["Ada Example", words[one.sport], f"{one.day:%d-%m-%Y}", "17:04:33",
              f"{minutes // 60:02}:{minutes % 60:02}:{round(60 * (one.minutes - minutes)):02}",
              one.km or "", 150, 10.0, "06:00", 400, one.steps / 2 or "", 50, 190, 50]  # fmt: skip
    samples = [["Sample rate", "Time", "HR (bpm)", "Speed (km/h)", "Pace (min/km)", "Cadence",
                "Altitude (m)", "Stride length (m)", "Distances (m)"],
               *[[1, f"00:00:{at:02}", 120 + at, 9.0, "06:40", 82, 10, 1.1, 2.5 * at]
                 for at in range(5)]]  # fmt: skip
    return written([heading, values, *samples])


def apple(sessions: Sequence[Session] = SESSIONS, *, entity: str = "") -> bytes:
    """Workouts among records of the heart, as old and as new versions write them."""
    words = {"Run": "Running", "Weight Training": "TraditionalStrengthTraining", "Ride": "Cycling"}
    parts = [
        f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,(Record|Workout)*)>
<!ATTLIST HealthData locale CDATA #REQUIRED>{entity}
]>
<HealthData locale="en_GB"><ExportDate value="2026-06-20 10:00:00 +0200"/>"""
    ]
    for at, one in enumerate(sessions):
        day = f"{one.day} 17:04:33 +0200"
        open_tag = (
            f'<Workout workoutActivityType="HKWorkoutActivityType{words[one.sport]}" '
            f'duration="{one.minutes}" durationUnit="min" startDate="{day}" endDate="{day}"'
        )
        parts.append(
            f'<Record type="HKQuantityTypeIdentifierHeartRate" value="60" startDate="{day}"/>'
        )
        if one.km and at % 2:
            kind = "HKQuantityTypeIdentifierDistanceWalkingRunning"
            parts.append(
                f'{open_tag}><MetadataEntry key="a" value="b"/><WorkoutStatistics '
                f'type="{kind}" sum="{one.km / 1.609344:.9f}" unit="mi"/></Workout>'
            )
        else:
            parts.append(f'{open_tag} totalDistance="{one.km}" totalDistanceUnit="km"/>')
    return "\n".join([*parts, "</HealthData>"]).encode()


def table(sessions: Sequence[Session] = SESSIONS) -> bytes:
    """What a runner writes down in German, with decimal commas."""
    words = {"Run": "Laufen", "Weight Training": "Kraft", "Ride": "Rad"}
    rows: list[list[Any]] = [["Datum", "Sportart", "Strecke (km)", "Dauer (min)", "Bemerkung"]]
    for one in sessions:
        km = f"{one.km:.2f}".replace(".", ",") if one.km else ""
        rows.append([f"{one.day:%d.%m.%Y}", words[one.sport], km,
                     f"{one.minutes:g}".replace(".", ","), ""])  # fmt: skip
    return written(rows, ";")
