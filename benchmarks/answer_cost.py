"""What each part of an answer costs, in one process without a server.

`python -m benchmarks.answer_cost`; with `OMP_NUM_THREADS=1`, as a worker has; the
example of the documents, median of many calls.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.serving_speed import RESULTS, champion_of, machine
from kneerisk.answer import answer
from kneerisk.answer.advice import advice_for
from kneerisk.answer.drivers import drivers_of, effects_of
from kneerisk.answer.follow_up import FollowUp, follow_up
from kneerisk.answer.imbalances import imbalances_of
from kneerisk.answer.inputs import inputs_of
from kneerisk.answer.next_tests import next_tests
from kneerisk.answer.predictions import read
from kneerisk.answer.red_flags import flags_of
from kneerisk.answer.report import report_html
from kneerisk.answer.risk import explained, knees_of, risks_of
from kneerisk.answer.side_differences import side_differences
from kneerisk.answer.status import reasons_of
from kneerisk.answer.what_if import WhatIf, what_if
from kneerisk.model import Bundle
from kneerisk.schema import Screening
from serving.request_examples import EXAMPLE, FOLLOW_UP, WHAT_IF

TIMES = 60


def milliseconds(done: Callable[[], object], times: int = TIMES) -> float:
    """Median processor time of one call, after one that warms up; other work does not count."""
    done()
    taken = []
    for _ in range(times):
        started = time.process_time()
        done()
        taken.append(1000.0 * (time.process_time() - started))
    return statistics.median(taken)


def parts(bundle: Bundle) -> dict[str, Callable[[], object]]:
    """The parts of an answer in the order in which they are made, and the whole ones."""
    screening = Screening.model_validate(EXAMPLE)
    reading = read(bundle, [screening])
    reasons, knees = reasons_of(reading, 0, flags_of(screening)), knees_of(reading, 0)
    split, found = explained(reading, knees), imbalances_of(reading, 0)
    told = answer(bundle, screening)
    change, visits = WhatIf.model_validate(WHAT_IF), FollowUp.model_validate(FOLLOW_UP)
    return {
        "body checked": lambda: Screening.model_validate(EXAMPLE),
        "expected values, risk, intervals, contributions": lambda: read(bundle, [screening]),
        "risks and their reasons": lambda: risks_of(reading, 0, reasons, knees),
        "drivers": lambda: drivers_of(reading, 0, split),
        "imbalances": lambda: imbalances_of(reading, 0),
        "side differences": lambda: side_differences(reading, 0),
        "next tests": lambda: next_tests(reading, 0),
        "advice": lambda: advice_for(reading, 0, found),
        "inputs": lambda: inputs_of(reading, 0, effects_of(reading, 0, split)),
        "JSON": lambda: told.model_dump_json(exclude_none=True, warnings="error"),
        "**the whole answer**": lambda: answer(bundle, screening),
        "**what-if**, two changes": lambda: what_if(bundle, change),
        "**follow-up**, two visits": lambda: follow_up(bundle, visits),
        "**report**, beside the answer": lambda: report_html(told, screening),
    }


def main() -> int:
    """Time, print and write the results."""
    bundle = champion_of(Path(os.environ.get("KNEERISK_MODELS") or "models"))
    about = ", ".join(f"{name} {value}" for name, value in machine().items())
    lines = [
        "# What an answer is made of",
        "",
        f"Measured by `python -m benchmarks.answer_cost` ({about}).",
        "",
        "| part | median ms of processor time |",
        "| --- | ---: |",
        *(f"| {name} | {milliseconds(done):.2f} |" for name, done in parts(bundle).items()),
    ]
    text = "\n".join(lines) + "\n"
    (RESULTS / "answer.md").write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
