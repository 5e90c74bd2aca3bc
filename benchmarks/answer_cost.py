"""Processor time of each part of an answer, in one process without a server.

`python -m benchmarks.answer_cost` times the example request, with `OMP_NUM_THREADS=1` as in a
worker of the service, and takes the median of many calls.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

from benchmarks.performance_page import EMPTY, MLFLOW, RESULTS, write_page
from benchmarks.serving_speed import champion_of, machine
from kneerisk.answer import PARTS, answer, answers
from kneerisk.answer.advice import advice_for
from kneerisk.answer.drivers import contributions_of, drivers_of, effects_of
from kneerisk.answer.follow_up.compare_visits import follow_up
from kneerisk.answer.follow_up.follow_up_request import FollowUp
from kneerisk.answer.imbalances import imbalances_of
from kneerisk.answer.inputs_and_norms import inputs_of
from kneerisk.answer.next_tests import next_tests
from kneerisk.answer.patterns import side_differences
from kneerisk.answer.predictions import Predictions, predictions_of
from kneerisk.answer.report import report_html
from kneerisk.answer.risk_and_red_flags import (
    flags_of,
    knees_of,
    knees_with_drivers,
    reasons_of,
    risks_of,
)
from kneerisk.answer.what_if import WhatIf, what_if
from kneerisk.model import Bundle
from kneerisk.schema import Screening
from serving.request_examples import EXAMPLE, FOLLOW_UP, WHAT_IF

CALLS = 60
#: So many answers are made together: by itself, of few clients, of a team, of more.
COMPANY = (1, 2, 4, 16, 32)


def median_milliseconds(function: Callable[[], object], calls: int = CALLS) -> float:
    """Median processor time of a call, after one to warm up; other processes don't count."""
    function()
    times = []
    for _ in range(calls):
        started = time.process_time()
        function()
        times.append(1000.0 * (time.process_time() - started))
    return statistics.median(times)


def timed_calls(bundle: Bundle) -> dict[str, Callable[[], object]]:
    """The parts of an answer in the order in which they are made, then whole answers."""
    screening = Screening.model_validate(EXAMPLE)
    predictions = predictions_of(bundle, [screening])
    reasons, knees = reasons_of(predictions, 0, flags_of(screening)), knees_of(predictions, 0)
    split, imbalances = knees_with_drivers(predictions, knees), imbalances_of(predictions, 0)
    contributions = contributions_of(predictions, 0, split)
    told = advice_for(predictions, 0, imbalances, contributions)
    answered = answer(bundle, screening)
    change, visits = WhatIf.model_validate(WHAT_IF), FollowUp.model_validate(FOLLOW_UP)
    return {
        "validation of the body": lambda: Screening.model_validate(EXAMPLE),
        "expected values, risk, intervals, attributions": lambda: _all_of(
            predictions_of(bundle, [screening])
        ),
        "risks and reasons": lambda: risks_of(predictions, 0, reasons, knees),
        "drivers": lambda: drivers_of(predictions, 0, contributions, told),
        "imbalances": lambda: imbalances_of(predictions, 0),
        "side differences": lambda: side_differences(predictions, 0),
        "next tests": lambda: next_tests(predictions, 0),
        "advice": lambda: advice_for(predictions, 0, imbalances, contributions),
        "inputs": lambda: inputs_of(predictions, 0, effects_of(predictions, 0, split)),
        "JSON": lambda: answered.model_dump_json(exclude_none=True, warnings="error"),
        "**the whole answer**": lambda: answer(bundle, screening),
        "**a compact answer**, `risk` and `likely`": lambda: answer(
            bundle, screening, ("risk", "likely")
        ),
        "**what-if**, two changes": lambda: what_if(bundle, change),
        "**follow-up**, two visits": lambda: follow_up(bundle, visits),
        "**report**, in addition to the answer": lambda: report_html(answered, screening),
    }


def _all_of(predictions: Predictions) -> tuple[object, ...]:
    """All that the model says; each is worked out when it is first asked for."""
    return (
        predictions.risks, predictions.imbalances, predictions.contributions, predictions.sources,
    )  # fmt: skip


def in_company(bundle: Bundle, parts: Collection[str]) -> dict[int, float]:
    """Milliseconds of processor time of each of so many answers that are made together."""
    screening = Screening.model_validate(EXAMPLE)

    def together(count: int) -> Callable[[], object]:
        return lambda: answers(bundle, [screening] * count, parts)

    return {count: median_milliseconds(together(count)) / count for count in COMPANY}


def company_lines(whole: dict[int, float], compact: dict[int, float]) -> list[str]:
    """What company spares, and the rates that it could lead to at most, beside those of others."""
    table = [
        "## Answers made together",
        "",
        f"| milliseconds each, of so many | {' | '.join(map(str, COMPANY))} |",
        f"| --- |{' ---: |' * len(COMPANY)}",
        *(
            f"| {name} | {' | '.join(f'{each:.2f}' for each in costs.values())} |"
            for name, costs in (("whole", whole), ("compact", compact))
        ),
    ]
    served = RESULTS / "serving.json"
    if not served.exists():
        return table
    rows = json.loads(served.read_text("utf-8"))["results"]
    empty, mlflow = (rows[name]["processor_ms"] for name in (EMPTY, MLFLOW))
    most = max(COMPANY)
    least_whole, least_compact = empty + whole[most], empty + compact[most]
    return [
        *table,
        "",
        f"The empty endpoint takes {empty:.2f} ms for a request. With as much around each answer,",
        f"and {most} always made together, the rate of whole answers would be",
        f"{empty / least_whole:.2f} of the empty endpoint's and {mlflow / least_whole:.2f} times",
        f"MLflow's, that of compact ones {empty / least_compact:.2f} of the empty endpoint's: what",
        "these steps allow at most. Made one by one, whole answers would have",
        f"{mlflow / (empty + whole[1]):.2f} times MLflow's rate.",
    ]


def main() -> int:
    """Measure, print and write the page."""
    bundle = champion_of(Path(os.environ.get("KNEERISK_MODELS") or "models"))
    versions = ", ".join(f"{name} {value}" for name, value in machine().items())
    lines = [
        "# Cost of the parts of an answer",
        "",
        f"Made by `python -m benchmarks.answer_cost` ({versions}).",
        "",
        "| part | median ms of processor time |",
        "| --- | ---: |",
        *(
            f"| {name} | {median_milliseconds(function):.2f} |"
            for name, function in timed_calls(bundle).items()
        ),
        "",
        *company_lines(in_company(bundle, PARTS), in_company(bundle, ("risk", "likely"))),
    ]
    text = "\n".join(lines) + "\n"
    (RESULTS / "answer.md").write_text(text, "utf-8")
    write_page()
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
