"""HTTP/1.1 on asyncio streams, as much of it as a proxy needs: heads, bodies piece by piece, what a request asks for."""

import asyncio
import dataclasses
import urllib.parse

MAX_HEAD = 64 << 10
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Ended(Exception):
    """The connection ended where a message was to begin or to go on."""


@dataclasses.dataclass
class Head:
    first: str  # the request or status line
    headers: list  # of (name, value)

    def get(self, name, default=""):
        return next((value for key, value in self.headers if key.lower() == name), default)

    def bytes(self):
        return "".join([f"{self.first}\r\n", *(f"{key}: {value}\r\n" for key, value in self.headers), "\r\n"]).encode("latin-1")

    @property
    def status(self):
        return int(self.first.split(" ", 2)[1])

    @property
    def closes(self):
        return "close" in self.get("connection").lower()

    @property
    def chunked(self):
        return "chunked" in self.get("transfer-encoding").lower()


async def read_head(reader):
    """The next message's head; None if the other side ended the connection between two messages."""
    try:
        data = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Ended("in the middle of a head") from None
        return None
    except asyncio.LimitOverrunError:
        raise Ended("a head that is too long") from None
    first, *lines = data.decode("latin-1")[:-4].split("\r\n")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Head(first, headers)


async def chunks(reader):
    """Each chunk with its framing, the last (empty) one with its trailer included."""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        if size:
            yield line + await reader.readexactly(size + 2)
            continue
        tail = line
        while True:
            line = await reader.readuntil(b"\r\n")
            tail += line
            if line == b"\r\n":
                yield tail
                return


async def body_pieces(reader, head, has_body=True, until_end=False):
    """The body as it came, piece by piece. `until_end`: without a length it ends with the connection."""
    if not has_body:
        return
    if head.chunked:
        async for piece in chunks(reader):
            yield piece
        return
    length = head.get("content-length")
    if length:
        left = int(length)
        while left:
            piece = await reader.read(min(left, 64 << 10))
            if not piece:
                raise Ended("in the middle of a body")
            left -= len(piece)
            yield piece
    elif until_end:
        while piece := await reader.read(64 << 10):
            yield piece


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def with_limit(target, limit):
    """The target of a list, for pages of this many objects."""
    path, _, query = target.partition("?")
    asked = [pair for pair in urllib.parse.parse_qsl(query, keep_blank_values=True) if pair[0] != "limit"]
    return f"{path}?{urllib.parse.urlencode([*asked, ('limit', limit)])}"


def verb_and_resource(method, target):
    """What Kubernetes calls it: ("watch", "daemonsets"), ("get", "pods/exec"); ("get", "") outside of resources."""
    path, _, query = target.partition("?")
    parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        rest = parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        rest = parts[3:]
    else:
        return method.lower(), ""
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    resource = "/".join([rest[0], *rest[2:3]])
    named = len(rest) > 1
    watches = urllib.parse.parse_qs(query).get("watch", [""])[-1] in ("1", "true")
    verbs = {"GET": "watch" if watches else "get" if named else "list", "POST": "create", "PUT": "update",
             "PATCH": "patch", "DELETE": "delete" if named else "deletecollection"}
    return verbs.get(method, method.lower()), resource
