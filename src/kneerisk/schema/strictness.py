"""How every model of the schema reads its input."""

from pydantic import ConfigDict

#: Unknown names, numbers in quotes and non-finite numbers are faults; a fault never repeats the
#: athlete's value, so that it can go to a log.
STRICT = ConfigDict(
    frozen=True,
    extra="forbid",
    strict=True,
    allow_inf_nan=False,
    hide_input_in_errors=True,
)
