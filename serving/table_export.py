"""A table of the page's as an Excel file; nothing of it is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from kneerisk.schema.faults import LONGEST_CELL, CellContent
from kneerisk.words import text

#: Every measure of a screening and every number of its answer, with room (assumption).
_MOST_COLUMNS = 400
#: As many rows as a team has.
MOST_ROWS = 1_000
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_Text = Annotated[str, Field(max_length=LONGEST_CELL)]


class Table(BaseModel):
    """A table as it is to stand in the file: the names of its columns and its rows."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    columns: Annotated[list[_Text], Field(min_length=1, max_length=_MOST_COLUMNS)]
    rows: Annotated[list[list[CellContent | None]], Field(max_length=MOST_ROWS)]

    @field_validator("rows", mode="after")
    @classmethod
    def _no_longer_than_a_table(
        cls, rows: list[list[CellContent | None]]
    ) -> list[list[CellContent | None]]:
        if any(len(row) > _MOST_COLUMNS for row in rows):
            most = f"{_MOST_COLUMNS:,}"
            raise PydanticCustomError("too_many", text("service.body.too_many_cells", most=most))
        return rows


def export(table: Table) -> Response:
    """The table as an Excel file."""
    # Here: openpyxl is needed by nothing else in a worker.
    from kneerisk.cohort.sheets.files.written_workbook import workbook

    content = workbook(table.columns, table.rows, text("service.export.worksheet"))
    return Response(content, media_type=WORKBOOK)
