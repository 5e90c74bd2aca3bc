"""What the service writes to its log: never an athlete's value, never a name that was sent."""

from __future__ import annotations

import logging
import traceback

#: BentoML shows the records of loggers below its own, so ours needs no set-up.
LOGGER = logging.getLogger("bentoml.kneerisk")


class RedactValues(logging.Filter):
    """Removes the messages from tracebacks: an exception's text may repeat what was sent.

    The kinds of the exceptions and the lines of code they came through stay.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; keep every one."""
        if record.exc_info and record.exc_info[1]:
            record.exc_text = traceback_text(record.exc_info[1])
            record.exc_info = None
        if record.name == "asyncio":
            # Its later lines show the failed task with its exception.
            record.msg, record.args = record.getMessage().partition("\n")[0], None
        return True


def traceback_text(error: BaseException) -> str:
    """The traceback of an error and of its causes, without their messages."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    earlier = f"{traceback_text(cause)}\nand from it:\n" if cause else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error)
    return f"{earlier}{frames}{kind.__module__}.{kind.__qualname__}"


def redact_logs() -> None:
    """Put the filter on every handler that writes this process's log."""
    for name in ("", "bentoml", "uvicorn.error"):
        for handler in logging.getLogger(name).handlers:
            if not any(isinstance(existing, RedactValues) for existing in handler.filters):
                handler.addFilter(RedactValues())
