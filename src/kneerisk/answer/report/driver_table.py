"""What moves the risk: the drivers of each knee as rows that visibly add up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kneerisk.answer.answer_schema import SHOWN, Answer, Driver, Knee, Risk
from kneerisk.answer.number_format import signed, value_in_words
from kneerisk.schema import columns
from kneerisk.words import in_sentence, listed, text, variant

#: Rows with a name; the others stand in one row together (assumption: what a page holds).
MOST_ROWS = 8
#: Below this many points in every knee a measure goes with the others.
LEAST_SHOWN = 0.05
#: What can change is named from so many points on (assumption).
WORTH_NAMING = 0.5
#: Drivers in a sentence (assumption).
MOST_IN_SENTENCE = 3
#: In points of 100: a risk that hardly moves has short bars (assumption).
SHORTEST_AXIS = 2.0
ByKnee = Mapping[Knee, Mapping[str, Driver]]
Values = Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a measure adds to the risk of one knee: its value in words, and points of 100."""

    value: str
    points: float

    @property
    def signed_points(self) -> str:
        """The points with their sign, to one decimal."""
        return signed(self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measure, and what it adds to each knee's risk; None where it adds nothing."""

    label: str
    cells: tuple[Cell | None, ...]
    size_from: str | None = None
    """Where the size of its effect comes from, as a key of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows of measures that can change, or that can't, with their sum for each knee as shown."""

    title: str
    sums: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverTable:
    """From the typical athlete's risk to this one's, knee by knee.

    Each knee's start, rows and end add up as they are shown, to the last decimal.
    """

    knees: tuple[Knee, ...]
    starts: tuple[str, ...]
    groups: tuple[Group, ...]
    ends: tuple[str, ...]

    @property
    def lowest(self) -> float:
        """Left end of the axis of the bars, in points: at most 0."""
        return min([0.0, *self._points()])

    @property
    def highest(self) -> float:
        """Right end of the axis, in points; the axis is never shorter than `SHORTEST_AXIS`."""
        return max([0.0, self.lowest + SHORTEST_AXIS, *self._points()])

    @property
    def sizes(self) -> tuple[str, ...]:
        """Where the sizes of the effects come from, each once, in the order of the rows."""
        rows = [row for group in self.groups for row in group.rows]
        return tuple(dict.fromkeys(row.size_from for row in rows if row.size_from))

    def _points(self) -> list[float]:
        rows = [row for group in self.groups for row in group.rows]
        return [cell.points for row in rows for cell in row.cells if cell]


def driver_table(answer: Answer, most_rows: int = MOST_ROWS) -> DriverTable | None:
    """The drivers of every knee that has them.

    Parameters
    ----------
    answer
        The answer to the screening.
    most_rows
        So many measures have a row of their own at most.

    Returns
    -------
    The table; None where an answer has no drivers.
    """
    knees = tuple(knee for knee in _knees(answer) if _of_knee(answer, knee))
    risks: list[Risk] = [getattr(answer.risk, knee) for knee in knees]
    typical = [risk.typical_probability for risk in risks if risk.typical_probability is not None]
    if not knees or len(typical) < len(knees):
        return None
    starts = [round(100 * probability, 1) for probability in typical]
    ends = [round(100 * risk.probability, 1) for risk in risks]
    modifiable = [round(_modifiable_sum(_of_knee(answer, knee)), 1) for knee in knees]
    fixed = [
        round(end - start - change, 1)
        for start, end, change in zip(starts, ends, modifiable, strict=True)
    ]
    by_knee = {knee: {d.measure: d for d in _of_knee(answer, knee)} for knee in knees}
    strongest = _strongest(by_knee, most_rows)
    values = {one.column: one.value for one in answer.inputs}
    groups = [
        _group(strongest, by_knee, values, modifiable, modifiable=True),
        _group(strongest, by_knee, values, fixed, modifiable=False),
    ]
    return DriverTable(
        knees=knees,
        starts=tuple(f"{start:.1f}" for start in starts),
        groups=tuple(group for group in groups if group.rows),
        ends=tuple(f"{end:.1f}" for end in ends),
    )


def _knees(answer: Answer) -> tuple[Knee, ...]:
    """The knees with a risk of their own; either knee where a model has no sides."""
    sides = tuple(side for side in SHOWN if getattr(answer.risk, side) is not None)
    return sides or (("either",) if answer.risk.either else ())


def _of_knee(answer: Answer, knee: Knee) -> list[Driver]:
    return [driver for driver in answer.drivers if driver.side == knee]


def _modifiable_sum(drivers: Sequence[Driver]) -> float:
    return sum(driver.points for driver in drivers if driver.modifiable)


def _strongest(by_knee: ByKnee, most_rows: int) -> list[str]:
    """The measures with a row of their own, by the most that they add to any knee's risk."""
    largest: dict[str, float] = {}
    for drivers in by_knee.values():
        for name, driver in drivers.items():
            largest[name] = max(largest.get(name, 0.0), abs(driver.points))
    ranked = sorted(largest, key=lambda name: -largest[name])
    return [name for name in ranked if largest[name] >= LEAST_SHOWN][:most_rows]


def _group(
    strongest: Sequence[str],
    by_knee: ByKnee,
    values: Values,
    sums: Sequence[float],
    *,
    modifiable: bool,
) -> Group:
    """The rows of one kind, and the remainder of its sum, as shown, in a last row."""
    names = [name for name in strongest if _driver(by_knee, name).modifiable == modifiable]
    rows = [_row(by_knee, name, values) for name in names]
    remainders = []
    for k, total in enumerate(sums):
        cells = [cell for row in rows if (cell := row.cells[k])]
        remainders.append(round(total - sum(round(cell.points, 1) for cell in cells), 1))
    if any(remainders):
        label = text("report.drivers.others") if rows else text("report.drivers.all")
        rest = tuple(Cell(value="", points=points) for points in remainders)
        rows.append(Row(label=label, cells=rest))
    title = text("report.drivers.can_change") if modifiable else text("report.drivers.fixed")
    return Group(title=title, sums=tuple(signed(points) for points in sums), rows=tuple(rows))


def _driver(by_knee: ByKnee, name: str) -> Driver:
    return next(drivers[name] for drivers in by_knee.values() if name in drivers)


def _row(by_knee: ByKnee, name: str, values: Values) -> Row:
    found = [drivers[name] for drivers in by_knee.values() if name in drivers]
    # Where the knees differ, the values beside the measure's own name say how.
    headings = {driver.heading for driver in found}
    is_one = len(headings) == 1
    label = found[0].heading if is_one else found[0].label
    is_said = is_one and isinstance(found[0].value, str)

    def shown(driver: Driver) -> str:
        return value_of(driver) if is_one else _own_value(driver, values)

    cells = tuple(
        Cell(value="" if is_said else shown(own), points=own.points) if own else None
        for own in (drivers.get(name) for drivers in by_knee.values())
    )
    return Row(label=label, cells=cells, size_from=size_from(found[0]))


def _own_value(driver: Driver, values: Values) -> str:
    """The knee's own value, in words; the driver's may be that of the other leg."""
    for column in (f"{driver.side}_{driver.measure}", driver.measure):
        if values.get(column) is not None:
            return value_in_words(columns()[column], values[column])
    return ""


def size_from(driver: Driver) -> str | None:
    """Where the size of a driver's effect comes from; none for how much was measured."""
    if driver.group == "tests":
        return None
    return driver.size_from or "null"


def value_of(driver: Driver) -> str:
    """The value behind a driver in words; empty where there is no single one."""
    if driver.value is None:
        return ""
    names = (driver.measure, f"left_{driver.measure}")
    return value_in_words(next(columns()[n] for n in names if n in columns()), driver.value)


def untested_sentence(answer: Answer) -> str:
    """What adds a point or more and can change, but was never shown to help when changed."""
    found = dict.fromkeys(in_sentence(d.heading) for d in answer.drivers if d.untested)
    return text("report.drivers.untested", drivers=listed(list(found))) if found else ""


def strongest_sentence(answer: Answer, knee: Knee, count: int = MOST_IN_SENTENCE) -> str:
    """What moves the risk of a knee most, with values and points.

    Parameters
    ----------
    answer
        The answer to the screening.
    knee
        The knee, or either.
    count
        So many drivers at most.

    Returns
    -------
    One sentence; empty where the knee has no drivers.
    """
    drivers = [d for d in _of_knee(answer, knee) if round(abs(d.points), 1) > 0][:count]
    if not drivers:
        return ""
    items: list[str] = []
    for driver in drivers:
        value, effect = value_of(driver), signed(driver.points)
        if value and not isinstance(driver.value, str):
            effect = text("report.drivers.value_and_points", value=value, points=effect)
        label = in_sentence(driver.heading)
        # The unit stands once, with the first.
        items.append(
            text("report.drivers.item", label=label, effect=effect)
            if items
            else text("report.drivers.first_item", label=label, effect=effect)
        )
    return variant("report.drivers.strongest", knee, drivers=listed(items))


def change_sentence(answer: Answer) -> str:
    """What can change and raises the risk, by the most points in either knee."""
    raising: dict[str, Driver] = {}
    for driver in answer.drivers:
        known = raising.get(driver.measure)
        if driver.modifiable and (known is None or driver.points > known.points):
            raising[driver.measure] = driver
    strongest = sorted(raising.values(), key=lambda driver: -driver.points)[:MOST_IN_SENTENCE]
    worth = [driver for driver in strongest if driver.points >= WORTH_NAMING]
    if not worth:
        return text("report.drivers.none_raising") if answer.drivers else ""
    items = [
        text("report.drivers.item", label=in_sentence(d.heading), effect=signed(d.points))
        for d in worth
    ]
    # The unit stands once, with the first.
    label, effect = in_sentence(worth[0].heading), signed(worth[0].points)
    items[0] = text("report.drivers.first_item_of_100", label=label, effect=effect)
    return text("report.drivers.raising", drivers=listed(items))
