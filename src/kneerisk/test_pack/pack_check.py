"""Asks a service everything that a test pack holds, and compares."""

from __future__ import annotations

import http.client
import json
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from kneerisk.progress import Progress, event
from kneerisk.test_pack.expected_answers import (
    COMPARED,
    Difference,
    compared_part,
    compared_problem,
    differences,
)
from kneerisk.test_pack.pack_files import Pack, PackRefused
from kneerisk.words import text

_SECONDS = 60.0
_PREDICT = f"/v1/predict?fields={','.join(COMPARED)}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: how many cases are as expected, and every difference by case."""

    version: str
    served_version: str | None
    """None where the service does not say."""
    passed: int
    total: int
    found: dict[str, list[Difference]]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        listed = [
            {"case": case, **asdict(difference)}
            for case, some in self.found.items()
            for difference in some
        ]
        return {
            "version": self.version, "served_version": self.served_version,
            "passed": self.passed, "total": self.total, "differences": listed,
        }  # fmt: skip


class Asked:
    """One connection to a service.

    Parameters
    ----------
    url
        The service's address.
    key
        What opens it; None where it needs none.

    Raises
    ------
    PackRefused
        Where the address is none of HTTP.
    """

    def __init__(self, url: str, key: str | None) -> None:
        parts = urlsplit(url)
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        if parts.scheme not in kinds or not parts.hostname:
            raise PackRefused(text("command_line.testpack.no_address", url=url))
        self._url = url
        self._path = parts.path.rstrip("/")
        self._connection = kinds[parts.scheme](parts.netloc, timeout=_SECONDS)
        self._headers = {"content-type": "application/json"}
        self._headers |= {"authorization": f"Bearer {key}"} if key else {}

    def __call__(self, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
        """The status and the JSON of an answer; None where it is no JSON.

        Parameters
        ----------
        method
            Of HTTP.
        path
            Below the service's address.
        body
            What is sent; None where nothing is.

        Returns
        -------
        Status and content.

        Raises
        ------
        PackRefused
            Where nothing answers.
        """
        content = None if body is None else body.encode()
        try:
            self._connection.request(method, self._path + path, content, self._headers)
            response = self._connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            message = text("command_line.testpack.no_answer", url=self._url, reason=reason)
            raise PackRefused(message) from None
        try:
            return response.status, json.loads(raw)
        except ValueError:
            return response.status, None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def check_service(url: str, pack: Pack, key: str | None, progress: Progress) -> Checked:
    """Send every request of a pack and compare what comes back.

    Parameters
    ----------
    url
        The service's address.
    pack
        The requests with what is expected.
    key
        What opens the service; None where it needs none.
    progress
        Told how far it has come.

    Returns
    -------
    What was found.
    """
    ask = Asked(url, key)
    tolerance, found = float(pack.manifest["tolerance"]), {}
    try:
        _, model = ask("GET", "/v1/model")
        for number, case in enumerate(pack.cases, 1):
            if number % 50 == 0:
                progress(event("checking_answers", number=number, total=len(pack.cases)))
            expected = {name: case[name] for name in case.keys() & {"status", "answer", "problem"}}
            off = list(differences(expected, _answered(ask, case), tolerance))
            if off:
                found[case["name"]] = off
    finally:
        ask.close()
    version = model.get("version") if isinstance(model, dict) else None
    total = len(pack.cases)
    return Checked(pack.version, version, total - len(found), total, found)


def _answered(ask: Asked, case: dict[str, Any]) -> dict[str, Any]:
    body = case["request_text"] if "request_text" in case else json.dumps(case["request"])
    status, content = ask("POST", _PREDICT, body)
    if status == 200:
        return {"status": status, "answer": compared_part(content)}
    return compared_problem(status, content)
