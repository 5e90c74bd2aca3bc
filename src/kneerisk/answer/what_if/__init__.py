"""What if a measure were another: an association, never a promise."""

from kneerisk.answer.what_if.risk_comparison import what_if
from kneerisk.answer.what_if.what_if_request import WhatIf
from kneerisk.answer.what_if.what_if_schema import Change, Moved, WhatIfAnswer

__all__ = ["Change", "Moved", "WhatIf", "WhatIfAnswer", "what_if"]
