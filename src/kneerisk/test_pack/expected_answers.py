"""What of an answer a test pack compares, and what a version is expected to say.

Numbers, codes and names are compared, sentences are not: they may be worded anew within ``/v1``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from kneerisk.answer import answers
from kneerisk.model.bundle import Bundle
from kneerisk.schema import Screening, faults_of
from kneerisk.test_pack.pack_requests import PackRequest, pack_requests

Json = dict[str, Any]
#: Names to keep of an object, or of each object of a list; none: the whole value.
Kept = Mapping[str, "Kept | Collection[str]"] | Collection[str]

#: How far a number may lie from the one expected: other processors round differently.
TOLERANCE = 1e-6
#: Requests that are answered in one go.
_AT_ONCE = 50

_KNEE = ("probability", "interval", "per_100", "band", "information", "interval_from",
         "typical_probability")  # fmt: skip
#: What is compared of each part of an answer.
COMPARED: dict[str, Kept] = {
    "red_flags": ("code", "urgency"),
    "red_flags_status": (),
    "risk": {
        "status": (), "reasons": ("code", "column"), "outcome_kind": (), "horizon_months": (),
        "base_rate": ("leg", "either", "from_club"), "left": _KNEE, "right": _KNEE,
        "either": _KNEE,
    },
    "drivers": ("side", "measure", "points", "log_odds"),
    "likely": ("side", "name"),
    "imbalances": ("side", "name", "probability", "interval", "status", "named_again"),
    "side_differences": ("measure", "right", "left", "difference", "detectable", "beyond_error",
                         "beyond_chance"),
    "next_tests": ("test", "uncertainty_removed", "worth_the_time"),
    "advice": ("code", "sides"),
    "plan": {"items": ("code", "sides")},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a value is not the one expected; None stands for one that is absent."""

    pointer: str
    expected: Any
    found: Any


def expected_cases(bundle: Bundle) -> list[Json]:
    """Every request of a pack with what a version says to it, as plain data.

    Parameters
    ----------
    bundle
        The version.

    Returns
    -------
    For each its ``name``, the ``request`` (or ``request_text``), the ``status``, and the
    ``answer`` or ``problem``.
    """
    requests = pack_requests()
    cases: dict[str, Json] = {}
    answered: list[tuple[str, Screening]] = []
    for request in requests:
        cases[request.name] = _sent(request)
        try:
            if request.problem is None:
                answered.append((request.name, Screening.model_validate(request.body)))
            else:
                cases[request.name] |= _problem(*request.problem)
        except ValidationError as error:
            faults = tuple((fault.pointer, fault.code) for fault in faults_of(error))
            cases[request.name] |= _problem(422, "invalid_body", faults)
    for start in range(0, len(answered), _AT_ONCE):
        some = answered[start : start + _AT_ONCE]
        told = answers(bundle, [screening for _, screening in some], tuple(COMPARED))
        for (name, _), one in zip(some, told, strict=True):
            plain = one.model_dump(mode="json", exclude_none=True, warnings="error")
            cases[name] |= {"status": 200, "answer": compared_part(plain)}
    return list(cases.values())


def compared_part(answer: Any, kept: Kept = COMPARED) -> Any:
    """What is compared of an answer.

    Parameters
    ----------
    answer
        The answer as JSON, or a part of it.
    kept
        The names to keep.

    Returns
    -------
    The same without the rest.
    """
    if isinstance(answer, list):
        return [compared_part(part, kept) for part in answer]
    if not isinstance(answer, dict) or not kept:
        return answer
    within: Mapping[str, Kept] = kept if isinstance(kept, Mapping) else dict.fromkeys(kept, ())
    return {
        name: compared_part(answer[name], part) for name, part in within.items() if name in answer
    }


def compared_problem(status: int, problem: Any) -> Json:
    """What is compared of a problem: the status, its code, and place and code of every fault."""
    told = problem if isinstance(problem, dict) else {}
    faults = told.get("faults") or []
    places = tuple((str(fault.get("pointer")), str(fault.get("code"))) for fault in faults)
    return _problem(status, str(told.get("code")), places)


def differences(
    expected: Any, found: Any, tolerance: float = TOLERANCE, pointer: str = ""
) -> Iterator[Difference]:
    """Every place where two values differ.

    Parameters
    ----------
    expected
        Plain data.
    found
        What it is held against.
    tolerance
        How far numbers may be apart.
    pointer
        The place of both, as a JSON pointer.

    Yields
    ------
    The differences, in the order of what was expected.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in [*expected, *(name for name in found if name not in expected)]:
            yield from differences(
                expected.get(name), found.get(name), tolerance, f"{pointer}/{name}"
            )
    elif isinstance(expected, list) and isinstance(found, list):
        for place in range(max(len(expected), len(found))):
            one, other = (
                items[place] if place < len(items) else None for items in (expected, found)
            )
            yield from differences(one, other, tolerance, f"{pointer}/{place}")
    elif not _same(expected, found, tolerance):
        yield Difference(pointer, expected, found)


def _same(expected: Any, found: Any, tolerance: float) -> bool:
    if _is_number(expected) and _is_number(found):
        return math.isclose(expected, found, rel_tol=0.0, abs_tol=tolerance)
    return type(expected) is type(found) and bool(expected == found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sent(request: PackRequest) -> Json:
    sent = {"request": request.body} if request.text is None else {"request_text": request.text}
    return {"name": request.name, **sent}


def _problem(status: int, code: str, faults: tuple[tuple[str, str], ...]) -> Json:
    places = [{"pointer": pointer, "code": fault} for pointer, fault in sorted(faults)]
    return {"status": status, "problem": {"code": code, "faults": places}}
