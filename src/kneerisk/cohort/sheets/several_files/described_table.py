"""Files on disk, and the table that they are by a mapping file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kneerisk.cohort.sheets.changed_cells import with_changes
from kneerisk.cohort.sheets.files.workbook import open_sheet
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.rows.headings import Table, read_table, rows_below, table_likeness
from kneerisk.cohort.sheets.several_files.arrange import arrange
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.errors import CohortRefused
from kneerisk.words import text


def read_files(paths: Sequence[Path]) -> list[SquadFile]:
    """Files on disk, under their names.

    Parameters
    ----------
    paths
        The files.

    Returns
    -------
    list of SquadFile
        Their content.

    Raises
    ------
    CohortRefused
        Where one of them can't be read.
    """
    files = []
    for path in paths:
        try:
            files.append(SquadFile(path.name, path.read_bytes()))
        except FileNotFoundError:
            raise CohortRefused(text("cohort.file.no_such_file", file=path)) from None
        except OSError as error:
            reason = error.strerror
            raise CohortRefused(text("cohort.file.unreadable", file=path, reason=reason)) from None
    return files


def described_table(paths: Sequence[Path], mapping: Mapping) -> Table:
    """The athletes' rows of files in the form that their mapping states.

    Parameters
    ----------
    paths
        One file, or the files that were put together when the mapping was proposed, in their order.
    mapping
        Their form.

    Returns
    -------
    Table
        Rows as wide as the names of the columns.

    Raises
    ------
    CohortRefused
        Where they can't be read, or the mapping is not of such files.
    """
    if mapping.arrangement is None:
        if len(paths) > 1:
            raise CohortRefused(text("sheet.mapping.one_file", count=len(paths)))
        return read_table(paths[0], mapping)
    files, form = read_files(paths), mapping.sheet
    first = open_sheet(files[0].content, worksheet=form.name, likeness=table_likeness)
    arranged = arrange(files, first, mapping.arrangement, worksheet=form.name)
    if arranged is None:
        raise CohortRefused(text("sheet.mapping.not_arranged", file=paths[0]))
    return rows_below(
        with_changes(arranged.lines, mapping.changes),
        arranged.heading.names,
        heading_line=arranged.heading.lines[-1],
        leave_out=form.leave_out,
    )
