"""The table of devices' tests for people, in Markdown: what each is read as, and on what ground."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kneerisk.cohort.sheets.device_exports.device_tests import KnownTest, known_tests
from kneerisk.cohort.sheets.device_exports.export_columns import layouts
from kneerisk.cohort.sheets.device_exports.tidy_table import takes_best
from kneerisk.schema import Quantity, leg_measures
from kneerisk.words import text, variant


def markdown() -> str:
    """Every kind of export with the columns that tell it, and every test that is known."""
    kinds = [
        [variant("sheet.layout", layout.name), _code(sorted(layout.telling))]
        for layout in layouts()
    ]
    tests = [list(_cells(known)) for known in known_tests()]
    return "\n".join(
        [
            text("sheet.described.opening"),
            *_table(["export", "columns"], kinds),
            "",
            text("sheet.described.tests"),
            *_table(["test", "position", "quantity", "read", "trials", "source"], tests),
            "",
        ]
    )


def _cells(known: KnownTest) -> Iterator[str]:
    tests, positions = known.in_words
    yield tests
    yield text("sheet.described.no_position") if positions == "none" else positions
    yield ", ".join(sorted(known.quantities)).replace("_", " ")
    yield _read(known)
    measure = leg_measures().get(known.measure or "")
    if isinstance(measure, Quantity):
        yield variant("sheet.described.trials", "best" if takes_best(measure) else "mean")
    else:
        yield ""
    yield known.source


def _read(known: KnownTest) -> str:
    if known.measure is None:
        return variant("sheet.test.left_out", known.reason)
    protocol = "".join(f", `{name}` `{value}`" for name, value in known.protocol.items())
    asked = text("sheet.described.asked") if known.outcome == "asked" else ""
    return f"`{known.measure}`{protocol}{asked}"


def _code(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (heading, ["---"] * len(heading), *rows):
        yield f"| {' | '.join(row)} |"
