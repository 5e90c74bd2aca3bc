"""What can be wrong with an input: the fault codes, and how strictly every input is read."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core.core_schema import CoreSchema

#: Unknown names, numbers in quotes and non-finite numbers are faults; a fault never repeats the
#: athlete's value, so that it can go to a log.
STRICT = ConfigDict(
    frozen=True,
    extra="forbid",
    strict=True,
    allow_inf_nan=False,
    hide_input_in_errors=True,
)


class FaultCode(StrEnum):
    """Every code of a fault; programs read them, so that a code never changes its meaning."""

    # A value breaks the declaration of its measure: in a request, a file or the page's form.
    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    OUTSIDE_LIMITS = "outside_limits"
    NOT_TEXT = "not_text"
    NOT_TEXT_OR_NUMBER = "not_text_or_number"
    UNKNOWN_CHOICE = "unknown_choice"
    # Measures of one screening contradict each other.
    PROTOCOL_NEEDED = "protocol_needed"
    DISAGREES_WITH_PARTS = "disagrees_with_parts"
    BOTH_SIDES = "both_sides"
    NOT_OPPOSITE = "not_opposite"
    # The shape of a body.
    MISSING = "missing"
    UNKNOWN_NAME = "unknown_name"
    NOT_AN_OBJECT = "not_an_object"
    NOT_A_LIST = "not_a_list"
    NOT_A_BOOLEAN = "not_a_boolean"
    TOO_FEW = "too_few"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    DUPLICATE_KEY = "duplicate_key"
    # A limit or choice of a field that is no measure, by pydantic's own codes.
    LITERAL_ERROR = "literal_error"
    GREATER_THAN = "greater_than"
    GREATER_THAN_EQUAL = "greater_than_equal"
    LESS_THAN = "less_than"
    LESS_THAN_EQUAL = "less_than_equal"
    TOO_SHORT = "too_short"
    STRING_TOO_SHORT = "string_too_short"
    STRING_TOO_LONG = "string_too_long"
    STRING_PATTERN_MISMATCH = "string_pattern_mismatch"
    WRONG_FORM = "wrong_form"
    # A cell or row of a file.
    DECIMAL_MARK = "decimal_mark"
    NOT_A_DATE = "not_a_date"
    NOT_AN_OUTCOME = "not_an_outcome"
    OUTCOMES_DISAGREE = "outcomes_disagree"
    NOT_A_WEIGHT = "not_a_weight"
    REPEATED_SCREENING = "repeated_screening"
    UNKNOWN_WORD = "unknown_word"
    NEEDS_BODY_MASS = "needs_body_mass"
    BAD_CELL = "bad_cell"
    # Rows of a sheet contradict each other, or a date contradicts the outcome or the screening.
    ROWS_DIFFER = "rows_differ"
    LEGS_DIFFER = "legs_differ"
    REPEATED_LEG = "repeated_leg"
    SAME_ATHLETE = "same_athlete"
    SAME_ATHLETE_AND_DATE = "same_athlete_and_date"
    DATE_WITHOUT_PAIN = "date_without_pain"
    BEFORE_SCREENING = "before_screening"
    # A change that a what-if asks for.
    NO_CHANGE = "no_change"
    NOT_MODIFIABLE = "not_modifiable"
    NOT_AN_INPUT = "not_an_input"
    NOT_MEASURED = "not_measured"
    COMPUTED_FROM_PARTS = "computed_from_parts"
    OUTSIDE_RANGE_SEEN = "outside_range_seen"
    WITHIN_ERROR = "within_error"
    RATIO_OUTSIDE_RANGE = "ratio_outside_range"
    # The visits of a follow-up.
    ANOTHER_ATHLETE = "another_athlete"
    ANOTHER_PROTOCOL = "another_protocol"
    SAME_DATE = "same_date"
    NOT_IN_ORDER = "not_in_order"
    AGE_FALLS = "age_falls"
    AGE_DOES_NOT_FIT = "age_does_not_fit"
    # A report of outcomes.
    WHOSE = "whose"
    NOT_AN_ID = "not_an_id"
    NOT_A_CODE = "not_a_code"
    NOT_FOUR = "not_four"
    NO_SUCH_ANSWER = "no_such_answer"
    STILL_TO_COME = "still_to_come"
    NOT_OF_THIS_KIND = "not_of_this_kind"
    # What a person says of the columns of a sheet.
    NO_SUCH_COLUMN = "no_such_column"
    NO_SUCH_CELL = "no_such_cell"
    NO_UNIT = "no_unit"
    UNKNOWN_UNIT = "unknown_unit"
    TOLD_TWICE = "told_twice"
    # A declaration of a club's own measures.
    NAME_TAKEN = "name_taken"
    NOT_A_NAME = "not_a_name"
    NAME_WITHOUT_UNIT = "name_without_unit"
    LIMITS_UPSIDE_DOWN = "limits_upside_down"
    # A FHIR resource that was cancelled or entered in error.
    NOT_A_RESULT = "not_a_result"


#: The most characters that a cell of Excel's can have, and so what stands for one.
LONGEST_CELL = 32_767


class _OneFault:
    """Of a type that is one of several: what is none of them has one fault, not one for each."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The schema of the types, with a fault of ours for all."""
        of_each: dict[str, Any] = dict(handler(source))
        code = str(FaultCode.NOT_TEXT_OR_NUMBER)
        return of_each | {"custom_error_type": code, "custom_error_message": code}


#: What may stand in a cell. A whole number that no double holds exactly is read as one.
CellContent = Annotated[
    Annotated[str, Field(max_length=LONGEST_CELL)]
    | Annotated[int, Field(ge=-(2**53), le=2**53)]
    | float,
    _OneFault(),
]


def json_pointer(*location: int | str) -> str:
    """Where a value stands in a body, as RFC 6901 writes it: ``/visits/0/left``.

    Half a surrogate pair in a name, which JSON can write and UTF-8 can't, is a question mark.
    """
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return pointer.encode("utf-8", "replace").decode()


class Violation(NamedTuple):
    """How a value breaks the declaration of its measure; the value itself is never repeated."""

    code: FaultCode
    message: str
