"""The numbers of an answer without its words: what a club's records keep of it."""

from __future__ import annotations

from typing import Any

from kneerisk.answer.answer_schema import Answer

#: The parts of an answer that they are taken from.
TOLD_PARTS = ("risk", "imbalances", "red_flags_status")
#: Words of these parts; they can be made again from the numbers.
_WORDS: dict[str, Any] = {
    "risk": {"reasons": {"__all__": {"message"}}, "base_rate": {"rests_on"}},
    "imbalances": {"__all__": {"label", "usual_site", "wording", "evidence_grade", "pattern"}},
}


def told_numbers(answer: Answer) -> dict[str, Any]:
    """What was told about a screening, under the names that it has in the answer.

    Parameters
    ----------
    answer
        With at least `TOLD_PARTS`.

    Returns
    -------
    Plain data for JSON. A knee that was not scored has no key under ``risk``.
    """
    return answer.model_dump(
        mode="json", include=set(TOLD_PARTS), exclude=_WORDS, exclude_none=True, warnings="error"
    )
