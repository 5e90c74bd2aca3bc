"""What a column may mean, and the one rule of when that is certain: name, unit and values agree.

Certain are the words of one measure, in a unit of its kind that is named or that no other could be
instead, with a median within two standard deviations of a norm, and values that are not as well
explained by another quantity (`other_quantities.csv`), by codes, or by found and not found.
Quantities of different kinds are never converted: what an angle in the name can't be, it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import ColumnValues, as_text
from kneerisk.cohort.sheets.cells.unit_fits import Fit, fit, other_fits, rival_units
from kneerisk.cohort.sheets.columns.column_names import Named
from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.languages import ENGLISH, Languages, plain_words
from kneerisk.cohort.sheets.lexicon.name_matches import Match
from kneerisk.cohort.sheets.lexicon.other_quantities import other_quantities
from kneerisk.cohort.sheets.lexicon.units import (
    FEET_AND_INCHES,
    OWN_UNIT,
    Unit,
    feet_shown,
    kind_of,
    needs_lever,
    unit_of,
)
from kneerisk.cohort.sheets.sheet_answer import Asks
from kneerisk.schema import Quantity
from kneerisk.words import text, variant

#: What a dynamometer that shows kilograms or pounds means, and a percentage of a force.
_OF_FORCE = {"kg": Unit("kgf", per_body_mass=True), "lb": Unit("lbf", per_body_mass=True)}
_FORCES = ("N/kg", "% BW")
#: From here on the words are those of a measure.
EXACT = 0.999
#: Whole numbers up to here, without a unit, may be codes or grades; of angles up to the lower one,
#: which are seldom that small (assumptions).
_MOST_CODE, _MOST_CODE_OF_ANGLE = 5, 2
#: Units that are counted, so that small whole numbers are no codes.
_COUNTED = {"sessions/week", "grade", "episodes", "of 10", "points"}
#: A short word in a name is seldom a unit: `in`, `m`, `d` (assumption).
_LEAST_UNIT, _SHORT_UNITS = 3, {"km", "kg", "cm", "mm", "nm", "lb"}


class Setting(NamedTuple):
    """What is known of the sheet while one of its columns is looked at."""

    mass_kg: float
    """The athletes' usual body mass."""
    has_sides: bool = False
    """A column names the leg of each row."""
    languages: Languages = ENGLISH
    """The languages of the names."""


class Candidate(NamedTuple):
    """One meaning of a column, in a unit, with what speaks against it."""

    means: str
    likeness: float
    share: float
    """Of the entries that can be read as it at all."""
    fit: Fit | None = None
    other_units: tuple[Fit, ...] = ()
    """The units that have to be asked about, the likeliest first."""
    doubt: str | None = None
    """Why it is not certain, for people."""
    is_even: bool = False
    """Whether nothing speaks more for it than for something else."""
    others: tuple[str, ...] = ()
    """What else it may be, which is no measure."""
    asks: Asks | None = None
    """What has to be told besides: `words` or `lever_arm`."""

    @property
    def unit(self) -> Unit:
        """The unit that it is taken to be in."""
        return self.fit.unit if self.fit else OWN_UNIT

    @property
    def is_possible(self) -> bool:
        """Whether most entries can be read, in a unit that fits."""
        fits = self.fit is None or self.fit.is_possible or bool(self.other_units)
        return self.share >= 0.5 and fits

    @property
    def is_typical(self) -> bool:
        """Whether its numbers are such as people have."""
        return self.fit is None or self.fit.is_typical

    @property
    def is_certain(self) -> bool:
        """Whether name, unit and values agree."""
        return self.likeness >= EXACT and self.is_possible and self.doubt is None

    @property
    def rank(self) -> tuple[bool, float, bool, float]:
        """The greater, the likelier."""
        distance = (self.fit.distance or 0.0) if self.fit else 0.0
        return (self.is_possible, round(self.likeness, 1), self.is_typical, -distance)


def quantity_candidate(
    match: Match,
    measure: Quantity,
    named: Named,
    cells: Sequence[Any],
    values: ColumnValues,
    setting: Setting,
) -> Candidate | None:
    """A measured quantity as a meaning of a column, with what speaks against it.

    Parameters
    ----------
    match
        The measure, and how alike the name is.
    measure
        The measure.
    named
        What else the name says.
    cells
        The column's cells as they stand.
    values
        The same cells, counted.
    setting
        What is known of the sheet.

    Returns
    -------
    Candidate or None
        None where the unit is one of another kind.
    """
    not_tested = sum(values.words[word] for word in words_not_tested(values))
    share = len(values.numbers) / max(1, values.filled - not_tested)
    name = _unit_told(match, measure, named) or values.unit
    found: Candidate | None
    if name is None:
        found = _without_unit(match, measure, values, share, setting)
    else:
        found = _in_unit(match, measure, name, values, share, setting.mass_kg)
    if found is None:
        return None
    if match.is_own and found.fit and found.fit.is_possible:
        # Nobody writes the schema's own name for anything else.
        return found._replace(doubt=None, other_units=())
    if name == "ft":
        found = _as_feet(found, measure, cells, values, setting.mass_kg)
    others = other_quantities(match.means, values.numbers, name)
    if others:
        listed = text("sheet.doubt.or").join(variant("sheet.other", code) for code in others)
        found = _in_doubt(found, text("sheet.doubt.other", other=listed), others=others)
    elif _are_found_or_not(measure, values):
        found = _in_doubt(found, text("sheet.doubt.found"), others=("found",))
    elif name is None and _may_be_codes(measure, values):
        found = _in_doubt(found, text("sheet.doubt.codes"), others=("codes",))
    return found._replace(is_even=True) if share < 0.5 else found


def words_not_tested(values: ColumnValues) -> list[str]:
    """Words among a column's numbers that stand for a test that was not done."""
    return [word for word in values.words if fold(word) in plain_words("missing_number")]


def _in_doubt(found: Candidate, doubt: str, others: tuple[str, ...] = ()) -> Candidate:
    """As likely something else: whatever else is open, nothing is proposed."""
    return found._replace(doubt=doubt, is_even=True, others=others)


def _unit_told(match: Match, measure: Quantity, named: Named) -> str | None:
    """The unit that a name tells: at its end, in brackets, or among its words."""
    if named.unit and (unit_of(measure, named.unit) or not match.is_whole):
        return named.unit
    for unit in sorted(named.units):
        is_long = len(unit) >= _LEAST_UNIT or unit.casefold() in _SHORT_UNITS
        if unit == "h" and measure.unit in {"h/week", "h/day"}:
            return measure.unit
        if is_long and unit_of(measure, unit):
            return unit
    return None


def _without_unit(
    match: Match, measure: Quantity, values: ColumnValues, share: float, setting: Setting
) -> Candidate:
    """A measure whose unit nothing tells but its values."""
    own = fit(measure, OWN_UNIT, values.numbers, setting.mass_kg)
    is_english = "en" in setting.languages
    found = other_fits(measure, values.numbers, setting.mass_kg, is_english=is_english)
    others = tuple(rival_units(measure, own, found))
    if others:
        names = dict.fromkeys(str(other.unit.name) for other in others if other != own)
        units = text("sheet.doubt.or").join(names)
        doubt = text("sheet.doubt.no_unit", units=units, unit=measure.unit)
        typical = [one for one in (own, *others) if one.is_typical]
        # Where no unit makes the values typical, none is the better one.
        is_even = own.is_typical or len(typical) != 1
        return Candidate(*match[:2], share, own, others, doubt, is_even)
    doubts = [] if own.is_typical else [text("sheet.doubt.far", unit=measure.unit)]
    doubts += [text("sheet.doubt.short")] if match.needs_unit else []
    why = doubts[0] if doubts else None
    return Candidate(*match[:2], share, own, (), why, is_even=not own.is_possible)


def _in_unit(
    match: Match, measure: Quantity, name: str, values: ColumnValues, share: float, mass_kg: float
) -> Candidate | None:
    """A measure in a unit that is told, by its name or its cells."""
    unit = unit_of(measure, name)
    doubt: str | None = None
    if unit is None and name in _OF_FORCE and measure.unit in _FORCES:
        unit = _OF_FORCE[name]
        doubt = text("sheet.doubt.force", named=name, unit=unit.name)
    elif unit is None and name == "%" and measure.unit == "% BW":
        unit = OWN_UNIT
        doubt = text("sheet.doubt.share")
    elif unit is None and needs_lever(measure, force := _name_of_force(name)):
        doubt = text("sheet.doubt.lever")
        undivided = Fit(Unit(force, per_body_mass=True), 1.0, None)
        return Candidate(*match[:2], share, undivided, (), doubt, is_even=True, asks="lever_arm")
    if unit is None:
        return None
    own = fit(measure, unit, values.numbers, mass_kg)
    if values.unit and values.unit != name and (shown := unit_of(measure, values.unit)):
        # The cells name their own unit, whatever the column's name says of the others.
        own = fit(measure, shown, values.numbers, mass_kg)._replace(unit=unit)
    if not own.is_possible:
        found = other_fits(measure, values.numbers, mass_kg)
        better = tuple(other for other in found if other.share > own.share)
        doubt = text("sheet.doubt.other_unit", unit=name)
        return Candidate(*match[:2], share, own, better, doubt, is_even=not better)
    if doubt is None and not own.is_typical:
        doubt = text("sheet.doubt.far", unit=name)
    return Candidate(*match[:2], share, own, (own,) if doubt else (), doubt)


def _name_of_force(unit: str) -> str:
    """The force that a dynamometer means by a unit of mass."""
    return str(_OF_FORCE[unit].name) if unit in _OF_FORCE else unit


def _as_feet(
    found: Candidate,
    measure: Quantity,
    cells: Sequence[Any],
    values: ColumnValues,
    mass_kg: float,
) -> Candidate:
    """Feet with a point: `5.11` is 5 ft 11 in to people, unless another is no such number."""
    written = [as_text(cell) for cell in cells if as_text(cell)[:1].isdigit()]
    shown = [number for number in written if "." in number or "," in number]
    if not shown or any(feet_shown(number) is None for number in shown):
        return found
    inches = fit(measure, Unit(FEET_AND_INCHES), values.numbers, mass_kg)
    is_sure = any(number[-3:] in {".10", ",10"} for number in shown)
    units = (inches, found.fit) if found.fit else (inches,)
    return found._replace(
        other_units=units, doubt=text("sheet.doubt.feet", number=shown[0]), is_even=not is_sure
    )


def _are_found_or_not(measure: Quantity, values: ColumnValues) -> bool:
    """Whether a column has nothing but 1 and 0, which no measurement is confined to."""
    is_answer = 1.0 in values.numbers and set(values.numbers) <= {0.0, 1.0}
    counted = measure.unit in _COUNTED - {"of 10"}
    return is_answer and not counted and len(values.numbers) > 1


def _may_be_codes(measure: Quantity, values: ColumnValues) -> bool:
    if measure.unit in _COUNTED or len(values.numbers) < 2:
        return False
    most = _MOST_CODE_OF_ANGLE if kind_of(measure.unit) == "angle" else _MOST_CODE
    return all(number.is_integer() and 0 <= number <= most for number in values.numbers)
