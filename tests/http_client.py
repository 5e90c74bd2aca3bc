"""Sends requests as they are, sound or not, and reads what comes back."""

from __future__ import annotations

import http.client
import socket
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from typing import Any
from urllib.parse import urlsplit

from http_promises import Reply

#: Longer than the service gives any request.
_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `label` says how it was made."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    label: str = ""
    chunk_bytes: int = 0
    """The size of its chunks; 0: in one piece, with its length."""

    @property
    def asked(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers}

    def wire(self, host: str) -> bytes:
        """Its bytes on the connection."""
        headers = list(self.headers)
        if "host" not in self.asked:
            headers.insert(0, ("Host", host))
        if self.chunk_bytes:
            headers.append(("Transfer-Encoding", "chunked"))
            pieces = [
                self.body[at : at + self.chunk_bytes]
                for at in range(0, len(self.body), self.chunk_bytes)
            ]
            content = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
            content += b"0\r\n\r\n"
        else:
            content = self.body
            if content or self.method in {"POST", "PUT", "PATCH"}:
                headers.append(("Content-Length", str(len(content))))
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content


class _Received:
    """What arrives on a connection, for one response after the other: each would close it."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file

    def makefile(self, *_: Any) -> _Received:
        return self

    def close(self) -> None:
        """Stay open for the next response."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Client:
    """One connection, opened anew where the service has closed it."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        self.host = split.netloc
        self._address = (str(split.hostname), int(split.port or 80))
        self._socket: socket.socket | None = None

    def ask(self, request: Request) -> Reply:
        """Send a request and read its answer; tries again where a kept connection was closed."""
        fresh = self._socket is None
        try:
            return self._exchange(request)
        except (http.client.HTTPException, OSError):
            self.close()
            if fresh:
                raise
            return self._exchange(request)

    def _exchange(self, request: Request) -> Reply:
        if self._socket is None:
            self._socket = self.connect()
        # The answer may come, and the connection end, before all of the request is sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(request.wire(self.host))
        response = http.client.HTTPResponse(self._socket, method=request.method)
        response.begin()
        reply = Reply.of(response)
        if response.will_close:
            self.close()
        return reply

    def connect(self) -> socket.socket:
        """Open another connection."""
        connection = socket.create_connection(self._address, timeout=_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def send_raw(self, content: bytes, answers: int) -> list[Reply]:
        """Send bytes on a connection of their own.

        Parameters
        ----------
        content
            What is sent.
        answers
            So many answers are awaited; 0: the bytes are no whole request, so the connection's
            own direction is closed, and nothing waits for the rest.
        """
        replies: list[Reply] = []
        with self.connect() as connection, connection.makefile("rb") as file:
            received: Any = _Received(file)
            try:
                connection.sendall(content)
                if not answers:
                    connection.shutdown(socket.SHUT_WR)
                while not answers or len(replies) < answers:
                    response = http.client.HTTPResponse(received)
                    response.begin()
                    replies.append(Reply.of(response))
                    if response.will_close:
                        break
            except TimeoutError:
                raise
            except (http.client.HTTPException, OSError):
                # The service has closed the connection.
                return replies
        return replies

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def ask_once(url: str, request: Request) -> Reply:
    """Send one request on a connection of its own."""
    client = Client(url)
    try:
        return client.ask(request)
    finally:
        client.close()
