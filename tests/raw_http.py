"""Bytes on a connection that are almost HTTP, or HTTP that servers have read in two ways."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from http_promises import CANARY

from serving.request_examples import EXAMPLE

_BODY = json.dumps(EXAMPLE).encode()
_HOST = b"Host: localhost\r\n"
_LAST = b"GET /livez HTTP/1.1\r\n" + _HOST + b"Connection: close\r\n\r\n"
_POST = b"POST /v1/predict HTTP/1.1\r\n" + _HOST

#: What is sent, and how many answers are awaited (0: it is no whole request).
Raw = tuple[bytes, int]


def raw_case(seed: int) -> Raw:
    """One case, made from its number."""
    source = random.Random(f"raw {seed}")
    return source.choice(_KINDS)(source)


def _request_line(source: random.Random) -> Raw:
    line = source.choice(
        [b"GET /livez", b"GET  /livez HTTP/1.1", b"GET /livez HTTP/9.9", b"GET /livez HTTP/2.0",
         b"\x16\x03\x01\x02\x00", b"PRI * HTTP/2.0", b"GET /livez\tHTTP/1.1", b" GET / HTTP/1.1",
         b"G\x00T / HTTP/1.1", b"GET /\xff\xfe HTTP/1.1", b"GET /" + CANARY.encode(), b"\x00" * 40,
         b"GET / HTTP/1.1 HTTP/1.1", b"GET /\x7f HTTP/1.1", b"", b":", b"A" * 9_000,
         b"GET http://[::1 HTTP/1.1", b"CONNECT a:1 HTTP/1.1", b"OPTIONS * HTTP/1.1",
         b"GET /livez?\xc3\xa9#%zz HTTP/1.1", b"GET evil HTTP/1.1", b"GET //// HTTP/1.0"]
    )  # fmt: skip
    end = source.choice([b"\r\n", b"\n", b"\r", b"\r\n "])
    return line + end + _HOST + b"\r\n", 0


def _header_lines(source: random.Random) -> Raw:
    name = CANARY.encode()
    line = source.choice(
        [b"no colon", b": empty", name + b" : a", b"a\x00b: c", name + b": \x00", b" folded: a",
         b"a: b\r\n " + name, b"Host: other", b"a: " + b"x" * 20_000, b"\xff: a", b"a: \xff" + name,
         b"Content-Length: -1", b"Content-Length: 1e3", b"Content-Length: " + b"9" * 400,
         b"Content-Length: 0x5", b"Content-Length: +5", b"Content-Length: ", b"a:b\rc:d",
         b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked, identity", b"Host: a, b",
         b"Transfer-Encoding: \x0bchunked", b"Content-Length: 5, 5", b"Content-Length: 5, 6"]
    )  # fmt: skip
    return b"GET /v1/model HTTP/1.1\r\n" + _HOST + line + b"\r\n\r\n", 0


def _flood(source: random.Random) -> Raw:
    count, size = source.choice([(2_000, 3), (300, 60), (20, 1_000), (1, 70_000), (5_000, 20)])
    lines = b"".join(b"h%d: %s\r\n" % (at, b"x" * size) for at in range(count))
    return b"GET /livez HTTP/1.1\r\n" + _HOST + lines + b"\r\n", 0


def _smuggled(source: random.Random) -> Raw:
    hidden = b"GET /" + CANARY.encode() + b" HTTP/1.1\r\n" + _HOST + b"\r\n"
    lengths = source.choice(
        [b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
         b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
         b"Content-Length: 4\r\nContent-Length: 900\r\n",
         b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
         b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding: xchunked\r\n",
         b"Transfer-Encoding:\tchunked\r\nContent-Length: 4\r\n",
         b"X: a\rTransfer-Encoding: chunked\r\n"]
    )  # fmt: skip
    return _POST + lengths + b"\r\n" + b"0\r\n\r\n" + hidden, 0


def _chunked(source: random.Random) -> Raw:
    size = b"%x" % len(_BODY)
    content = source.choice(
        [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n0\r\n\r\n", b"f" * 40 + b"\r\n{}",
         size + b"\r\n" + _BODY + b"0\r\n\r\n", size + b"\n" + _BODY + b"\n0\n\n",
         size + b";" + b"x" * 30_000 + b"\r\n" + _BODY + b"\r\n0\r\n\r\n",
         b"1\r\n{}\r\n", b"\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"2 \r\n{}\r\n0\r\n\r\n",
         size + b"\r\n" + _BODY + b"\r\n0\r\n" + CANARY.encode() + b": x\r\n\r\n",
         size + b"\r\n" + _BODY + b"\r\n0\r\n" + b"t: x\r\n" * 9_000 + b"\r\n",
         b"1\r\n{\r\n" * 20_000]
    )  # fmt: skip
    return _POST + b"Transfer-Encoding: chunked\r\n\r\n" + content, 0


def _pipelined(source: random.Random) -> Raw:
    length = b"Content-Length: %d\r\n\r\n" % len(_BODY)
    one = source.choice(
        [b"GET /livez HTTP/1.1\r\n" + _HOST + b"\r\n", _POST + length + _BODY,
         b"POST /v1/predict HTTP/1.1\r\n" + _HOST + b"Content-Length: 2\r\n\r\n{}",
         b"HEAD /readyz HTTP/1.1\r\n" + _HOST + b"\r\n"]
    )  # fmt: skip
    count = source.choice([1, 2, 5])
    if one.startswith(b"HEAD"):
        return one * count + _LAST, 0
    return one * count + _LAST, count + 1


def _short(source: random.Random) -> Raw:
    whole = _POST + b"Content-Length: %d\r\n\r\n" % (len(_BODY) + 100) + _BODY
    return whole[: source.randrange(len(whole))], 0


def _expecting(source: random.Random) -> Raw:
    more = source.choice([b"100-continue", b"200-ok", CANARY.encode()])
    head = _POST + b"Expect: " + more + b"\r\nConnection: close\r\nContent-Length: "
    return head + b"%d\r\n\r\n" % len(_BODY) + _BODY, 1


def _noise(source: random.Random) -> Raw:
    content = bytearray(_POST + b"Content-Length: %d\r\n\r\n" % len(_BODY) + _BODY)
    for _ in range(source.randint(1, 6)):
        content[source.randrange(len(content))] = source.randrange(256)
    return bytes(content), 0


_KINDS: tuple[Callable[[random.Random], Raw], ...] = (
    _request_line, _header_lines, _flood, _smuggled, _chunked, _pipelined, _short, _expecting,
    _noise,
)  # fmt: skip
