"""What each worker process of the service does before it answers."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from typing import Any

from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

#: Connections that wait until a worker takes them (what the system allows may be less).
_QUEUED_CONNECTIONS = 2_048
#: How long a thread holds the interpreter where another wants it; Python's own is 5 ms.
_SWITCH_SECONDS = 0.001
#: After the supervisor's death a worker ends its requests, for no longer than this (assumption).
_ORPHAN_SECONDS = 10.0


def application() -> ASGIApp:
    """Make the application: uvicorn calls this once in each worker.

    Ends the process with uvicorn's code for a failed start where it can't be made, so that the
    supervisor does not try for ever.
    """
    from bentoml._internal.log import configure_server_logging

    from serving.service import KneeRisk

    configure_server_logging()
    # Predictions on the event loop wait less for a large request in a thread.
    sys.setswitchinterval(_SWITCH_SECONDS)
    end_with_supervisor()
    try:
        return KneeRisk.to_asgi()  # type: ignore[attr-defined, no-any-return]
    except Exception:
        logging.getLogger("bentoml.kneerisk").exception("the service can't start")
        sys.exit(STARTUP_FAILURE)


class FairEventLoop(asyncio.SelectorEventLoop):
    """Takes one waiting connection at a time.

    asyncio takes all that wait, so the worker that wakes first would get every connection of
    clients that keep them open. One at a time, each goes to the worker with the most time left.
    """

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:
        """Listen as asyncio does, with a long queue of which one is taken at a time."""
        server = await super().create_server(*arguments, **(options | {"backlog": 1}))
        if sock := options.get("sock"):
            sock.listen(_QUEUED_CONNECTIONS)
        return server


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make the event loop of a worker."""
    return FairEventLoop()


def end_with_supervisor() -> None:
    """End this process when its supervisor is gone, however that ended."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        threading.Thread(target=_end_after, args=(supervisor,), daemon=True).start()


def _end_after(supervisor: Any) -> None:
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ORPHAN_SECONDS)
    os._exit(1)
