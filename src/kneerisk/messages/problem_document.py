"""A problem as RFC 9457 has it: what the service sends instead of an answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kneerisk.errors import Fault

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """One problem; `faults` has every single thing that is wrong with a body."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[str, Field(description="A URN that ends in the code.")]
    title: str
    status: int
    code: Annotated[str, Field(description="Stable; for programs.")]
    detail: str
    instance: Annotated[str | None, Field(description="A URN of this request.")] = None
    request_id: Annotated[str | None, Field(description="As in the x-request-id header.")] = None
    faults: Annotated[
        list[Fault] | None, Field(description="Each with a JSON pointer (RFC 6901) to its place.")
    ] = None

    def as_json(self) -> bytes:
        """The body to send; what is not known is absent."""
        return self.model_dump_json(exclude_none=True).encode()
