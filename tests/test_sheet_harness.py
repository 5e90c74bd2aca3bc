"""Any sheet at all: a documented refusal, or an answer that page and command line agree on.

Training logs, exports of devices and the files of a squad alike.
"""

from __future__ import annotations

import json
import tomllib
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from sheet_mutations import GOOD, Grid, Sheet, grids, mutated
from test_one_reader import OUTCOME, SHEETS
from upload_mutations import Upload, log_upload, squad_upload

from kneerisk.cohort import screenings_of
from kneerisk.cohort.sheets.club_cohort import ingest
from kneerisk.cohort.sheets.lexicon.vocabulary import athlete_key
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import AskRefused, SheetAsked
from kneerisk.cohort.sheets.training_logs.log_answer import LogAnswer, LogAsked
from kneerisk.cohort.sheets.training_logs.read_log import read_training_logs
from kneerisk.cohort.sheets.undescribed_sheet import recognise, recognise_files
from kneerisk.errors import BadCells, CohortRefused
from kneerisk.schema import Screening, columns, to_row
from kneerisk.schema.faults import FaultCode

#: `make test` tries so many, `pytest -m harness` the others.
FEW, MANY = 200, 10_000
#: Training logs, and squads of several files and exports of devices, beside those.
FEW_UPLOADS, MANY_UPLOADS = 80, 3_000


def not_json(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def sendable(answer: BaseModel) -> None:
    """The answer can be sent."""
    json.loads(answer.model_dump_json(exclude_none=True).encode(), parse_constant=not_json)


def checked(answer: SheetAnswer) -> None:
    """The answer can be sent, and what it gives to score is a screening."""
    sendable(answer)
    tomllib.loads(answer.mapping)
    for row in answer.rows:
        if row.screening is not None:
            Screening.model_validate(row.screening)
    rows = Counter(row.status for row in answer.rows)
    counts = answer.counts
    assert counts.rows == len(answer.rows)
    assert (counts.ready, counts.bad, counts.waiting) == tuple(
        rows[status] for status in ("ready", "bad", "waiting")
    )


def agreed(folder: Path, sheet: Sheet, answer: SheetAnswer) -> bool:
    """Whether the command line can read the sheet too; what it reads is what the page reads."""
    is_excel = answer.file.kind == "xlsx"
    path, toml = folder / ("club.xlsx" if is_excel else "club.csv"), folder / "club.toml"
    path.write_bytes(sheet.content)
    toml.write_text(
        answer.mapping.replace('source = "..."', 'source = "a test"') + OUTCOME, "utf-8"
    )
    try:
        result = ingest(path, toml, skip_bad_rows=True)
    except (BadCells, CohortRefused) as refused:
        # The mapping of a sheet without athletes is no cohort's, nor is one without a good row.
        refusal_checked(str(refused))
        return False
    frame = result.cohort.frame
    # Only an answer needs age and sex, and only a cohort an athlete and an outcome.
    frame = frame[frame.reindex(columns=["age_years", "sex"]).notna().all(axis=1)]
    days = frame["screening_date"] if "screening_date" in frame else [None] * len(frame)
    by_command = {
        _visit(*visit)
        for visit in zip(frame["athlete_id"], days, map(to_row, screenings_of(frame)), strict=True)
    }
    by_page = {
        _visit(row.athlete, row.date, to_row(Screening.model_validate(row.screening))): row.line
        for row in answer.rows
        if row.screening is not None and row.athlete is not None
    }
    lost = {row.line for row in answer.rows if row.status == "bad"}
    # A row that waits for an answer is in the cohort, without what is asked about.
    if not answer.counts.waiting:
        assert by_command <= set(by_page), by_command - set(by_page)
    faults = result.bad_rows.faults if result.bad_rows else []
    # A cohort can't be without them (docs/decisions/0055); an answer can.
    of_cohort = {
        fault.line
        for fault in faults
        if fault.column == "Outcome" or fault.code == FaultCode.NOT_A_DATE
    }
    for visit in set(by_page) - by_command:
        is_lost = by_page[visit] in of_cohort | lost
        assert is_lost or answer.counts.joined, visit
    return True


def _visit(athlete: str | None, day: str | None, values: dict[str, object]) -> str:
    same = {n: float(v) if isinstance(v, int) else v for n, v in values.items()}
    return f"{athlete_key(str(athlete))} {day} {sorted(same.items())}"


def refusal_checked(message: str) -> None:
    """A refusal is a text that can be sent."""
    assert message.encode()


def confirmed(answer: SheetAnswer, stated: SheetAsked) -> SheetAsked | None:
    """What a person stated, and a yes to every question; None where there is nothing to add."""
    proposals = {c.place: c.proposal for c in answer.columns if c.question and c.proposal}
    needed = [constant for constant in answer.constants if constant.needed]
    constants = {c.means: c.choices[0] if c.choices else 25 for c in needed}
    if not proposals and not constants:
        return None
    said = stated.model_dump() | {
        "columns": stated.columns | proposals,
        "constants": stated.constants | constants,
    }
    return SheetAsked.model_validate(said)


def tried(folder: Path, sheet: Sheet) -> str:
    """What came of a sheet: refused, or answered."""
    try:
        stated = SheetAsked.model_validate_json(sheet.stated)
    except ValidationError:
        return "body refused"
    try:
        answer = recognise(sheet.content, stated)
    except CohortRefused as refused:
        refusal_checked(str(refused))
        return "sheet refused"
    except AskRefused as refused:
        refusal_checked(str(refused))
        return "answers refused"
    checked(answer)
    if answer.counts.questions and (said := confirmed(answer, stated)) is not None:
        try:
            answer = recognise(sheet.content, said)
        except AskRefused as refused:
            refusal_checked(str(refused))
            return "proposals refused"
        checked(answer)
    return "read by both" if sheet.is_whole and agreed(folder, sheet, answer) else "answered"


def log_tried(upload: Upload) -> str:
    """What came of training logs."""
    try:
        asked = LogAsked.model_validate_json(upload.stated)
        answer = read_training_logs([file.content for file in upload.files], asked)
    except ValidationError:
        return "body refused"
    except CohortRefused as refused:
        refusal_checked(str(refused))
        return "file refused"
    sendable(answer)
    log_checked(answer)
    return "answered"


def log_checked(answer: LogAnswer) -> None:
    """What each athlete's log gives to a screening is within the schema's limits."""
    for athlete in answer.athletes:
        for name, value in athlete.screening.get("athlete", {}).items():
            assert columns()[name].violation(value) is None, name


def squad_tried(upload: Upload) -> str:
    """What came of the files of a squad."""
    try:
        answer = recognise_files(upload.files, SheetAsked.model_validate_json(upload.stated))
    except ValidationError:
        return "body refused"
    except (CohortRefused, AskRefused) as refused:
        refusal_checked(str(refused))
        return "files refused"
    checked(answer)
    return "answered"


def each_tried(seeds: range, try_one: Callable[[int], str]) -> tuple[Counter[str], list[str]]:
    """What came of each seed, and the faults among them."""
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    for seed in seeds:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                outcomes[try_one(seed)] += 1
        except Exception as error:  # noqa: BLE001 -- any at all is a fault of the reader
            # Every fault is told, not the first one alone.
            faults.append(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}")
    return outcomes, faults


def sheets_tried(folder: Path, seeds: range) -> tuple[Counter[str], list[str]]:
    """What came of each seed's sheet, and the faults among them."""
    begin: list[Grid] = grids([*GOOD, *SHEETS.values()])
    return each_tried(seeds, lambda seed: tried(folder, mutated(seed, begin)))


UPLOADS: dict[str, Callable[[int], str]] = {
    "logs": lambda seed: log_tried(log_upload(seed)),
    "squads": lambda seed: squad_tried(squad_upload(seed)),
}


@pytest.mark.parametrize("kind", UPLOADS)
def test_some_uploads(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    outcomes, faults = each_tried(range(FEW_UPLOADS), UPLOADS[kind])
    assert not faults
    assert capfd.readouterr() == ("", "")
    assert outcomes["answered"] > FEW_UPLOADS / 4


@pytest.mark.harness
@pytest.mark.parametrize("kind", UPLOADS)
def test_many_uploads(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    seeds = range(FEW_UPLOADS, FEW_UPLOADS + MANY_UPLOADS)
    outcomes, faults = each_tried(seeds, UPLOADS[kind])
    out, err = capfd.readouterr()
    with capfd.disabled():
        print(f"\n{kind}: tried {outcomes.total() + len(faults)}, faults {len(faults)}")  # noqa: T201
    assert not faults, "\n".join(faults[:20])
    assert (out, err) == ("", "")


def test_some_sheets(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    outcomes, faults = sheets_tried(tmp_path, range(FEW))
    assert not faults
    # Nothing reaches a stream or a log, and most sheets are still read.
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert outcomes["answered"] + outcomes["read by both"] > FEW / 4
    assert outcomes["read by both"] > FEW / 20


@pytest.mark.harness
def test_many_sheets(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcomes, faults = sheets_tried(tmp_path, range(FEW, FEW + MANY))
    out, err = capfd.readouterr()
    with capfd.disabled():
        print(f"\nsheets: tried {outcomes.total() + len(faults)}, faults {len(faults)}")  # noqa: T201
    assert not faults, "\n".join(faults[:20])
    assert (out, err) == ("", "")
