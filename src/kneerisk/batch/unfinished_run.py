"""A long run's finished chunks in a folder of their own, so that a run goes on where it stopped.

Each chunk is a file that appears whole or not at all. A note says what the run is of: a file, a
model, a form of the result. Another run finds its own chunks there, or throws away what it finds.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

#: What the run is of.
_NOTE = "run.json"


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """The folder of a run's finished chunks."""

    folder: Path

    @classmethod
    def beside(cls, out: Path, what: Mapping[str, Any]) -> UnfinishedRun:
        """The run that makes a file: the one that was stopped, or a new one.

        Parameters
        ----------
        out
            The file that the run makes.
        what
            All that its result depends on, as plain data.

        Returns
        -------
        The run, with the chunks that it has finished already.
        """
        folder = out.with_name(f".{out.name}.unfinished")
        note, told = folder / _NOTE, json.dumps(what, sort_keys=True)
        if not (note.is_file() and note.read_text("utf-8") == told):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            note.write_text(told, "utf-8")
        return cls(folder)

    def finished(self) -> frozenset[int]:
        """The numbers of the chunks that are done."""
        return frozenset(int(path.stem) for path in self.folder.glob("*.arrow"))

    def keep(self, number: int, answers: Any) -> None:
        """Write one chunk.

        Parameters
        ----------
        number
            Its number.
        answers
            An Arrow table.
        """
        path = self._path(number)
        unfinished = path.with_suffix(".part")
        with pa.OSFile(str(unfinished), "wb") as file, pa.ipc.new_file(file, answers.schema) as out:
            out.write_table(answers)
        unfinished.replace(path)

    def tables(self) -> Iterator[Any]:
        """The chunks in order, each as an Arrow table."""
        for number in sorted(self.finished()):
            with pa.memory_map(str(self._path(number))) as file:
                yield pa.ipc.open_file(file).read_all()

    def clear(self) -> None:
        """Throw the chunks away: the run is over."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}.arrow"
