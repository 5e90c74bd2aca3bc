"""Renders `docs/error-codes.md`: every code of a problem or fault, why it comes, what to do."""

from __future__ import annotations

from kneerisk.schema.faults import FaultCode
from kneerisk.words import variant
from serving.problem import STATUS_BY_CODE

_DOCUMENT = """\
# Error codes

Written by `python -m pipelines.derive` from the codes of the program; don't edit it.

Every answer that is not a success is `application/problem+json` (RFC 9457): `code` is stable and
for programs, `title` and `detail` are for people, `request_id` finds the request in the service's
log. A program that meets a code which it does not know goes by the status. [The
API](api.md#errors) says more.

## Problems

| code | status | cause | cure |
| --- | --- | --- | --- |
{problems}

## Faults

With `invalid_body` and `duplicate_key`, `faults` names every place that is wrong by a JSON pointer
(RFC 6901), with the rule in words (`message`), what is `allowed` and the `unit`. Sheets and files
are read by the same rules and have the same codes.

| code | what is wrong, and what to do |
| --- | --- |
{faults}
"""


def markdown() -> str:
    """The document, from the tables of codes and the service's texts."""
    problems = [
        f"| `{code}` | {status} | {variant('service.cause', code)} "
        f"| {variant('service.cure', code)} |"
        for code, status in STATUS_BY_CODE.items()
    ]
    faults = [f"| `{code}` | {variant('service.fault', code)} |" for code in FaultCode]
    return _DOCUMENT.format(problems="\n".join(problems), faults="\n".join(faults))
