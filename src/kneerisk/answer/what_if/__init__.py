"""What if a measure were another: an association, never a promise."""

from kneerisk.answer.what_if.risk_comparison import what_if
from kneerisk.answer.what_if.what_if_schema import Change, ComparedRisk, WhatIf, WhatIfAnswer

__all__ = ["Change", "ComparedRisk", "WhatIf", "WhatIfAnswer", "what_if"]
