"""Endpoints that mean harm, each on an address of its own in 127.0.0.0/8: every kind of KINDS, with what is true of it."""

import asyncio
import os
import random
import socket
import ssl
import struct
import subprocess
from dataclasses import dataclass, field
from typing import Callable

import tls13
import wire

MOST_CERTIFICATE_BYTES = 32 * 1024  # and 2,048 parts: src/net/tls_stream.cpp
FELIX = b'# HELP felix_host x\n# TYPE felix_host gauge\nfelix_host{host="%s"} 1\n'


TOO_LARGE = {"detail": "TLS: excessive message size"}
TOO_MANY = {"detail": "TLS: certificates or authorities of too many parts"}


def page(body, head=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n" % (len(body), head) + body


# --- what they do with a connection, once the client has spoken -------------------------------------------------------
async def silence(reader, writer, hello):
    while await reader.read(1 << 16):
        pass


def says(answer):
    async def serve(reader, writer, hello):
        writer.write(answer)
        await writer.drain()

    return serve


def then(first, *steps):
    async def serve(reader, writer, hello):
        writer.write(first)
        for step in steps:
            await step(reader, writer, hello)

    return serve


def endless(piece, every=0.0):
    async def serve(reader, writer, hello):
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)

    return serve


def flood(piece, first=b""):
    """`piece(session)` without an end, from the end of a TLS 1.3 handshake on."""

    async def serve(reader, writer, session):
        if first:
            writer.write(session.record(tls13.DATA, first))
        while not writer.is_closing():
            writer.write(b"".join(piece(session) for _ in range(50)))
            await writer.drain()
            await asyncio.sleep(0)

    return serve


async def reset(reader, writer, hello):
    await writer.drain()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def plain(script):
    """Go's answer to a ClientHello, the script to a request."""

    async def serve(reader, writer, hello):
        if hello.startswith(b"\x16"):
            writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
        else:
            await script(reader, writer, hello)

    return serve


def tls12(chain, key, params=wire.curve_params, cipher=wire.ECDHE_RSA, end=wire.HELLO_DONE):
    """A TLS 1.2 server as far as its ServerHelloDone; nothing after it."""
    head = wire.server_hello(cipher) + wire.certificates(*chain)

    async def serve(reader, writer, hello):
        writer.write(wire.records(22, head + wire.key_exchange(hello, key, params()) + end))
        await silence(reader, writer, hello)

    return serve


def hello_requests(key, chain):
    """A TLS 1.2 handshake to its end, then requests for another one."""
    sent = wire.server_hello(wire.RSA_NULL) + wire.certificates(*chain) + wire.HELLO_DONE

    async def serve(reader, writer, hello):
        writer.write(wire.records(22, sent))
        exchange = b""
        while exchange[-53:-48] != b"\x16\3\3\0\x30":  # Finished: 16 bytes and a MAC
            if not (more := await reader.read(1 << 16)):
                return
            exchange += more
        server = wire.Authenticated(key, hello, sent, exchange)
        writer.write(wire.CHANGE_CIPHER + server.finished)
        while not writer.is_closing():
            writer.write(b"".join(server.record(22, wire.HELLO_REQUEST) for _ in range(200)))
            await writer.drain()

    return serve


def after_hello_13(then_this, retry=False):
    async def serve(reader, writer, hello):
        writer.write(wire.records(22, wire.server_hello_13(hello, retry)))
        await then_this(reader, writer, hello)

    return serve


@dataclass
class Kind:
    script: Callable
    share: int  # of the farm
    outcome: tuple = ("open",)
    identity: tuple = ("unknown",)
    tls: bool = False  # a TLS library speaks it
    tls13: bool = False  # one makes its handshake; the script gets the tls13.Session
    chain: int = 0  # certificates that it shows besides its own
    more: dict = field(default_factory=dict)  # other fields of the answer


HTTP = ("http",)
TLS = ("tls",)
NO_MORE = ("tls", "unknown")
LESS = ("http", "tls", "unknown")
METRICS = ("prometheus", "http")


def raw_kinds():
    key, big = wire.Key(1024), wire.Key(16384, private=False)
    small = wire.certificate(key)
    taken = MOST_CERTIFICATE_BYTES - 512
    name = wire.COUNTRY * (taken // 2 // len(wire.COUNTRY))  # it stands there twice
    nothing = wire.extension(b"", 1, 2)
    fair = wire.certificate(key, extensions=nothing * 2000)
    odd = wire.certificate(key, extensions=nothing * (taken // len(nothing)))
    mega = wire.records(22, wire.server_hello() + wire.handshake(11, wire.vector(3, wire.vector(3, b"\x30" * 16384)), 1 << 20))
    promise = wire.records(22, wire.server_hello() + wire.certificates(small) + wire.handshake(12, b"", 100_000))
    ok = b"HTTP/1.1 200 OK\r\n"
    return {
        "tarpit": Kind(silence, 12),
        "slow-drip": Kind(plain(then(ok + b"\r\n", endless(b"#", 0.25))), 6, identity=HTTP),
        "slow-handshake": Kind(then(b"\x16\x03\x03\x40\x00", endless(b"\2", 0.25)), 6),
        "endless-body": Kind(plain(then(ok + b"\r\n", endless(b"felix_active_local_endpoints 3\n" * 500))), 4, identity=METRICS),
        "endless-chunks": Kind(plain(then(ok + b"Transfer-Encoding: chunked\r\n\r\n", endless(b"1\r\n#\r\n" * 2000))), 3, identity=METRICS),
        "endless-headers": Kind(plain(then(ok, endless(b"X: felix_host{host=\"n\"} 1\r\n" * 500))), 5, identity=HTTP),
        "endless-line": Kind(plain(then(ok + b"X: ", endless(b"y" * 16384))), 4, identity=HTTP),
        "endless-continue": Kind(plain(endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 500)), 4, identity=("http", "unknown")),
        "garbage": Kind(endless(random.Random(1).randbytes(8192).replace(b"\x16", b"x").replace(b"\x15", b"x")), 6),
        "tls-garbage": Kind(then(b"\x16\x03\x03\x40\x00", endless(random.Random(2).randbytes(8192))), 6),
        "tls-idle-messages": Kind(endless(wire.records(22, wire.handshake(0, b"") * 4000)), 3),
        "tls-alerts": Kind(endless(b"\x15\x03\x03\x00\x02\x01\x5a" * 1000), 3, identity=TLS),
        "close-at-once": Kind(says(b""), 3, outcome=("reset",)),
        "reset-at-once": Kind(reset, 3, outcome=("reset",)),
        "reset-in-handshake": Kind(then(wire.records(22, wire.server_hello()), reset), 3, outcome=("open", "reset")),
        "reset-in-head": Kind(plain(then(ok + b"X: y", reset)), 3, outcome=("open", "reset"), identity=("http", "unknown")),
        "reset-in-body": Kind(plain(then(ok + b"Content-Length: 99\r\n\r\nfelix_host{host=\"n", reset)), 3,
                              outcome=("open", "reset"), identity=("http", "unknown")),
        "redirect-loop": Kind(plain(says(b"HTTP/1.1 302 Found\r\nLocation: /metrics\r\nContent-Length: 0\r\n\r\n")), 4,
                              identity=HTTP, more={"httpStatus": 302}),
        "token-loop": Kind(plain(says(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")), 4, identity=HTTP,
                           more={"httpStatus": 401, "throwaway": "refused"}),
        "felix-in-the-head": Kind(plain(says(page(b"# TYPE x gauge\nx 1\n", b'felix_host{host="n"} 1\r\n'))), 3, identity=METRICS),
        "felix-compressed": Kind(plain(says(page(FELIX % b"n", b"Content-Encoding: gzip\r\n"))), 3, identity=HTTP),
        "felix-garbled": Kind(plain(says(page(b'# TYPE felix_host gauge\nfelix_host{host="n} 1\n'))), 3, identity=METRICS),
        "felix-behind-a-megabyte": Kind(plain(says(page(b"# TYPE x gauge\n" + b"x 1\n" * 300_000 + FELIX % b"n"))), 2, identity=METRICS),
        "certificate-of-a-megabyte": Kind(then(mega, endless(b"\x16\x03\x03\x40\x00" + b"\x30" * 16384)), 4, more=TOO_LARGE),
        "certificate-16k-rsa": Kind(tls12([wire.certificate(big)], big), 6, identity=TLS, more={"key": "RSA 16384"}),
        "certificate-of-names": Kind(tls12([wire.certificate(key, name)], key), 5, identity=NO_MORE, more=TOO_MANY),
        "certificate-of-extensions": Kind(tls12([odd], key), 5, identity=NO_MORE, more=TOO_MANY),
        "certificate-in-bounds": Kind(tls12([fair], key), 5, identity=TLS),
        "authorities-many": Kind(tls12([small], key, end=wire.certificate_request(*[wire.sequence()] * (taken // 4))), 5, identity=NO_MORE, more=TOO_MANY),
        "authorities-in-bounds": Kind(tls12([small], key, end=wire.certificate_request(*[wire.sequence(wire.COUNTRY)] * 1000)), 5),
        "certificate-and-a-promise": Kind(then(promise, silence), 5),
        "certificates-a-few": Kind(tls12([small] * (taken // (len(small) + 3)), key), 5, identity=TLS),
        "certificates-many": Kind(tls12([small] * (100 * 1024 // (len(small) + 3)), key), 5, more=TOO_LARGE),
        "dhe-4096-bits": Kind(tls12([small], key, lambda: wire.dhe_params(4096), wire.DHE_RSA), 4, identity=TLS),
        "dhe-10000-bits": Kind(tls12([small], key, lambda: wire.dhe_params(10000), wire.DHE_RSA), 4, identity=TLS),
    }


def tls_floods():
    key = wire.Key(1024)
    nothing = b"\x16\3\3\0\0"
    return {
        "tls-hello-requests": Kind(hello_requests(key, [wire.certificate(key)]), 2, identity=TLS, more={"cipher": "NULL-SHA256"}),
        "tls-change-ciphers": Kind(then(wire.records(22, wire.server_hello()), endless(wire.CHANGE_CIPHER * 1000)), 2, identity=NO_MORE),
        "tls13-change-ciphers": Kind(after_hello_13(endless(wire.CHANGE_CIPHER * 1000)), 2, identity=NO_MORE),
        "tls-empty-records": Kind(then(wire.records(22, wire.server_hello()), endless(nothing * 1000)), 2, identity=NO_MORE),
        "tls13-empty-records": Kind(after_hello_13(endless(nothing * 1000)), 2, identity=NO_MORE),
        "tls13-hello-retries": Kind(after_hello_13(endless(wire.records(22, wire.server_hello_13(b"\0" * 44, retry=True))), retry=True), 2, identity=NO_MORE),
        "tls-alert-at-once": Kind(says(b"\x15\3\3\0\2\2\x28"), 2, identity=TLS, more={"mark": r"\x15\x03\x03\x00\x02\x02("}),
    }


def odd_answers():
    ok = b"HTTP/1.1 200 OK\r\n"
    one, other = (b'felix_host{host="%s"} 1\n' % host for host in (b"n1", b"n2"))
    pushed = b'felix_host{host="n9",instance="",job="x"} 1\n'
    escape, escaped = b"\x1b]0;x\x07\x1b[2J", r"\x1b]0;x\x07\x1b[2J"
    return {
        "endless-chunk-extension": Kind(plain(then(ok + b"Transfer-Encoding: chunked\r\n\r\n5;", endless(b"x=y;" * 2000))), 2, identity=HTTP),
        "endless-early-hints": Kind(plain(endless(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 300)), 2, identity=("http", "unknown")),
        "ssh": Kind(says(b"SSH-2.0-OpenSSH_9.2\r\n"), 2, more={"mark": "SSH-2.0-OpenSSH_9.2"}),
        "smtp": Kind(says(b"220 mail.example ESMTP\r\n"), 2, more={"mark": "220 mail.example ESMTP"}),
        "escapes-in-a-banner": Kind(says(escape + b"\r\n"), 1, more={"mark": escaped}),
        "escapes-in-a-reason": Kind(plain(says(b"HTTP/1.1 404 %s\r\nContent-Length: 0\r\n\r\n" % escape)), 1, identity=HTTP,
                                    more={"mark": "HTTP/1.1 404 " + escaped}),
        "escapes-in-a-label": Kind(plain(says(page(FELIX % escape))), 1, identity=("felix",), more={"felixHost": escaped}),
        "felix-in-protobuf": Kind(plain(says(page(b"\x2b\n\nfelix_host\x12\1x\x18\1", b"Content-Type: application/vnd.google.protobuf\r\n"))), 1, identity=HTTP),
        "felix-behind-a-bom": Kind(plain(says(page(b"\xef\xbb\xbf" + one))), 1, identity=HTTP),
        "felix-twice": Kind(plain(says(page(b"# TYPE felix_host gauge\n" + one + other))), 2, identity=METRICS),
        "felix-pushed": Kind(plain(says(page(pushed + b"pushgateway_build_info 1\n"))), 1, identity=("pushgateway",)),
        "felix-federated": Kind(plain(says(page(b"# TYPE felix_host untyped\n" + pushed))), 1, identity=METRICS),
    }


def kinds():
    ok = b"HTTP/1.1 200 OK\r\n"
    return raw_kinds() | tls_floods() | odd_answers() | {
        "tls-tarpit": Kind(silence, 6, identity=TLS, tls=True),
        "tls-endless-body": Kind(then(ok + b"\r\n", endless(b"y" * 16384)), 3, identity=HTTP, tls=True),
        "tls-long-chain": Kind(silence, 3, identity=TLS, tls=True, chain=60),
        "tls-longer-chain": Kind(silence, 3, identity=TLS, tls=True, chain=200, more=TOO_LARGE),
        "tls-cut-felix": Kind(then(ok + b"Content-Length: 9999\r\n\r\nfelix_host{host=\"n", reset), 3,
                              outcome=("open", "reset"), identity=("http", "tls"), tls=True),
    } | tls13_kinds()


def tls13_kinds():
    made = lambda piece: Kind(flood(piece), 2, identity=TLS, tls13=True, more={"detail": "TLS: too many handshake messages"})
    return {
        "tls-tickets": made(lambda session: session.record(tls13.HANDSHAKE, tls13.TICKET * 900)),
        "tls-tickets-one-by-one": made(lambda session: session.record(tls13.HANDSHAKE, tls13.TICKET)),
        "tls-key-updates": made(lambda session: session.key_update(tls13.KEY_UPDATE)),
        "tls-key-updates-wanted": made(lambda session: session.key_update(tls13.KEY_UPDATE_WANTED)),
        "tls-one-byte-records": Kind(flood(lambda session: session.record(tls13.DATA, b"#"), b"HTTP/1.1 200 OK\r\n\r\n"), 2,
                                     identity=HTTP, tls13=True, more={"detail": "answer cut after"}),
    }


def felix(name):
    """Real ones among them: in plain text and over TLS."""
    answer = says(page(b"go_goroutines 3\n" * 300 + FELIX % name.encode()))
    return [Kind(plain(answer), 0, identity=("felix",), more={"felixHost": name}),
            Kind(answer, 0, identity=("felix",), tls=True, more={"felixHost": name})]


def address(number):
    """From 127.1.0.1 on."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


class Farm:
    """Serves on `port` of address(i) what placed[i] is; in a process of its own."""

    def __init__(self, placed, port, folder):
        self.placed, self.port, self.folder = placed, port, folder
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                        "-subj", "/CN=farm", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
        self.contexts = {}
        for chain in {kind.chain for kind in placed if kind.tls}:
            pem = folder / f"chain-{chain}.pem"
            pem.write_text((folder / "cert.pem").read_text() * (chain + 1))
            self.contexts[chain] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.contexts[chain].load_cert_chain(pem, folder / "key.pem")

    def serve(self, ready):
        """Never returns. Writes a byte to the pipe when all listen."""
        asyncio.run(self._serve(ready))

    async def _serve(self, ready):
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # clients that hang up
        for number, kind in enumerate(self.placed):
            await asyncio.start_server(self._answering(kind), address(number), self.port, backlog=8, limit=1 << 16,
                                       ssl=self.contexts[kind.chain] if kind.tls else None)
        os.write(ready, b"!")
        await asyncio.Event().wait()

    def _answering(self, kind):
        async def connected(reader, writer):
            try:
                hello = await reader.read(1 << 16)
                if kind.tls13:
                    hello = await tls13.accept(self.folder / "cert.pem", self.folder / "key.pem", reader, writer, hello)
                await kind.script(reader, writer, hello)
            except (OSError, ssl.SSLError):
                pass
            finally:
                writer.close()

        return connected
