"""What CDS Hooks is answered: its services, cards, and whether feedback was kept."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

_FROZEN = ConfigDict(frozen=True)


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
