"""TLS 1.3 from the end of its handshake on as bytes, for servers that send what no TLS library would. The handshake is Python's."""

import ctypes
import hmac
import os
import ssl
import tempfile

import wire

crypto = ctypes.CDLL("libcrypto.so.3")
for name in ("EVP_CIPHER_CTX_new", "EVP_aes_256_gcm"):
    getattr(crypto, name).restype = ctypes.c_void_p
HASH = "sha384"  # of the suite that OpenSSL takes first, TLS_AES_256_GCM_SHA384
GET_TAG, TAG = 0x10, 16
HANDSHAKE, DATA = 22, 23


def seal(key, nonce, head, text):
    """AES-256-GCM."""
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    size, sealed, tag = ctypes.c_int(), ctypes.create_string_buffer(len(text)), ctypes.create_string_buffer(TAG)
    crypto.EVP_EncryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_256_gcm()), None, key, nonce)
    crypto.EVP_EncryptUpdate(context, None, ctypes.byref(size), head, len(head))
    crypto.EVP_EncryptUpdate(context, sealed, ctypes.byref(size), text, len(text))
    crypto.EVP_EncryptFinal_ex(context, None, ctypes.byref(size))
    crypto.EVP_CIPHER_CTX_ctrl(context, GET_TAG, TAG, tag)
    crypto.EVP_CIPHER_CTX_free(context)
    return sealed.raw + tag.raw


def expand(secret, label, size):
    """HKDF-Expand-Label without a context; one block of the hash is enough for all that is made of it here."""
    info = size.to_bytes(2, "big") + wire.vector(1, b"tls13 " + label) + b"\0"
    return hmac.digest(secret, info + b"\1", HASH)[:size]


TICKET = wire.handshake(4, bytes(8) + b"\0" + wire.vector(2, b"t") + b"\0\0")  # the smallest
KEY_UPDATE, KEY_UPDATE_WANTED = wire.handshake(24, b"\0"), wire.handshake(24, b"\1")


class Session:
    """What the server writes after its handshake."""

    def __init__(self, secret):
        self._take(secret)

    def _take(self, secret):
        self._secret, self._number = secret, 0
        self._key, self._iv = expand(secret, b"key", 32), int.from_bytes(expand(secret, b"iv", 12), "big")

    def record(self, kind, body):
        head = b"\x17\3\3" + (len(body) + 1 + TAG).to_bytes(2, "big")
        nonce = (self._iv ^ self._number).to_bytes(12, "big")
        self._number += 1
        return head + seal(self._key, nonce, head, body + bytes([kind]))

    def key_update(self, message):
        """The record that says so; what comes after it has the next key."""
        said = self.record(HANDSHAKE, message)
        self._take(expand(self._secret, b"traffic upd", len(self._secret)))
        return said


async def accept(certificate, key, reader, writer, hello):
    """The Session after a handshake that the client began with these bytes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0  # the first record is ours
    context.load_cert_chain(certificate, key)
    log = tempfile.mktemp(dir=certificate.parent)
    context.keylog_filename = log
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(came, goes, server_side=True)
    came.write(hello)
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            writer.write(goes.read())
            more = await reader.read(1 << 16)
            if not more:
                raise ConnectionResetError from None
            came.write(more)
    with open(log, encoding="ascii") as lines:
        secrets = dict(line.split()[::2] for line in lines if not line.startswith("#"))
    os.unlink(log)
    return Session(bytes.fromhex(secrets["SERVER_TRAFFIC_SECRET_0"]))
