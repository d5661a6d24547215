"""Certificates and TLS 1.2 as bytes, for servers that no TLS library would be: certificates of any shape, messages of any length."""

import hashlib
import hmac
import os
import random


# --- DER ---
def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def integer(number):
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def sequence(*parts):
    return der(0x30, *parts)


def oid(*numbers):
    body = bytes([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | number & 0x7F)
        body += bytes(reversed(septets))
    return der(0x06, body)


SHA256_RSA = sequence(oid(1, 2, 840, 113549, 1, 1, 11), der(0x05))
RSA = sequence(oid(1, 2, 840, 113549, 1, 1, 1), der(0x05))
COUNTRY = der(0x31, sequence(oid(2, 5, 4, 6), der(0x13, b"X")))


def prime(bits):
    while True:
        candidate = random.getrandbits(bits) | 1 << bits - 1 | 1 << bits - 2 | 1
        # For tests: primes to these bases that are none do not matter.
        if candidate % 65537 != 1 and all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5)):
            return candidate


class Key:
    """RSA. Without primes nobody has its private part, which a client does not see in time."""

    def __init__(self, bits, private=True):
        self.e = 65537
        if private:
            p, q = prime(bits // 2), prime(bits // 2)
            self.n, self.d = p * q, pow(self.e, -1, (p - 1) * (q - 1))
        else:
            self.n, self.d = random.getrandbits(bits) | 1 << bits - 1 | 1, None
        self.size = (self.n.bit_length() + 7) // 8

    def decrypt(self, secret):
        """What a client packed with PKCS #1 v1.5: the last 48 bytes."""
        return pow(int.from_bytes(secret, "big"), self.d, self.n).to_bytes(self.size, "big")[-48:]

    def sign(self, message):
        if self.d is None:
            return os.urandom(self.size - 1).rjust(self.size, b"\0")
        info = sequence(sequence(oid(2, 16, 840, 1, 101, 3, 4, 2, 1), der(0x05)), der(0x04, hashlib.sha256(message).digest()))
        padded = b"\0\1" + b"\xff" * (self.size - len(info) - 3) + b"\0" + info
        return pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(self.size, "big")


def certificate(key, name=COUNTRY, extensions=b""):
    """Signed by itself."""
    bits = der(0x03, b"\0", sequence(integer(key.n), integer(key.e)))
    facts = sequence(der(0xA0, integer(2)), integer(1), SHA256_RSA, sequence(name),
                     sequence(der(0x17, b"250101000000Z"), der(0x17, b"450101000000Z")), sequence(name),
                     sequence(RSA, bits), *([der(0xA3, sequence(extensions))] if extensions else []))
    return sequence(facts, SHA256_RSA, der(0x03, b"\0", key.sign(facts)))


def extension(value, *numbers):
    return sequence(oid(*numbers), der(0x04, value))


# --- TLS 1.2 ---
def vector(size, body):
    return len(body).to_bytes(size, "big") + body


def records(kind, body):
    return b"".join(bytes([kind, 3, 3]) + vector(2, body[at : at + 16384]) for at in range(0, len(body), 16384))


def handshake(kind, body, claimed=None):
    return bytes([kind]) + (len(body) if claimed is None else claimed).to_bytes(3, "big") + body


def client_random(hello):
    """Of a ClientHello in one record."""
    return hello[11:43]


SERVER_RANDOM = bytes(range(1, 33))
ECDHE_RSA, DHE_RSA, RSA_NULL = b"\xc0\x2f", b"\x00\x9e", b"\x00\x3b"


def server_hello(cipher=ECDHE_RSA):
    return handshake(2, b"\3\3" + SERVER_RANDOM + b"\0" + cipher + b"\0" + vector(2, b"\xff\x01\0\x01\0"))


def certificates(*all_der):
    return handshake(11, vector(3, b"".join(vector(3, one) for one in all_der)))


def key_exchange(hello, key, params):
    """ServerKeyExchange with a signature by that key."""
    signature = key.sign(client_random(hello) + SERVER_RANDOM + params)
    return handshake(12, params + b"\4\1" + vector(2, signature))


def certificate_request(*names):
    """Of an RSA key, by these authorities."""
    return handshake(13, vector(1, b"\1") + vector(2, b"\4\1") + vector(2, b"".join(vector(2, name) for name in names)))


HELLO_DONE = handshake(14, b"")
HELLO_REQUEST = handshake(0, b"")
CHANGE_CIPHER = records(20, b"\1")


def curve_params():
    return b"\3\0\x1d" + vector(1, os.urandom(32))


def dhe_params(bits):
    """A modulus that no prime need be: nobody has the time to look."""
    modulus = (random.getrandbits(bits) | 1 << bits - 1 | 1).to_bytes(bits // 8, "big")
    return vector(2, modulus) + vector(2, b"\2") + vector(2, os.urandom(bits // 8 - 1))


class Authenticated:
    """A server's records behind a handshake without encryption (RSA, NULL-SHA256): nothing but a MAC is in them."""

    def __init__(self, key, hello, sent, exchange):
        """`sent`: the server's messages; `exchange`: the client's records behind them."""
        parts = {}
        while len(exchange) >= 5 and (size := int.from_bytes(exchange[3:5], "big")):
            parts.setdefault(exchange[0], []).append(exchange[5 : 5 + size])
            exchange = exchange[5 + size :]
        packed, finished = parts[22][0], parts[22][1][:16]  # and its MAC
        randoms = client_random(hello), SERVER_RANDOM
        self.master = prf(key.decrypt(packed[6:]), b"master secret" + randoms[0] + randoms[1], 48)
        self.mac = prf(self.master, b"key expansion" + randoms[1] + randoms[0], 64)[32:]
        self.number = 0
        said = hashlib.sha256(hello[5:] + sent + packed + finished).digest()
        self.finished = self.record(22, handshake(20, prf(self.master, b"server finished" + said, 12)))

    def record(self, kind, body):
        mac = hmac.digest(self.mac, self.number.to_bytes(8, "big") + bytes([kind, 3, 3]) + vector(2, body), "sha256")
        self.number += 1
        return records(kind, body + mac)


def prf(secret, seed, size):
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, "sha256")
        out += hmac.digest(secret, a + seed, "sha256")
    return out[:size]


# --- TLS 1.3 ---
RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()


def server_hello_13(hello, retry=False):
    """Or a request for another hello, with a key of P-256."""
    session = hello[44 : 44 + hello[43]]
    share = b"\0\x17" if retry else b"\0\x1d" + vector(2, os.urandom(32))
    extensions = b"\0\x2b\0\2\3\4" + b"\0\x33" + vector(2, share)
    random_part = RETRY_RANDOM if retry else SERVER_RANDOM
    return handshake(2, b"\3\3" + random_part + vector(1, session) + b"\x13\1\0" + vector(2, extensions))
