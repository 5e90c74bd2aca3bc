"""Requests, sound and not, each made from its number alone."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from club_keys import WRITE_KEY, key_of, to_record
from http_client import Request
from http_promises import CANARY
from published_bodies import Generator
from upload_mutations import log_upload, squad_upload

from kneerisk.answer.follow_up.follow_up_request import FollowUp
from kneerisk.answer.what_if import WhatIf
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.schema import Screening
from serving.request_examples import FOLLOW_UP, WHAT_IF
from serving.routes import ROUTES
from serving.team_endpoint import Team

JSON_ROUTES = tuple(path for path, route in ROUTES.items() if route.body)
UPLOAD_ROUTES = tuple(path for path, route in ROUTES.items() if route.upload)
#: Those that are no file of the page.
OWN_ROUTES = tuple(path for path, route in ROUTES.items() if route.metrics_name != "/page")
_SCHEMA = Screening.model_json_schema()
_NAMES = (
    "",
    " ",
    "a/b~",
    "__proto__",
    "athlete",
    "left",
    "\uff41ge",
    "\u202eeg\u0430",
    "\x00",
    "x" * 300,
)
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -0.0, -1, 1e308, 5e-324, 2**53 + 1, 10**400, "27", "", "NaN", "\x00",
    "Ü😀\u202e", [], {}, [[]], [None], {"": {}}, float("nan"), float("inf"), "9" * 5_000,
    [1] * 300, {"left": {"left": {}}},
)  # fmt: skip
_TYPES = (
    "application/json", "application/json; charset=utf-16", "text/plain", "text/csv", "", "a",
    "multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
    "application/vnd.bentoml+pickle", "application/octet-stream", "application/xml",
    "application/json;;;=", "\xff/\xff",
)  # fmt: skip


def secret(source: random.Random) -> str:
    """A value that nothing may repeat."""
    return f"{CANARY}{source.getrandbits(48):x}"


def sound(path: str, source: random.Random) -> Any:
    """A body for a route that fits its schema, but perhaps not the rules of its model."""
    model, made = ROUTES[path].body, Generator(_SCHEMA, source)
    screening = made.body(source.choice([0.0, 0.1, 0.4, 1.0]))
    if model is Team:
        return {"screenings": [made.body(0.2) for _ in range(source.randint(0, 4))]}
    if model is WhatIf:
        changes = {source.choice([*WHAT_IF["changes"], "sitting_hours_per_day"]): 7.5}
        return {"screening": source.choice([screening, WHAT_IF["screening"]]), "changes": changes}
    if model is FollowUp:
        visits = json.loads(json.dumps(FOLLOW_UP["visits"]))
        changed = visits[source.randrange(2)]
        athlete = changed["screening"]["athlete"]
        # Of the same athlete more often than not: of another it is refused.
        changed["screening"] = screening | ({"athlete": athlete} if source.random() < 0.7 else {})
        return {"visits": visits}
    if model is Screening:
        return screening
    # Of any other route, one that was added since included, its own examples.
    return source.choice(list(ROUTES[path].examples.values()))


def json_request(seed: int) -> Request:
    """A body that was sound before it was changed, to a route that takes JSON."""
    source = random.Random(f"json {seed}")
    path = source.choice(JSON_ROUTES)
    # A copy: the changes must not reach the example, which other tests send too.
    body = deepcopy(sound(path, source))
    changes = source.choices(
        [_replaced, _added, _removed, _moved], k=source.choice([0, 1, 1, 2, 4])
    )
    for change in changes:
        change(body, source)
    content = json.dumps(body, ensure_ascii=source.random() < 0.7).encode("utf-8", "replace")
    labels = [change.__name__ for change in changes]
    headers = [("Content-Type", "application/json"), *key_of(path).items()]
    if source.random() < 0.4:
        spoil = source.choice(_SPOILED)
        content = spoil(content, source)
        labels.append(spoil.__name__)
    if source.random() < 0.2:
        headers[0] = ("Content-Type", source.choice(_TYPES))
    if source.random() < 0.1:
        encoding = source.choice(["gzip", "br", "identity", "deflate, gzip", "x"])
        headers.append(("Content-Encoding", encoding))
        content = gzip.compress(content) if source.random() < 0.5 else content
    chunks = source.choice([0, 0, 0, 7, 1_000])
    return Request("POST", path, tuple(headers), content, "+".join(labels), chunks)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a body with a key of it."""
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    places = []
    for key in keys:
        places.append((value, key))
        places += _places(value[key])
    return places


def _replaced(body: Any, source: random.Random) -> None:
    if places := _places(body):
        part, key = source.choice(places)
        odd = source.choice([*_ODD, secret(source), [secret(source)], {secret(source): 1}])
        part[key] = json.loads(json.dumps(odd))


def _added(body: Any, source: random.Random) -> None:
    parts = [body, *(part for part, _ in _places(body) if isinstance(part, dict))]
    name = source.choice([*_NAMES, secret(source), "\ud800"])
    odd = source.choice([*_ODD, secret(source)])
    # A copy: the next change may be of its inside.
    source.choice(parts)[name] = json.loads(json.dumps(odd))


def _removed(body: Any, source: random.Random) -> None:
    if places := _places(body):
        part, key = source.choice(places)
        del part[key]


def _moved(body: Any, source: random.Random) -> None:
    if places := _places(body):
        (part, key), (other, other_key) = source.choices(places, k=2)
        part[key] = json.loads(json.dumps(other[other_key]))


def _cut(content: bytes, source: random.Random) -> bytes:
    return content[: source.randrange(len(content) + 1)]


def _flipped(content: bytes, source: random.Random) -> bytes:
    changed = bytearray(content or b"x")
    for _ in range(source.randint(1, 4)):
        changed[source.randrange(len(changed))] = source.randrange(256)
    return bytes(changed)


def _twice(content: bytes, source: random.Random) -> bytes:
    name = json.dumps(source.choice([secret(source), "athlete", ""])).encode()
    start = content.find(b"{", source.randrange(len(content) + 1))
    double = b"{%s: 1, %s: %s, " % (name, name, json.dumps(secret(source)).encode())
    return content[:start] + double + content[start + 1 :] if start >= 0 else content


def _nested(content: bytes, source: random.Random) -> bytes:
    depth = source.choice([10, 400, 1_900, 30_000])
    return source.choice([b"[", b'{"athlete":']) * depth + content


def _reencoded(content: bytes, source: random.Random) -> bytes:
    encoding = source.choice(["utf-16", "utf-32", "utf-8-sig", "utf-7", "cp037"])
    return content.decode("utf-8", "replace").encode(encoding, "replace")


def _trailed(content: bytes, source: random.Random) -> bytes:
    return content + source.choice([b"{}", b",", b"\x00", b" " * 900, b"// x", b"]", b"\xff"])


def _tokens(content: bytes, source: random.Random) -> bytes:
    old, new = source.choice(
        [(b": ", b": -Infinity, "), (b'"', b"'"), (b"}", b",}"), (b"1", b"01"), (b".", b".."),
         (b"e", b"\\u0065"), (b'"athlete"', b'"\\ud83d"'), (b"2", b"1e999"), (b":", b":NaN,")]
    )  # fmt: skip
    return content.replace(old, new, source.choice([1, 1, 9]))


_SPOILED: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _flipped, _twice, _nested, _reencoded, _trailed, _tokens,
)  # fmt: skip


def _files(path: str, source: random.Random) -> tuple[list[SquadFile], Any]:
    """Files for a route that takes them, and what is said of them: its example, or any others."""
    if source.random() < 0.4:
        make = source.choice([log_upload, squad_upload])
        upload = make(source.getrandbits(32))
        return upload.files, json.loads(upload.stated)
    example = source.choice(list(ROUTES[path].examples.values()))
    content = example["file"].encode(source.choice(["utf-8", "cp1252"]))
    return [SquadFile("club.csv", content)], json.loads(json.dumps(example["mapping"]))


def _form_part(file: SquadFile) -> tuple[bytes, bytes]:
    name = file.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return b'form-data; name="file"; filename="%s"' % name.encode("utf-8", "replace"), file.content


def upload_request(seed: int) -> Request:
    """Files as a form, with changes of their cells, of what is stated, and of the form."""
    source = random.Random(f"upload {seed}")
    path = source.choice(UPLOAD_ROUTES)
    files, mapping = _files(path, source)
    files = [file._replace(content=file.content + f"\n{secret(source)}".encode()) for file in files]
    labels = []
    for change in source.choices([_replaced, _added, _removed], k=source.choice([0, 1, 2])):
        change(mapping, source)
        labels.append(change.__name__)
    stated = json.dumps(mapping).encode("utf-8", "replace")
    for spoil in source.choices([*_SPOILED], k=source.choice([0, 0, 1])):
        if source.random() < 0.5:
            files[0] = files[0]._replace(content=spoil(files[0].content, source))
        else:
            stated = spoil(stated, source)
        labels.append(spoil.__name__)
    boundary = source.choice([b"x", b"----kneerisk", b"a" * 70])
    sheet = files[0].content
    parts = [*map(_form_part, files), (b'form-data; name="mapping"', stated)]
    if source.random() < 0.4:
        parts = source.choice(
            [parts[:1], parts[-1:], parts * 2, [], [parts[-1], parts[0]], parts * 40,
             [*(parts[:1] * (ROUTES[path].most_files + 1)), parts[-1]],
             [(b'form-data; name="' + CANARY.encode() + b'"', b"1"), *parts],
             [(b'form-data; name="file"', sheet)], [(b"form-data", sheet)],
             [(b'form-data; name="file"; filename*=utf-8\'\'%00', sheet)],
             [(b'form-data; name="mapping"; filename="m"', stated), parts[0]],
             [(b"\xff\xfe", sheet)], [(b'form-data; name="mapping"', b"1" * 250_000), parts[0]]]
        )  # fmt: skip
    body = b"".join(
        b"--%s\r\nContent-Disposition: %s\r\n\r\n%s\r\n" % (boundary, disposition, content)
        for disposition, content in parts
    )
    body += b"--%s--\r\n" % boundary
    kind = f"multipart/form-data; boundary={boundary.decode()}"
    if source.random() < 0.25:
        body = source.choice([_cut, _flipped, _trailed, _nested])(body, source)
        labels.append("form")
    if source.random() < 0.1:
        kind = source.choice([*_TYPES, kind + "; charset=utf-16", kind + "x", kind + "; charset=z"])
    headers = (("Content-Type", kind),)
    return Request("POST", path, headers, body, "+".join(labels), source.choice([0, 0, 99]))


_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "FOO")
_HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Host", ("localhost", "127.0.0.1:1", "[::1]:80", "evil.example", "", "a b", "LOCALHOST.",
              "127.0.0.1.evil.example", "localhost:99999999", CANARY)),
    ("Origin", ("null", "https://evil.example", "http://localhost", "", "http://[", CANARY)),
    ("Authorization", ("Bearer x", "Basic eDp5", "Bearer", "", "Bearer " + "k" * 4_000, CANARY)),
    ("Range", ("bytes=0-3", "bytes=999999999-", "bytes=-1", "bytes=5-1", "bytes=0-1,3-4", "x=1",
               "bytes=" + "0-1," * 400)),
    ("If-Range", ("x", '"x"')),
    ("If-None-Match", ("*", '"x"', 'W/"x"')),
    ("If-Modified-Since", ("Thu, 01 Jan 2099 00:00:00 GMT", "never", CANARY)),
    ("Accept", ("text/html", "application/xml", "*/*;q=0", CANARY)),
    ("Accept-Encoding", ("gzip", "br", "identity;q=0", "gzip;q=x", CANARY)),
    ("Accept-Language", ("de", "x" * 3_000)),
    ("Cookie", (f"a={CANARY}", "=;=;" * 500)),
    ("X-Forwarded-For", ("10.0.0.1", CANARY)),
    ("X-Forwarded-Host", ("evil.example",)),
    ("X-Request-Id", (CANARY, "x" * 9_000)),
    ("X-Http-Method-Override", ("DELETE",)),
    ("Upgrade", ("websocket", "h2c", CANARY)),
    ("Connection", ("Upgrade", "keep-alive, te")),
    ("Expect", ("100-continue", CANARY)),
    ("Traceparent", (f"00-{'a' * 32}-{'b' * 16}-01", CANARY)),
    ("Forwarded", ("for=_x;host=evil.example",)),
    ("Bentoml-Metadata", (CANARY, "{")),
    ("Kneerisk-Record", ("yes", "yes", "no", "YES", "", CANARY)),
    ("Kneerisk-Athlete", ("A7", CANARY, f"{CANARY} Reilly", "%", "é", "x" * 9_000)),
    ("Kneerisk-Date", ("2026-03-01", "2999-01-01", "2026-02-30", "2026-W10-1", CANARY)),
    ("Idempotency-Key", (CANARY, f"{CANARY}{CANARY}", "a b", "", "k" * 9_000)),
    ("Pragma", ("x" * 15_000, "x" * 17_000)),
)  # fmt: skip


def header_request(seed: int) -> Request:
    """Any method at any address, with some headers."""
    source = random.Random(f"headers {seed}")
    # Most routes are files of the page, which are served alike.
    path = source.choice(list(ROUTES) if source.random() < 0.3 else OWN_ROUTES)
    if source.random() < 0.25:
        path = source.choice(
            [f"/{path}", f"{path}/", f"{path}?{CANARY}=1&a=%00", f"{path}%2f..", f"/..{path}",
             f"{path}%00", f"{path};x", path.upper(), f"/v1/{CANARY}", f"/page/../{CANARY}",
             "/page/%2e%2e/%2e%2e/etc/passwd", f"{path}%ff%fe", "/" + "a" * 5_000, f"/.{path}",
             f"{path}#x", f"http://evil.example{path}", "*", f"{path}%c0%ae", "//evil.example/"]
        )  # fmt: skip
    known = ROUTES.get(path)
    path = path.replace("{athlete}", secret(source))
    method = known.method if known and source.random() < 0.6 else source.choice(_METHODS)
    names = source.sample(_HEADERS, k=source.choice([0, 1, 1, 2, 4]))
    headers = tuple((name, source.choice(values)) for name, values in names)
    if known and source.random() < 0.8:
        headers += tuple(key_of(path).items())
    if known and known.records and source.random() < 0.3:
        stated = {name.lower() for name, _ in headers}
        recorded = to_record(WRITE_KEY).items()
        headers += tuple((name, value) for name, value in recorded if name not in stated)
    body = b""
    if known and known.method == "POST" and known.body:
        body = json.dumps(sound(path, source)).encode()
    elif source.random() < 0.2:
        body = source.choice([b"{}", b"x" * 3_000, CANARY.encode()])
    return Request(method, path, headers, body, "+".join(name for name, _ in headers))
