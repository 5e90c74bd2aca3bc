"""Opens the club's records for a command; what they need is loaded where a command needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kneerisk.errors import KneeriskError
from kneerisk.words import text

if TYPE_CHECKING:
    from kneerisk.records.database import Database


@contextmanager
def open_records(*, current: bool = True) -> Iterator[Database]:
    """The records that the environment names, within a ``with`` block.

    Parameters
    ----------
    current
        Whether their tables have to be those of this program.

    Yields
    ------
    The database.

    Raises
    ------
    KneeriskError
        Where there are none, or the packages for them are not installed.
    """
    try:
        from kneerisk.records.database import Database
    except ModuleNotFoundError as error:
        raise KneeriskError(text("command_line.records.not_installed", module=error.name)) from None
    database = Database.from_environment(current=current)
    try:
        yield database
    finally:
        database.close()
