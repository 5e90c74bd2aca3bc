"""What moved the risk: the drivers of each knee as rows that add up in the open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kneerisk.answer.answer_schema import SHOWN, Answer, Driver, Knee, Risk
from kneerisk.answer.report.number_format import signed, worded
from kneerisk.schema import Screening, columns, to_row
from kneerisk.words import in_sentence, listed

#: Rows with a name; the others stand in one row together (assumption: what a page holds).
NAMED = 8
#: Below this many points in every knee a measure goes with the others.
LEAST_SHOWN = 0.05
#: What can change is named from so many points on (assumption).
WORTH_NAMING = 0.5
#: In points of 100: a risk that hardly moves has short bars (assumption).
SHORTEST_AXIS = 2.0
CAN_CHANGE, FIXED = "Can change", "Can't change"
OTHERS, ALL_SMALL = "The others together", "All together"
ByKnee = Mapping[Knee, Mapping[str, Driver]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a measure did to one knee: its value in words, and risk points of 100."""

    value: str
    points: float

    @property
    def shown(self) -> str:
        """The points with their sign, to one decimal."""
        return signed(self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measure, and what it did to each knee; ``None`` where it did nothing."""

    label: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows that can change, or can't, with their sum for each knee as it is shown."""

    title: str
    sums: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
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

    def _points(self) -> list[float]:
        rows = [row for group in self.groups for row in group.rows]
        return [cell.points for row in rows for cell in row.cells if cell]


def table(answer: Answer, screening: Screening, named: int = NAMED) -> Table | None:
    """The drivers of every knee that has them; None where an answer has none."""
    knees = tuple(knee for knee in _knees(answer) if _of(answer, knee))
    risks: list[Risk] = [getattr(answer.risk, knee) for knee in knees]
    typical = [risk.typical_probability for risk in risks if risk.typical_probability is not None]
    if not knees or len(typical) < len(knees):
        return None
    starts = [round(100 * one, 1) for one in typical]
    ends = [round(100 * risk.probability, 1) for risk in risks]
    change = [round(_sum(_of(answer, knee)), 1) for knee in knees]
    fixed = [round(e - s - c, 1) for s, e, c in zip(starts, ends, change, strict=True)]
    by_knee = {knee: {d.measure: d for d in _of(answer, knee)} for knee in knees}
    shown = _strongest(by_knee, named)
    groups = [
        _group(CAN_CHANGE, shown, by_knee, to_row(screening), change),
        _group(FIXED, shown, by_knee, to_row(screening), fixed),
    ]
    return Table(
        knees=knees,
        starts=tuple(f"{start:.1f}" for start in starts),
        groups=tuple(group for group in groups if group.rows),
        ends=tuple(f"{end:.1f}" for end in ends),
    )


def _knees(answer: Answer) -> tuple[Knee, ...]:
    """The knees with a risk of their own; either knee where a model has no sides."""
    sides = tuple(side for side in SHOWN if getattr(answer.risk, side) is not None)
    return sides or (("either",) if answer.risk.either else ())


def _of(answer: Answer, knee: Knee) -> list[Driver]:
    return [driver for driver in answer.drivers if driver.side == knee]


def _sum(drivers: Sequence[Driver]) -> float:
    return sum(driver.points for driver in drivers if driver.modifiable)


def _strongest(by_knee: ByKnee, named: int) -> list[str]:
    """The measures worth a row, by the most that they did to any knee."""
    most: dict[str, float] = {}
    for drivers in by_knee.values():
        for name, driver in drivers.items():
            most[name] = max(most.get(name, 0.0), abs(driver.points))
    ranked = sorted(most, key=lambda name: -most[name])
    return [name for name in ranked if most[name] >= LEAST_SHOWN][:named]


def _group(
    title: str,
    shown: Sequence[str],
    by_knee: ByKnee,
    values: Mapping[str, Any],
    sums: Sequence[float],
) -> Group:
    """The named rows of one kind, and what is left of its sum, as shown, in a last row."""
    own = [name for name in shown if _any(by_knee, name).modifiable == (title == CAN_CHANGE)]
    rows = [_row(by_knee, name, values) for name in own]
    left = []
    for at, total in enumerate(sums):
        cells = [cell for row in rows if (cell := row.cells[at])]
        left.append(round(total - sum(round(cell.points, 1) for cell in cells), 1))
    if any(left):
        rest = tuple(Cell(value="", points=one) for one in left)
        rows.append(Row(label=OTHERS if rows else ALL_SMALL, cells=rest))
    return Group(title=title, sums=tuple(signed(one) for one in sums), rows=tuple(rows))


def _any(by_knee: ByKnee, name: str) -> Driver:
    return next(drivers[name] for drivers in by_knee.values() if name in drivers)


def _row(by_knee: ByKnee, name: str, values: Mapping[str, Any]) -> Row:
    cells = tuple(
        Cell(value=value_of(name, knee, values), points=drivers[name].points)
        if name in drivers else None
        for knee, drivers in by_knee.items()
    )  # fmt: skip
    return Row(label=_any(by_knee, name).label, cells=cells)


def value_of(measure: str, knee: Knee, values: Mapping[str, Any]) -> str:
    """The measured value behind a driver in words; nothing where there is no single one."""
    for column in (f"{knee}_{measure}", measure):
        if column in values and column in columns():
            return worded(columns()[column], values[column])
    return ""


def strongest_sentence(answer: Answer, screening: Screening, knee: Knee, count: int = 3) -> str:
    """What moves the risk of a knee most, with values and points."""
    values = to_row(screening)
    drivers = [d for d in _of(answer, knee) if round(abs(d.points), 1) > 0][:count]
    if not drivers:
        return ""
    unit, named = " points", []
    for driver in drivers:
        value = value_of(driver.measure, knee, values)
        shown = f"{value}: " if value else ""
        named.append(f"{in_sentence(driver.label)} ({shown}{signed(driver.points)}{unit})")
        unit = ""
    return f"What moves the {knee} knee's risk most: {listed(named)}."


def change_sentence(answer: Answer) -> str:
    """What can change and raises the risk, by the most points in either knee."""
    raising: dict[str, Driver] = {}
    for driver in answer.drivers:
        known = raising.get(driver.measure)
        if driver.modifiable and (known is None or driver.points > known.points):
            raising[driver.measure] = driver
    strongest = sorted(raising.values(), key=lambda driver: -driver.points)[:3]
    worth = [driver for driver in strongest if driver.points >= WORTH_NAMING]
    if worth:
        named = [f"{in_sentence(one.label)} ({signed(one.points)})" for one in worth]
        named[0] = named[0].replace(")", " points of 100)")
        return f"Of what can change, this raises the risk most: {listed(named)}."
    if answer.drivers:
        return "Nothing that was measured and can change raises the risk by half a point of 100."
    return ""
