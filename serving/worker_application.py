"""One of the service's processes: uvicorn makes the application in it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from uvicorn.config import STARTUP_FAILURE

from serving.json_log import format_log
from serving.monitoring import LOGGER

if TYPE_CHECKING:
    from starlette.types import ASGIApp

#: How long a thread holds the interpreter where another wants it; Python's own is 5 ms.
_SWITCH_SECONDS = 0.001
#: After the supervisor's death a worker ends its requests, for no longer than this (assumption).
_ORPHAN_SECONDS = 10.0
#: XGBoost imports these where they are installed, for classes that the service does not use: a
#: third of a worker's start, and 60 MB. An install for serving has neither (`tests/test_bento.py`).
_NOT_FOR_SERVING = ("pandas", "sklearn")


def application() -> ASGIApp:
    """Make the application: uvicorn calls this once in each worker.

    Ends the process with uvicorn's code for a failed start where it can't be made, so that the
    supervisor does not try for ever.
    """
    # Next to nothing of what a start makes is garbage, and looking for it takes a sixth of the
    # time; `serving.warm_up` begins with it.
    gc.disable()
    leave_out(_NOT_FOR_SERVING)
    # Here: modules are most of what a start makes.
    from bentoml._internal.log import configure_server_logging

    from serving.service import KneeRisk

    configure_server_logging()
    format_log()
    # Predictions on the event loop wait less for a large request in a thread.
    sys.setswitchinterval(_SWITCH_SECONDS)
    end_with_supervisor()
    try:
        return KneeRisk.to_asgi()  # type: ignore[attr-defined, no-any-return]
    except Exception:  # noqa: BLE001 - whatever it is, the supervisor has to know
        LOGGER.exception("the service can't start")
        sys.exit(STARTUP_FAILURE)


def leave_out(modules: Sequence[str]) -> None:
    """Let this process take modules that are installed for modules that are not."""
    # Python's own way: an import that finds None there raises ModuleNotFoundError.
    sys.modules.update(dict.fromkeys(modules))  # type: ignore[arg-type]


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
