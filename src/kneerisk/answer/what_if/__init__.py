"""What if a measure were another: an association, never a promise."""

from kneerisk.answer.what_if.compare import what_if
from kneerisk.answer.what_if.contract import Change, Moved, WhatIfAnswer
from kneerisk.answer.what_if.request import WhatIf

__all__ = ["Change", "Moved", "WhatIf", "WhatIfAnswer", "what_if"]
