"""Everything that a screening may state, one item each, derived from the schema.

Observations and the Questionnaire are read and written by this one list, so that a new measure, a
club's own included, is in both. A link id is a canonical column (`left_hip_drop_deg`), a code is
the measure's name without its side (`hip_drop_deg`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kneerisk.schema import SIDES, Category, Measure, Side, columns, measures_of
from kneerisk.schema.athlete import Athlete
from kneerisk.schema.columns import column_locations
from kneerisk.schema.measure import ASSUMPTION
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.screening import EQUIPMENT
from kneerisk.schema.sections import RED_FLAGS, Setting
from kneerisk.words import text, variant

#: The answer of who was asked about all red flags, and has none.
NONE_APPLIES = "none_applies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that a screening may state."""

    link_id: str
    code: str
    location: tuple[str, ...]
    """Where it stands in the body of a screening."""
    measure: Measure = field(compare=False)
    repeats: bool = False
    """Whether it is a list of choices."""

    @property
    def side(self) -> Side | None:
        """The leg that it is of; None where it is of the athlete."""
        return next((side for side in SIDES if side in self.location[:-1]), None)

    @property
    def label(self) -> str:
        """The measure in words, and of which leg."""
        if self.side is None:
            return self.measure.label
        leg = variant("shared.leg_title", self.side)
        return text("fhir.of_leg", label=self.measure.label, leg=leg)

    @property
    def choices(self) -> tuple[str, ...]:
        """The choices of a category; none of a quantity."""
        return self.measure.choices if isinstance(self.measure, Category) else ()

    @property
    def is_required(self) -> bool:
        """Whether no screening is without it."""
        section, *_ = self.location
        stated = Athlete.model_fields.get(self.code) if section == "athlete" else None
        return stated is not None and stated.is_required()


@per_schema
def items() -> tuple[Item, ...]:
    """Every item, in the order of the schema's columns."""
    return tuple(_items())


@per_schema
def items_by_link_id() -> dict[str, Item]:
    """Every item by its link id."""
    return {item.link_id: item for item in items()}


@per_schema
def items_by_code() -> dict[str, Item]:
    """One item for each code; of a measure of the legs, that of the left one."""
    return {item.code: item for item in items() if item.side != "right"}


@per_schema
def items_by_code_and_side() -> dict[tuple[str, Side | None], Item]:
    """Every item by its code and its leg."""
    return {(item.code, item.side): item for item in items()}


def _items() -> Iterator[Item]:
    for column, location in column_locations().items():
        yield Item(link_id=column, code=location[-1], location=location, measure=columns()[column])
    for name, measure in measures_of(Setting).items():
        code = f"setting_{name}"
        yield Item(link_id=code, code=code, location=("setting", name), measure=measure)
    yield _listed("red_flags", text("fhir.title.red_flags"), (*RED_FLAGS, NONE_APPLIES))
    yield _listed("equipment", text("fhir.title.equipment"), EQUIPMENT)


def _listed(name: str, label: str, choices: tuple[str, ...]) -> Item:
    measure = Category(
        label=label,
        protocol=text("fhir.several"),
        station="history",
        group="history",
        choices=choices,
        source=ASSUMPTION,
        model_input=False,
    )
    return Item(link_id=name, code=name, location=(name,), measure=measure, repeats=True)
