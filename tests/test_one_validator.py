"""A bad value gets one fault code from a request, a CSV or Parquet file and the page's form."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from pydantic import ValidationError

from kneerisk.cohort import read_screenings
from kneerisk.errors import BadCells
from kneerisk.schema import Category, Measure, Quantity, Screening, columns, faults_of
from kneerisk.schema.columns import column_locations, column_of
from kneerisk.schema.faults import FaultCode
from kneerisk.words import section

PAGE = Path(__file__).parents[1] / "serving" / "page"
ATHLETE = {"age_years": 31, "sex": "female"}
#: Reads what was typed into the form's fields, as the page does; run by Node or by a browser.
FORM = """
import { allFields, stationsOf } from "./lib/form_fields.js";
import { parseField } from "./lib/screening_body.js";
import { addTexts } from "./lib/texts.js";

export function faults({ schema, words }, typed) {
  addTexts(words);
  const fields = Object.fromEntries(allFields(stationsOf(schema, null)).map((f) => [f.column, f]));
  return Object.entries(typed).map(([column, text]) => {
    const { code, message } = parseField(fields[column], text);
    return [column, [code, message]];
  });
}
"""
NODE = """
import { readFileSync } from "node:fs";
import { faults } from "./form.js";
const { documents, typed } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(typed.map((one) => faults(documents, one))));
"""


class Bad(NamedTuple):
    """A bad value as a typed medium holds it and as text, and the code that each has to give.

    A CSV file and a field of the form hold only text: there, a number where a choice is expected
    is a choice that nobody knows.
    """

    value: Any
    text: str
    code: FaultCode
    code_of_text: FaultCode


def bad_values(measure: Measure) -> dict[str, Bad]:
    """Each kind of bad value that a measure can get."""
    if isinstance(measure, Quantity):
        numbers = {
            "below": (measure.low - 1, FaultCode.OUTSIDE_LIMITS),
            "above": (measure.high + 1, FaultCode.OUTSIDE_LIMITS),
            "not a number": (math.nan, FaultCode.NOT_FINITE),
            "infinite": (math.inf, FaultCode.NOT_FINITE),
            "minus infinite": (-math.inf, FaultCode.NOT_FINITE),
            "text": ("some", FaultCode.NOT_A_NUMBER),
            "truth": (True, FaultCode.NOT_A_NUMBER),
        }
        if measure.whole:
            numbers["fraction"] = (measure.low + 0.5, FaultCode.NOT_A_NUMBER)
            numbers["fraction outside"] = (measure.high + 0.5, FaultCode.NOT_A_NUMBER)
        return {kind: Bad(value, str(value), code, code) for kind, (value, code) in numbers.items()}
    unknown, typed = FaultCode.UNKNOWN_CHOICE, FaultCode.NOT_TEXT
    return {
        "unknown choice": Bad("no_such_choice", "no_such_choice", unknown, unknown),
        "number": Bad(1.0, "1.0", typed, unknown),
        "truth": Bad(True, "True", typed, unknown),
    }


KINDS = sorted({kind for measure in columns().values() for kind in bad_values(measure)})


def of_kind(kind: str) -> dict[str, Bad]:
    """The bad value of a kind for each column that can have one."""
    every = ((column, bad_values(measure)) for column, measure in columns().items())
    return {column: bad[kind] for column, bad in every if kind in bad}


class Told(NamedTuple):
    """What is said of a bad value."""

    code: str
    message: str


def told_of_requests(bad: dict[str, Bad]) -> Iterator[tuple[str, Told]]:
    for column, value in bad.items():
        body: dict[str, Any] = {"athlete": dict(ATHLETE)}
        section = body
        *sections, name = column_locations()[column]
        for name_of_section in sections:
            section = section.setdefault(name_of_section, {})
        section[name] = value.value
        with pytest.raises(ValidationError) as refused:
            Screening.model_validate(body)
        [fault] = faults_of(refused.value)
        place = column_of(tuple(fault.pointer.split("/")[1:]))
        yield place, Told(fault.code, fault.message)


def told_of_file(path: Path) -> dict[str, Told]:
    with pytest.raises(BadCells) as refused:
        read_screenings(path)
    return {fault.column: Told(fault.code, fault.rule) for fault in refused.value.faults}


def rows_with(cells: dict[str, Any]) -> pd.DataFrame:
    """One row for each bad cell, sound but for it."""
    return pd.DataFrame(
        [
            {"athlete_id": column, **ATHLETE, column: cell}
            for column, cell in cells.items()
        ]
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_requests_and_files_tell_the_same(kind: str, tmp_path: Path) -> None:
    bad = of_kind(kind)
    of_request = dict(told_of_requests(bad))
    assert {c: told.code for c, told in of_request.items()} == {c: b.code for c, b in bad.items()}

    as_text, as_parquet = tmp_path / "team.csv", tmp_path / "team.parquet"
    rows_with({column: value.text for column, value in bad.items()}).to_csv(as_text, index=False)
    of_text = told_of_file(as_text)
    assert {c: told.code for c, told in of_text.items()} == {
        c: b.code_of_text for c, b in bad.items()
    }
    alike = [column for column, value in bad.items() if value.code == value.code_of_text]
    assert [of_text[column] for column in alike] == [of_request[column] for column in alike]

    if kind == "not a number":
        return  # the missing value of a Parquet file
    for column, value in bad.items():
        rows_with({column: value.value}).to_parquet(as_parquet)
        assert told_of_file(as_parquet) == {column: of_request[column]}, column


@pytest.fixture(scope="module")
def told_of_form(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Told]]:
    """By kind of bad value, what each field of the page's form says."""
    typed = {k: {column: bad.text for column, bad in of_kind(k).items()} for k in KINDS}
    documents = {
        "schema": Screening.model_json_schema(),
        "words": {name: dict(section(name)) for name in ("shared", "page")},
    }
    folder = tmp_path_factory.mktemp("form")
    shutil.copytree(PAGE / "lib", folder / "lib")
    (folder / "form.js").write_text(FORM)
    if node := shutil.which("node"):
        (folder / "package.json").write_text('{"type": "module"}')
        (folder / "node.js").write_text(NODE)
        given = json.dumps({"documents": documents, "typed": list(typed.values())})
        done = subprocess.run(
            [node, "node.js"], cwd=folder, input=given, capture_output=True, text=True, check=True
        )
        answers = json.loads(done.stdout)
    else:
        answers = in_browser(request.getfixturevalue("browser"), folder, documents, typed)
    return {
        kind: {column: Told(*told) for column, told in pairs}
        for kind, pairs in zip(typed, answers, strict=True)
    }


def in_browser(browser: Any, folder: Path, documents: Any, typed: Any) -> Any:
    """What Node does, where there is none: the page's own modules in Chromium."""
    page = browser.new_page()

    def serve(route: Any) -> None:
        name = route.request.url.removeprefix("http://form.test/")
        if name.endswith(".js"):
            route.fulfill(path=folder / name, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route("http://form.test/**", serve)
    page.goto("http://form.test/")
    script = """async ({documents, typed}) => {
        const { faults } = await import("http://form.test/form.js");
        return typed.map((one) => faults(documents, one));
    }"""
    answers = page.evaluate(script, {"documents": documents, "typed": list(typed.values())})
    page.close()
    return answers


@pytest.mark.parametrize("kind", KINDS)
def test_the_form_tells_the_same(kind: str, told_of_form: dict[str, dict[str, Told]]) -> None:
    for column, bad in of_kind(kind).items():
        measure = columns()[column]
        violation = measure.violation(bad.text if isinstance(measure, Category) else bad.value)
        assert violation is not None
        assert violation.code == bad.code_of_text
        assert told_of_form[kind][column] == tuple(violation), column


@pytest.mark.parametrize("column", columns())
def test_a_column_is_checked_at_once_as_each_value_is(column: str) -> None:
    measure = columns()[column]
    if isinstance(measure, Category):
        return
    assert isinstance(measure, Quantity)
    edges = [measure.low, measure.high, measure.low - 1e-9, measure.high + 1e-9, measure.low + 0.5]
    values = pd.Series([*edges, math.nan, math.inf, -math.inf]).to_numpy(dtype=float)
    one_by_one = [measure.violation(float(value)) is None for value in values]
    assert measure.allows(values).tolist() == one_by_one
