"""What may stand as an athlete's id, an answer's id, or the key of a repeated request.

Apart from the database, so that a request is checked where none is installed.
"""

from __future__ import annotations

import re
from typing import Any

#: An athlete's id as clubs make them up: no spaces, so that it is no name by mistake.
ATHLETE_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: The id of an answer is a UUID.
ANSWER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,100}")
#: How every key of a club begins, and every key of a service.
KEY_START, SERVICE_KEY_START = "kr_", "ks_"


def pattern_schema(pattern: re.Pattern[str]) -> dict[str, Any]:
    """What the JSON Schema of a text says of its pattern."""
    return {"pattern": f"^{pattern.pattern}$"}
