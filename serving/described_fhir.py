"""The shapes of what FHIR and CDS Hooks answer: the OpenAPI document describes them by these.

Of a resource no more than its type: FHIR's own definitions say the rest.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

_OPEN = ConfigDict(frozen=True, extra="allow")
_FROZEN = ConfigDict(frozen=True)


class FhirResource(BaseModel):
    """A resource of FHIR R4."""

    model_config = _OPEN

    resourceType: str  # noqa: N815 - FHIR's name


class CdsService(BaseModel):
    """A service of CDS Hooks, and the resources that it wants sent along."""

    model_config = _FROZEN

    hook: str
    id: str
    title: str
    description: str
    usageRequirements: str  # noqa: N815 - as specified
    prefetch: dict[str, str]


class CdsServices(BaseModel):
    """The services that there are."""

    model_config = _FROZEN

    services: list[CdsService]


class CdsCard(BaseModel):
    """A card for the chart."""

    model_config = _FROZEN

    uuid: str
    summary: str
    detail: str
    indicator: Literal["info", "warning", "critical"]
    source: dict[str, str]
    suggestions: list[dict[str, Any]]
    selectionBehavior: str  # noqa: N815
    overrideReasons: list[dict[str, str]]  # noqa: N815
    links: list[dict[str, str]] | None = None


class CdsCards(BaseModel):
    """At most one card."""

    model_config = _FROZEN

    cards: list[CdsCard]


class FeedbackKept(BaseModel):
    """Whether the feedback stands in a club's records now."""

    model_config = _FROZEN

    kept: bool
