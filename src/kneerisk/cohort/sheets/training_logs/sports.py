"""Which sessions are runs or strength training, by the words of watches, apps and people.

The words stand in `sport_words.csv`, to be added to. One that is not there and may be running, by
its speed, is asked about; everything else is other sport, and counts for the hours.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort.sheets.cells.cell_text import is_missing
from kneerisk.cohort.sheets.columns.column_names import LONGEST_NAME
from kneerisk.cohort.sheets.lexicon.folded_text import fold, split_words
from kneerisk.cohort.sheets.training_logs.log_answer import Kind, LogAsked, LogChoice, LogQuestion
from kneerisk.words import text, variant

Floats = NDArray[np.float64]

#: In the order in which a name of several words is told.
_KINDS: tuple[Kind, ...] = ("strength", "other", "running")

_NO_RUNS = {"ski", "skiing", "roller", "inline", "bike", "swim", "ride", "row", "rowing"}
#: So many unknown words for sports are asked about (assumption: more are no answers).
_MOST_ASKED = 5
#: A usual run, in km; a distance that may be one (assumptions).
_USUAL_RUN_KM, _SHORTEST_RUN_KM = (2.0, 25.0), 1.0
#: Speeds at which an unknown sport may be running, in km/h (assumption).
_RUN_KMH = (6.3, 20.0)


@cache
def words_of_sports() -> dict[tuple[str, ...], Kind]:
    """The kind of sport that each of the table's words stands for, folded."""
    table = files(__package__).joinpath("sport_words.csv").read_text(encoding="utf-8")
    rows = {row["kind"]: row["words"].split("|") for row in csv.DictReader(table.splitlines())}
    return {tuple(split_words(word)): kind for kind in _KINDS for word in rows[kind]}


def sport_kind(words: str) -> Kind | None:
    """`running`, `strength` or `other` for the name of a sport; None where it is not known.

    A name of several words (`Trail Running`, `Course sur tapis`) is what any of its words is; one
    that is none of the others' and no run either (`Nordic ski run`) is another sport.
    """
    name = tuple(split_words(words.removeprefix("HKWorkoutActivityType")[:LONGEST_NAME]))
    known = words_of_sports()
    if name in known:
        return known[name]
    spans = {
        name[start:end]
        for start in range(len(name))
        for end in range(start + 1, min(start + 4, len(name) + 1))
    }
    kinds = Counter(known[span] for span in spans if span in known)
    for kind in _KINDS:
        if kind in kinds and (kind != "other" or "running" not in kinds or _is_no_run(name)):
            return kind
    return None


def _is_no_run(name: tuple[str, ...]) -> bool:
    """Words beside which a run is none, such as a ski run, or a walk on a trail."""
    walks = not {"run", "running"}.intersection(name) and {"walk", "walking", "hike"}
    return bool((_NO_RUNS | (walks or set())).intersection(name))


def kinds_of(
    words: Sequence[str], kmh: Floats | None, asked: LogAsked, *, of_runs: bool, km: Floats | None
) -> tuple[Mapping[str, Kind], list[LogQuestion]]:
    """What each word for a sport stands for; `""` where a file has none.

    Parameters
    ----------
    words
        The word of each row; empty where the file has no such column.
    kmh
        The speed of each row, with its distance taken as km.
    asked
        What a person said.
    of_runs
        Whether the names of the columns say that all of it is running.
    km
        The distance of each row, taken as km; None where there is none.

    Returns
    -------
    tuple
        The kind by word, and what is asked.
    """
    if not words:
        if asked.sport or of_runs or km is None:
            return {"": asked.sport or ("running" if of_runs else "other")}, []
        return _kind_of_all(kmh, km)
    stated = {fold(word): kind for word, kind in asked.sports.items()}
    kinds: dict[str, Kind] = defaultdict(lambda: "other")
    questions: list[LogQuestion] = []
    rows: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(words):
        rows[word].append(at)
    for word, own in sorted(rows.items(), key=lambda entry: -len(entry[1])):
        known = stated.get(fold(word)) or sport_kind(word)
        kinds[word] = known or "other"
        if known is None and word and kmh is not None and len(questions) < _MOST_ASKED:
            speeds = kmh[own][np.isfinite(kmh[own])]
            usual = float(np.median(speeds)) if len(speeds) else 0.0
            if _RUN_KMH[0] <= usual <= _RUN_KMH[1] and not is_missing(word):
                questions.append(_ask_word(word, len(own), usual))
    return kinds, questions


def _ask_word(word: str, count: int, kmh: float) -> LogQuestion:
    shown = word[:60]
    kinds: tuple[Kind, ...] = ("running", "other")
    return LogQuestion(
        name="sports",
        question=text("training_log.ask.word", word=repr(shown)),
        why=text("training_log.why.word", count=count, kmh=f"{kmh:.1f}"),
        choices=[
            LogChoice(label=variant("training_log.kind", kind), ask={"sports": {word: kind}})
            for kind in kinds
        ],
    )


def _kind_of_all(kmh: Floats | None, km: Floats) -> tuple[Mapping[str, Kind], list[LogQuestion]]:
    """A table of days and distances alone is a runner's, or not."""
    usual = float(np.median(km[km > 0])) if (km > 0).any() else 0.0
    known = kmh[np.isfinite(kmh)] if kmh is not None else np.zeros(0)
    is_speed = not len(known) or _RUN_KMH[0] <= float(np.median(known)) <= _RUN_KMH[1]
    likely = _USUAL_RUN_KM[0] <= usual <= _USUAL_RUN_KM[1] and is_speed and len(known) > 0
    kinds: tuple[Kind, ...] = ("running", "other")
    question = LogQuestion(
        name="sport",
        question=text("training_log.ask.sport"),
        why=text("training_log.why.sport", usual=f"{usual:.1f}"),
        choices=[
            LogChoice(label=variant("training_log.kind", kind), ask={"sport": kind})
            for kind in kinds
        ],
        proposal={"sport": "running"} if likely else None,
    )
    return {"": "running"}, [question]
