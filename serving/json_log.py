"""The log as one JSON object a line, for programs that collect logs."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime

#: How the log is written; `text` where nothing is said.
FORMATS = ("text", "json")
VARIABLE = "KNEERISK_LOG_FORMAT"


class JsonLines(logging.Formatter):
    """Writes a record as one line, with the fields that it carries beside its message."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, its time in UTC."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["traceback"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)


def format_log() -> None:
    """Let every handler that writes this process's log write JSON, where that was asked for."""
    if os.environ.get(VARIABLE) != "json":
        return
    for name in ("", "bentoml", "uvicorn.error"):
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(JsonLines())
