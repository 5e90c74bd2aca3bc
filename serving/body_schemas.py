"""The bodies that BentoML reads, without the schemas that it can't describe.

Ours are served instead. Classes, as BentoML makes the schema of an annotated type anew for each
request.
"""

from __future__ import annotations

from typing import Any

from kneerisk.answer.follow_up import FollowUp
from kneerisk.answer.what_if import WhatIf
from kneerisk.schema import Screening


class _Undescribed:
    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Any object."""
        return {"type": "object", "title": cls.__name__}


class ScreeningBody(_Undescribed, Screening):
    """A screening."""


class WhatIfBody(_Undescribed, WhatIf):
    """A screening and other values of some of its measures."""


class FollowUpBody(_Undescribed, FollowUp):
    """Visits of one athlete."""
