"""A tiny API server for the runner's own tests: TLS, keep-alive, a watch without end or one that ends at once, an upgrade that echoes."""

import http.server
import json
import pathlib
import ssl
import tempfile
import threading

from lib import certificates
from lib.kubeconfig import Access

_folder = tempfile.TemporaryDirectory(prefix="catflap-self-test-")
FOLDER = pathlib.Path(_folder.name)
certificates.make(FOLDER)
AUTHORITY = (FOLDER / "authority.pem").read_text()
FILES = (FOLDER / "proxy.pem", FOLDER / "proxy.key")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one write, not one for the head and one for the body, which waits for an acknowledgement

    def log_message(self, *_):
        pass

    def reply(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.got.append((self.command, self.path, self.headers.get("Authorization"), self.rfile.read(length)))

    def do_GET(self):
        self.note()
        if "watch=1" in self.path:
            self.watch()
        elif self.path.endswith("/exec"):
            self.upgrade()
        elif self.path == "/missing" or self.path.split("?")[0] not in self.server.objects:
            self.reply(404, {"code": 404})
        else:
            self.reply(200, self.server.objects[self.path.split("?")[0]])

    def do_PATCH(self):
        self.note()
        body = json.loads(self.server.got[-1][3])
        if isinstance(body, list):  # a JSON patch of whole fields
            body = {operation["path"].strip("/"): operation["value"] for operation in body}
        self.server.objects.setdefault(self.path, {}).update(body)
        self.reply(200, self.server.objects[self.path])

    do_POST = do_PATCH

    def watch(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in (b'{"type":"ADDED"}\n',):
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()
        if "timeoutSeconds=0" in self.path:
            self.wfile.write(b"0\r\n\r\n")
            return
        self.server.ended.wait(10)
        self.close_connection = True

    def upgrade(self):
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        self.wfile.flush()
        data = self.connection.recv(100)
        self.connection.sendall(data.upper())
        self.close_connection = True


class ApiServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.got, self.ended = [], threading.Event()
        self.objects = {"/api/v1/nodes": {"items": [{"metadata": {"name": "n1", "annotations": {"starts": "1"}}}]},
                        "/api/v1/pods": {"items": []}}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*FILES)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a connection that a fault cut

    def access(self, token):
        return Access("127.0.0.1", self.server_address[1], AUTHORITY, token=token)

    def end(self):
        self.ended.set()
        self.shutdown()
        self.server_close()
