"""Every address that the service answers, and what each one takes."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from kneerisk.answer.follow_up import FollowUp
from kneerisk.answer.what_if import WhatIf
from kneerisk.schema import Screening
from serving.assets import ASSETS
from serving.sheet_import import MOST_UPLOADED_BYTES
from serving.team import Team

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address: its method, the JSON it takes, its body's largest size in bytes."""

    method: str
    body: type[BaseModel] | None = None
    limit: int = 0
    """0: it takes no body. A body without a model is handed on as it came."""
    needs_champion: bool = False
    watched: bool = True
    """False for addresses that machines ask all the time; they are kept out of the log."""
    name: str = ""
    """What it is called in counts and in the log; the address itself where empty."""


ROUTES = {
    "/": Route(method="GET"),
    "/v1/predict": Route(method="POST", body=Screening, limit=_MEGABYTE, needs_champion=True),
    # A screening with every measure is near 5 kB, so that 1,000 of them fit with room for blanks.
    "/v1/predict_team": Route(method="POST", body=Team, limit=10 * _MEGABYTE, needs_champion=True),
    "/v1/what_if": Route(method="POST", body=WhatIf, limit=_MEGABYTE, needs_champion=True),
    "/v1/follow_up": Route(method="POST", body=FollowUp, limit=_MEGABYTE, needs_champion=True),
    "/v1/report": Route(method="POST", body=Screening, limit=_MEGABYTE, needs_champion=True),
    "/v1/import": Route(method="POST", limit=MOST_UPLOADED_BYTES),
    "/v1/schema": Route(method="GET"),
    "/v1/texts": Route(method="GET"),
    "/v1/model": Route(method="GET", needs_champion=True),
    "/docs.json": Route(method="GET"),
    "/livez": Route(method="GET", watched=False),
    "/readyz": Route(method="GET", needs_champion=True, watched=False),
    "/metrics": Route(method="GET", watched=False),
    **{f"/{name}": Route(method="GET", watched=False, name="/page") for name in ASSETS},
}
