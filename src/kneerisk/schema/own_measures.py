"""A club's own measures beside those of the package, and which of them are in force.

A model that was trained with own measures has them with it. Whatever works on its screenings does
so with its measures in force (``with model.own.in_force():``): `kneerisk.schema.columns` and all
that is derived from it then knows them too. A context variable holds them, so that two models can
answer side by side in one process, each with its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Annotated, Any, ParamSpec, TypeVar, cast

from kneerisk.schema.measure import Category, Measure, Quantity

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class OwnMeasures:
    """Measures that a club has declared, without the side: of the athlete, and of each leg.

    ``declared`` is what the file says of them, as plain data: a bundle keeps it.
    """

    athlete: Mapping[str, Measure] = field(default_factory=dict)
    leg: Mapping[str, Measure] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[OwnMeasures, ...] = field(default=(), compare=False, repr=False)
    """What it was put together from by `beside`."""
    _results: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.declared)

    __hash__ = object.__hash__

    @property
    def measures(self) -> Mapping[str, Measure]:
        """All of them by their names, the athlete's first."""
        return {**self.athlete, **self.leg}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of them, the athlete's first."""
        return (*self.athlete, *self.leg)

    def beside(self, other: OwnMeasures) -> OwnMeasures:
        """These, and those of another set whose names are not taken yet."""
        if not other or other is self:
            return self
        if not self or any(part is self for part in other.parts):
            return other
        taken = {*self.athlete, *self.leg}
        return OwnMeasures(
            athlete=dict(self.athlete) | _without(taken, other.athlete),
            leg=dict(self.leg) | _without(taken, other.leg),
            declared=dict(self.declared) | _without(taken, other.declared),
            parts=(self, other, *self.parts, *other.parts),
        )

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Let these, and no other own measures, be part of the schema within a ``with`` block."""
        before = _IN_FORCE.set(self if self.declared else None)
        try:
            yield
        finally:
            _IN_FORCE.reset(before)

    def also_in_force(self) -> AbstractContextManager[None]:
        """Let these be part of the schema beside those that are in force already."""
        return self.beside(own_measures_in_force()).in_force()

    def __reduce__(self) -> tuple[Any, ...]:
        return OwnMeasures, (self.athlete, self.leg, self.declared)

    def remembering(
        self, function: Callable[..., _Result], most: int | None
    ) -> Callable[..., _Result]:
        """A function that remembers its results for as long as these measures are kept.

        Parameters
        ----------
        function
            The function.
        most
            Of how many arguments the results are kept; None: of all.

        Returns
        -------
        Callable
            The same function each time.
        """
        remembered = self._results.get(function)
        if remembered is None:
            remembered = self._results.setdefault(function, lru_cache(most)(function))
        return cast("Callable[..., _Result]", remembered)


def _without(taken: set[str], names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in names.items() if name not in taken}


def fields_of(measures: Mapping[str, Measure]) -> dict[str, Any]:
    """An optional field for each measure, as pydantic's `create_model` takes it."""
    held: dict[str, type] = {
        name: str if isinstance(m, Category) else float for name, m in measures.items()
    }
    held |= {name: int for name, m in measures.items() if isinstance(m, Quantity) and m.whole}
    return {name: (Annotated[held[name] | None, m], None) for name, m in measures.items()}


#: The schema of the package alone.
NO_OWN_MEASURES = OwnMeasures()

_IN_FORCE: ContextVar[OwnMeasures | None] = ContextVar("own_measures", default=None)


def own_measures_in_force() -> OwnMeasures:
    """The own measures of the piece of work at hand; none where it has none."""
    return _IN_FORCE.get() or NO_OWN_MEASURES


def per_schema(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """`functools.cache` for what is derived from the schema: with own measures it is another."""
    return _remembered(function, None)


def per_schema_at_most(
    most: int,
) -> Callable[[Callable[_Arguments, _Result]], Callable[_Arguments, _Result]]:
    """`functools.lru_cache` of so many results, for what is derived from the schema."""

    def decorate(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        return _remembered(function, most)

    return decorate


def _remembered(
    function: Callable[_Arguments, _Result], most: int | None
) -> Callable[_Arguments, _Result]:
    of_the_package: Any = lru_cache(most)(function)

    @wraps(function)
    def remembered(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        own = _IN_FORCE.get()
        results = of_the_package if own is None else own.remembering(function, most)
        return results(*args, **kwargs)

    remembered.cache_clear = of_the_package.cache_clear  # type: ignore[attr-defined]
    remembered.cache_info = of_the_package.cache_info  # type: ignore[attr-defined]
    return remembered
