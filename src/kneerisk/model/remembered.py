"""What was worked out for a pattern of tests done, remembered within so many bytes.

Real batteries have few patterns, and each is solved once. Made-up ones have no end: what was not
asked for longest is forgotten first, so that a worker's memory stays flat.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar, TypeVarTuple, Unpack

#: What Python itself needs for an entry and its arrays (assumption, measured at some 1 kB).
_ENTRY_BYTES = 1024

_Pattern = TypeVarTuple("_Pattern")


class SentWithoutCaches:
    """A dataclass that goes to another process as its fields: what it remembers stays behind."""

    def __getstate__(self) -> dict[str, Any]:
        of_class: Any = type(self)
        return {each.name: self.__dict__[each.name] for each in fields(of_class)}


class Sized(Protocol):
    """Something that knows the bytes of its arrays."""

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""


_Solved = TypeVar("_Solved", bound=Sized)


class Remembered(Generic[*_Pattern, _Solved]):
    """A function that remembers its latest results; `functools.lru_cache` counts them instead.

    Parameters
    ----------
    solve
        The function; its arguments can be hashed.
    most_bytes
        How much all results may hold together.
    """

    def __init__(self, solve: Callable[[Unpack[_Pattern]], _Solved], most_bytes: int) -> None:
        self._solve, self._most_bytes = solve, most_bytes
        self._results: OrderedDict[Hashable, _Solved] = OrderedDict()
        self._lock = Lock()
        self.held_bytes = 0

    def __call__(self, *pattern: *_Pattern) -> _Solved:
        """The result for a pattern: as it is remembered, or solved now."""
        with self._lock:
            if (known := self._results.get(pattern)) is not None:
                self._results.move_to_end(pattern)
                return known
        solved = self._solve(*pattern)
        with self._lock:
            if pattern not in self._results:
                self._results[pattern] = solved
                self.held_bytes += solved.nbytes + _ENTRY_BYTES
            while self.held_bytes > self._most_bytes:
                _, forgotten = self._results.popitem(last=False)
                self.held_bytes -= forgotten.nbytes + _ENTRY_BYTES
        return solved
