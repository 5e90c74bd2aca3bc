"""The service's client: typed answers, plain or awaited, with faults as exceptions.

Needs the extra ``client``.
"""

from importlib.util import find_spec

from kneerisk.words import text

if find_spec("httpx") is None:
    raise ModuleNotFoundError(text("client.not_installed"), name="httpx")

from kneerisk.client.async_client import AsyncClient
from kneerisk.client.calls import Recording
from kneerisk.client.client_errors import NoAnswer, NotUnderstood, Refused, Unavailable
from kneerisk.client.retry_policy import RetryPolicy
from kneerisk.client.sync_client import Client

__all__ = [
    "AsyncClient",
    "Client",
    "NoAnswer",
    "NotUnderstood",
    "Recording",
    "Refused",
    "RetryPolicy",
    "Unavailable",
]
