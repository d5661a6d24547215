"""The proxy between catflap and the API server: it counts and records every request and plays faults.

TLS on both sides, HTTP/1.1 as it comes, piece by piece, upgraded connections as a tunnel. Each user of the kubeconfig that
catflap gets has a token of the runner's; the proxy replaces it by what that user really has. It runs on a thread of its own.
"""

import asyncio
import contextlib
import dataclasses
import json
import secrets
import socket
import ssl
import struct
import threading
import time

from lib import http1
from lib.http1 import Ended

STATUS_410 = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Expired", "code": 410,
              "message": "too old resource version (the scenario says so)"}
GONE = http1.chunk(json.dumps({"type": "ERROR", "object": STATUS_410}).encode() + b"\n") + b"0\r\n\r\n"
EXPIRED = json.dumps(STATUS_410).encode()
EXPIRED = (b"HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(EXPIRED)) + EXPIRED
BUSY = (b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n"
        b"Content-Length: 44\r\n\r\nToo many requests, please try again later.\r\n")
WATCH_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


class Cut(Exception):
    """This connection is over: a fault ended it."""


@dataclasses.dataclass
class Record:
    user: str
    method: str
    path: str
    verb: str
    resource: str
    at: float
    status: object = None  # a number, or what the proxy did instead of replying
    faults: list = dataclasses.field(default_factory=list)

    def is_dry_run(self):
        return "dryRun=All" in self.path

    def writes(self):
        """Reviews ask a question by a POST and store nothing, nor does an exec."""
        return (self.method in http1.WRITES and "/apis/authorization.k8s.io/" not in self.path
                and not self.resource.startswith("pods/"))

    def __str__(self):
        said = "".join(f"  <- {fault}" for fault in self.faults)
        return f"{self.user:6} {self.verb:6} {self.method} {self.path[:150]} -> {self.status or 'no reply'}{said}"


class Proxy:
    def __init__(self, users, authority_files, hooks, folder):
        """`users`: {name: Access}. `authority_files`: (certificate chain, key). `hooks` has kill() and act(action)."""
        self.tokens = {name: secrets.token_hex(16) for name in users}
        self.records, self.faults = [], []
        self._by_token = {self.tokens[name]: name for name in users}
        self._users = users
        self._contexts = {name: access.context(folder) for name, access in users.items()}
        self._hooks = hooks
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(*authority_files)
        self._server, self.port = None, 0
        self._writers, self._watches, self._tasks = set(), set(), set()
        self._expiring = {}  # by resource, the fault whose next page is to be refused
        self._down_until = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    # --- for the runner's thread ---

    def start(self):
        self._thread.start()
        self._call(self._listen())

    def stop(self):
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def down(self, seconds):
        self._call(self._go_down(seconds))

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    # --- listening ---

    async def _listen(self):
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._tls, limit=http1.MAX_HEAD, backlog=128)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _go_down(self, seconds):
        """No new connections, and the live ones are cut."""
        self._down_until = max(self._down_until, time.monotonic() + seconds)
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        self._later(self._come_back())

    async def _come_back(self):
        while (left := self._down_until - time.monotonic()) > 0:
            await asyncio.sleep(left)
        await self._listen()

    async def _end(self):
        if self._server:
            self._server.close()
        ours = [*self._tasks, *(task for task in asyncio.all_tasks() if task is not asyncio.current_task())]
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)

    def _later(self, coroutine):
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- one connection of catflap's ---

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        upstream = Upstream(self._writers)
        try:
            while await self._exchange(reader, writer, upstream):
                pass
        except (Cut, Ended, OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writers.discard(writer)
            upstream.close()
            with contextlib.suppress(OSError):
                writer.close()

    async def _exchange(self, reader, writer, upstream):
        """One request and its reply; false at the end of the connection."""
        head = await http1.read_head(reader)
        if head is None:
            return False
        method, target, _ = head.first.split(" ")
        body = [piece async for piece in http1.body_pieces(reader, head)]
        user = self._authorize(head)
        verb, resource = http1.verb_and_resource(method, target)
        record = Record(user or "?", method, target, verb, resource, time.monotonic())
        self.records.append(record)
        faults = [fault for fault in self.faults if fault.meets(record)]
        record.faults = [f"{fault.shown} ({fault.when})" for fault in faults]
        call = Call(record, writer, faults, head)
        if await self._refuse_next_page(call) or await self._play(call, "before"):
            return not head.closes
        access = self._users[user or next(iter(self._users))]
        await upstream.open(access, self._contexts[user or next(iter(self._users))], user)
        upstream.writer.write(head.bytes() + b"".join(body))
        await upstream.writer.drain()
        reply = await self._reply_head(upstream)
        keep = await self._reply(call, reply, reader, upstream)
        await self._play(call, "after-reply")
        return keep and not head.closes

    def _authorize(self, head):
        """Puts the user's own token in place of the runner's."""
        given = head.get("authorization").removeprefix("Bearer ").strip()
        user = self._by_token.get(given)
        if user:
            token = self._users[user].token
            head.headers = [(name, value) for name, value in head.headers if name.lower() != "authorization"]
            if token:
                head.headers.append(("Authorization", f"Bearer {token}"))
        return user

    @staticmethod
    async def _reply_head(upstream):
        while True:
            reply = await http1.read_head(upstream.reader)
            if reply is None:
                raise Ended("instead of a reply")
            if reply.status >= 200 or reply.status == 101:
                return reply

    async def _reply(self, call, reply, reader, upstream):
        """Hands the reply on; true if both connections can be used again."""
        record, writer = call.record, call.writer
        if reply.status == 101:
            await self._play(call, "after-commit")
            record.status = 101
            writer.write(reply.bytes())
            await tunnel(reader, writer, upstream)
            return False
        has_body = record.method != "HEAD" and reply.status not in (204, 304)
        pieces = http1.body_pieces(upstream.reader, reply, has_body, until_end=True)
        if record.verb == "watch" and reply.status == 200 and reply.chunked:
            await self._play(call, "after-commit")
            record.status = 200
            writer.write(reply.bytes())
            return await self._watch(call, pieces, reader)
        if call.has("after-commit"):
            whole = [piece async for piece in pieces]
            if await self._play(call, "after-commit"):
                return True
            record.status = reply.status
            writer.write(reply.bytes() + b"".join(whole))
        else:
            record.status = reply.status
            writer.write(reply.bytes())
            async for piece in pieces:
                writer.write(piece)
                await writer.drain()
        await writer.drain()
        return not reply.closes and (reply.chunked or bool(reply.get("content-length")) or not has_body)

    async def _watch(self, call, pieces, reader):
        """Relays events until the watch ends, catflap leaves, or a fault says that its version is gone."""
        gone = asyncio.Event()
        self._watches.add(gone)
        said, left = asyncio.ensure_future(gone.wait()), asyncio.ensure_future(until_left(reader))
        piece = None
        try:
            while True:
                piece = asyncio.ensure_future(anext(pieces, None))
                await asyncio.wait({piece, said, left}, return_when=asyncio.FIRST_COMPLETED)
                if left.done():
                    return False
                if said.done():
                    call.writer.write(GONE)
                    await call.writer.drain()
                    return False
                data = piece.result()
                if data is None:
                    return True
                call.writer.write(data)
                await call.writer.drain()
        finally:
            self._watches.discard(gone)
            waiting = [one for one in (said, left, piece) if one]
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    # --- faults ---

    async def _play(self, call, when):
        """Plays the faults of this moment; true if one of them replied. Raises Cut if one ended the connection."""
        replied = False
        for fault in call.faults:
            if fault.when == when:
                replied = await self._do(call, fault.action) or replied
        return replied

    async def _do(self, call, action):
        record, writer = call.record, call.writer
        if action.kind == "kill":
            self._hooks.kill()
            writer.transport.abort()
            raise Cut
        if action.kind == "down":
            await self._go_down(action.seconds)
            raise Cut
        if action.kind == "reset":
            reset(writer)
            raise Cut
        if action.kind == "slow":
            await asyncio.sleep(action.seconds)
        elif action.kind == "429" and record.status is None:
            record.status = 429
            writer.write(BUSY)
            await writer.drain()
            return True
        elif action.kind == "gone":
            return await self._gone(call)
        elif action.kind == "expired":
            call.head.first = f"GET {http1.with_limit(record.path, 1)} HTTP/1.1"
            self._expiring[record.resource] = next(fault for fault in call.faults if fault.action is action)
        elif action.kind in ("node", "kubectl"):
            await self._loop.run_in_executor(None, self._hooks.act, action)
        return False

    async def _refuse_next_page(self, call):
        """Once, of a list whose first page was made short."""
        record = call.record
        if record.verb != "list" or "continue=" not in record.path or record.resource not in self._expiring:
            return False
        fault = self._expiring.pop(record.resource)
        fault.met += 1
        record.status = 410
        record.faults.append(f"{fault.shown} (its next page)")
        call.writer.write(EXPIRED)
        await call.writer.drain()
        return True

    async def _gone(self, call):
        """A watch that begins is told so; any other request is the moment at which the open watches are."""
        if call.record.verb != "watch" or call.record.status is not None:
            for watch in self._watches:
                watch.set()
            return False
        call.record.status = 200
        call.writer.write(WATCH_HEAD + GONE)
        await call.writer.drain()
        raise Cut


@dataclasses.dataclass
class Call:
    record: Record
    writer: asyncio.StreamWriter
    faults: list
    head: http1.Head

    def has(self, when):
        return any(fault.when == when for fault in self.faults)


class Upstream:
    """The connection to the API server that belongs to one of catflap's."""

    def __init__(self, all_writers):
        self.reader = self.writer = self._user = None
        self._all = all_writers

    async def open(self, access, context, user):
        if self.writer and self._user == user and not self.reader.at_eof():
            return
        self.close()
        self.reader, self.writer = await asyncio.open_connection(
            access.host, access.port, ssl=context, server_hostname=access.host, limit=http1.MAX_HEAD)
        self._user = user
        self._all.add(self.writer)

    def close(self):
        if self.writer:
            self._all.discard(self.writer)
            self.writer.transport.abort()
        self.reader = self.writer = None


def reset(writer):
    """The client sees the connection reset, not closed."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def until_left(reader):
    """Looks instead of reading: what comes may be the next request, and is not to be taken from whoever reads that."""
    while not reader.at_eof() and reader.exception() is None:
        await asyncio.sleep(0.02)


async def tunnel(reader, writer, upstream):
    async def copy(source, target):
        while data := await source.read(64 << 10):
            target.write(data)
            await target.drain()

    sides = [asyncio.ensure_future(copy(reader, upstream.writer)), asyncio.ensure_future(copy(upstream.reader, writer))]
    try:
        await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for side in sides:
            side.cancel()
        await asyncio.gather(*sides, return_exceptions=True)
