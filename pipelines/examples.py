"""The example answers in `docs/examples/`: written from the default model, or checked against it.

Text has to agree exactly. Numbers may differ by one in their last digit: another machine rounds
the last bits of a fit otherwise.
"""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneerisk.answer import answer
from kneerisk.answer.report import report_markdown
from kneerisk.cohort.splits import held_out, subset, truth_subset
from kneerisk.model import Bundle
from kneerisk.schema import Screening
from kneerisk.training import provenance
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fitted_metadata import metadata_of
from kneerisk.training.fitting.settings import SEED
from kneerisk.training.provenance import Source
from kneerisk.training.registry.versions import load_version
from pipelines.options import DEFAULT_ATHLETES, DEFAULT_SEED
from serving.request_examples import EXAMPLE

FOLDER = Path(__file__).parents[1] / "docs" / "examples"
INDEX, README_ANSWER, CASES = "README.md", "readme-answer.json", "cases.json"
#: Significant digits of an answer that the README shows.
SHOWN_DIGITS = 3
#: A number in a text, with its sign; its decimals show how far it is rounded.
_NUMBER = re.compile("([+\N{MINUS SIGN}]?\\d+(?:\\.\\d+)?)")
#: One in the last digit, and the rounding of a division.
_LAST_DIGIT = 1.001
_WRITTEN = "Written by `python -m pipelines.examples` from [cases.json](cases.json)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A screening to answer: its file's name, whom it is about, and the body of the request."""

    name: str
    title: str
    about: str
    body: dict[str, Any]


def cases() -> list[Case]:
    """Every example, in the order of the index."""
    return [Case(**case) for case in json.loads((FOLDER / CASES).read_text(encoding="utf-8"))]


def default_model() -> Bundle:
    """The model that `kneerisk train` makes where it is given nothing, without its run."""
    cohort, truth = provenance.load(Source(athletes=DEFAULT_ATHLETES, seed=DEFAULT_SEED))
    development = ~held_out(cohort.frame["athlete_id"])
    train, train_truth = subset(cohort, development), truth_subset(truth, development)
    fitted = fit(train, train_truth, seed=SEED)
    metadata = metadata_of(
        train, train_truth, fitted, version="default", run_id="none", git_sha=None,
        data_sha256=provenance.digest(cohort),
    )  # fmt: skip
    return Bundle(fitted.model, metadata, "none")


def written(model: Bundle) -> dict[str, str]:
    """The text of every file of the examples, by name."""
    texts = {f"{case.name}.md": example(model, case) for case in cases()}
    return {INDEX: index(), README_ANSWER: readme_answer(model), **texts}


def readme_answer(model: Bundle) -> str:
    """The answer to the README's request as JSON, in the digits that it shows."""
    content = answer(model, Screening.model_validate(EXAMPLE)).model_dump(
        mode="json", exclude_none=True, exclude={"model"}
    )
    return json.dumps(_rounded(content), indent=1, ensure_ascii=False) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.{SHOWN_DIGITS}g}") if isinstance(value, float) else value


def example(model: Bundle, case: Case) -> str:
    """One example: whom it is about, the answer, and the request behind it."""
    screening = Screening.model_validate(case.body)
    report = report_markdown(answer(model, screening), screening, case.title)
    # The last paragraph names the model, which is the same in every example.
    findings = report.rstrip().rpartition("\n\n")[0].partition("\n")[2].strip()
    return (
        f"# {case.title}\n\n{case.about}\n\n{findings}\n\n## The request\n\n"
        f"The body of `POST /v1/predict`, or of `POST /v1/report` for the page to print:\n\n"
        f"```json\n{body(case)}\n```\n\n{_WRITTEN} with the default model; don't edit it.\n"
    )


def body(case: Case) -> str:
    """The request as JSON, one section per line."""
    lines = [f"  {json.dumps(name)}: {json.dumps(section)}" for name, section in case.body.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def index() -> str:
    """The list of examples."""
    lines = [
        "# Example answers",
        "",
        (
            "What kneerisk answers for nine made-up athletes, as its report words it. "
            f"{_WRITTEN} with the default model: {DEFAULT_ATHLETES:,} simulated athletes, seed "
            f"{DEFAULT_SEED}. `python -m pipelines.examples --check` compares."
        ),
        "",
        "| example | about |",
        "| --- | --- |",
    ]
    return "\n".join([*lines, *(f"| [{c.title}]({c.name}.md) | {c.about} |" for c in cases()), ""])


def same(first: str, second: str) -> bool:
    """Whether two texts agree: words exactly, numbers to one in the last digit shown."""
    tokens, others = _NUMBER.split(first), _NUMBER.split(second)
    if len(tokens) != len(others) or tokens[::2] != others[::2]:
        return False
    return all(_near(a, b) for a, b in zip(tokens[1::2], others[1::2], strict=True))


def _near(first: str, second: str) -> bool:
    digits = len(first.partition(".")[2])
    if digits != len(second.partition(".")[2]):
        return False
    return math.fabs(_value(first) - _value(second)) <= _LAST_DIGIT * 10.0**-digits


def _value(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-"))


def stale(texts: dict[str, str], folder: Path) -> list[str]:
    """Files of the folder whose content is out of date, that are missing, or of no example."""
    files = {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir() if p.name != CASES}
    unknown = sorted(files.keys() - texts.keys())
    return unknown + [name for name, text in texts.items() if not _agrees(files.get(name), text)]


def _agrees(content: str | None, text: str) -> bool:
    """Requests have to agree to the last digit, since they are not computed."""
    if content is None or not same(content, text):
        return False
    return content.partition("```json")[2] == text.partition("```json")[2]


def main(arguments: list[str]) -> int:
    """Write the examples, or check them; 1 where a check finds a stale one.

    A folder of released models as last argument takes its champion instead of fitting the default
    model again.
    """
    check, folders = "--check" in arguments, [a for a in arguments if a != "--check"]
    model = load_version(Path(folders[-1])) if folders else default_model()
    texts = written(model)
    stale_files = stale(texts, FOLDER)
    if not check:
        for name, text in texts.items():
            (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    for name in stale_files:
        result = "is stale: run python -m pipelines.examples" if check else "written"
        print(f"{FOLDER / name} {result}", file=sys.stderr)  # noqa: T201
    return int(check and bool(stale_files))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
