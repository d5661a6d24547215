import contextlib
import http.client
import json
import ssl
import threading
import time
import unittest

from lib.faults import fault_of
from lib.http1 import verb_and_resource
from lib.proxy import Proxy
from server import AUTHORITY, FILES, FOLDER, ApiServer

PATCH = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
WATCH = "/apis/apps/v1/daemonsets?watch=1"
LOST = (OSError, http.client.HTTPException)


class Hooks:
    def __init__(self):
        self.killed, self.acted = threading.Event(), []

    def kill(self):
        self.killed.set()

    def act(self, action):
        self.acted.append(action)


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.server, self.hooks = ApiServer(), Hooks()
        users = {"user": self.server.access("the-users"), "admin": self.server.access("the-admins")}
        self.proxy = Proxy(users, FILES, self.hooks, FOLDER)
        self.proxy.start()
        self.context = ssl.create_default_context(cadata=AUTHORITY)

    def tearDown(self):
        self.server.end()
        self.proxy.stop()

    def connect(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.proxy.port, context=self.context, timeout=5)
        self.addCleanup(connection.close)
        return connection

    def ask(self, method, path, body=None, connection=None, user="user"):
        connection = connection or self.connect()
        connection.request(method, path, body, {"Authorization": f"Bearer {self.proxy.tokens[user]}"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def disturb(self, do, when="before", **at):
        fault = fault_of({"at": {"when": when, **at}, "do": do})
        self.proxy.faults.append(fault)
        return fault

    def patches(self):
        return [body for method, _, _, body in self.server.got if method == "PATCH"]


class PassesOn(ProxyTest):
    def test_requests_with_the_users_own_credential(self):
        connection = self.connect()
        self.assertEqual(self.ask("GET", "/api/v1/nodes", connection=connection)[0], 200)
        self.assertEqual(self.ask("GET", "/missing", connection=connection)[0], 404)
        self.assertEqual(self.ask("PATCH", PATCH, '{"a":1}', connection=connection)[1], b'{"a": 1}')
        self.ask("GET", "/api/v1/nodes", user="admin")
        self.assertEqual([got[2] for got in self.server.got], ["Bearer the-users"] * 3 + ["Bearer the-admins"])
        self.assertEqual([(r.user, r.verb, r.resource, r.status) for r in self.proxy.records],
                         [("user", "list", "nodes", 200), ("user", "get", "", 404), ("user", "patch", "daemonsets", 200),
                          ("admin", "list", "nodes", 200)])
        self.assertEqual([r.writes() for r in self.proxy.records], [False, False, True, False])

    def test_a_watch_piece_by_piece(self):
        connection = self.connect()
        connection.request("GET", WATCH)
        self.assertEqual(connection.getresponse().readline(), b'{"type":"ADDED"}\n')

    def test_a_request_after_a_watch_that_ended(self):
        connection = self.connect()
        self.assertEqual(self.ask("GET", WATCH + "&timeoutSeconds=0", connection=connection), (200, b'{"type":"ADDED"}\n'))
        self.assertEqual(self.ask("GET", "/api/v1/nodes", connection=connection)[0], 200)

    def test_an_upgrade(self):
        connection = self.connect()
        connection.request("GET", "/api/v1/namespaces/a/pods/b/exec", headers={"Upgrade": "websocket"})
        connection.sock.settimeout(5)
        self.assertIn(b" 101 ", connection.sock.recv(4096))
        connection.sock.sendall(b"hello")
        self.assertEqual(connection.sock.recv(100), b"HELLO")
        self.assertEqual(self.proxy.records[0].resource, "pods/exec")

    def test_names_of_requests(self):
        for method, path, wanted in (
                ("GET", "/api/v1/nodes?limit=5", ("list", "nodes")), ("GET", "/api/v1/nodes/n1", ("get", "nodes")),
                ("GET", "/api/v1/namespaces/kube-system", ("get", "namespaces")),
                ("GET", "/api/v1/namespaces/a/pods", ("list", "pods")),
                ("GET", "/api/v1/namespaces/a/pods/b/exec?command=sh", ("get", "pods/exec")),
                ("GET", "/apis/apps/v1/daemonsets?watch=true", ("watch", "daemonsets")),
                ("POST", "/api/v1/namespaces/a/configmaps", ("create", "configmaps")),
                ("DELETE", "/api/v1/namespaces/a/configmaps/b", ("delete", "configmaps")),
                ("GET", "/version", ("get", "")), ("GET", "/apis/apps/v1", ("get", ""))):
            self.assertEqual(verb_and_resource(method, path), wanted)


class Plays(ProxyTest):
    def test_kill_before(self):
        self.disturb("kill -9", verb="PATCH", resource="daemonsets")
        with self.assertRaises(LOST):
            self.ask("PATCH", PATCH, "{}")
        self.assertTrue(self.hooks.killed.is_set())
        self.assertEqual(self.patches(), [])

    def test_kill_after_commit(self):
        self.disturb("kill -9", "after-commit", verb="PATCH")
        with self.assertRaises(LOST):
            self.ask("PATCH", PATCH, "{}")
        self.assertTrue(self.hooks.killed.is_set())
        self.assertEqual(len(self.patches()), 1)

    def test_kill_after_reply(self):
        self.disturb("kill -9", "after-reply", verb="PATCH")
        self.assertEqual(self.ask("PATCH", PATCH, "{}")[0], 200)
        self.assertTrue(self.hooks.killed.wait(2))

    def test_only_the_nth_of_its_kind(self):
        fault = self.disturb("reply: reset", verb="PATCH", resource="daemonsets", nth=2)
        self.ask("GET", "/api/v1/nodes")
        self.ask("PATCH", PATCH.replace("daemonsets", "things"), "{}")
        self.assertEqual(self.ask("PATCH", PATCH, "{}")[0], 200)
        self.assertEqual(fault.met, 0)
        with self.assertRaises(ConnectionResetError):
            self.ask("PATCH", PATCH, "{}")
        self.assertEqual(self.ask("PATCH", PATCH, "{}")[0], 200)
        self.assertEqual((fault.met, fault.seen), (1, 3))

    def test_not_a_dry_run(self):
        fault = self.disturb("reply: reset", verb="PATCH")
        self.assertEqual(self.ask("PATCH", f"{PATCH}?dryRun=All", "{}")[0], 200)
        self.assertEqual(fault.seen, 0)
        with self.assertRaises(LOST):
            self.ask("PATCH", PATCH, "{}")

    def test_reset_after_commit(self):
        self.disturb("reply: reset", "after-commit", verb="PATCH")
        with self.assertRaises(LOST):
            self.ask("PATCH", PATCH, "{}")
        self.assertEqual(len(self.patches()), 1)

    def test_down(self):
        watch = self.connect()
        watch.request("GET", WATCH)
        self.assertEqual(watch.getresponse().readline(), b'{"type":"ADDED"}\n')
        self.disturb("apiserver: down 300ms", verb="PATCH")
        began = time.monotonic()
        with self.assertRaises(LOST):
            self.ask("PATCH", PATCH, "{}")
        self.assertEqual(self.patches(), [])
        with self.assertRaises(ConnectionRefusedError):
            self.ask("GET", "/api/v1/nodes")
        with contextlib.suppress(*LOST):
            self.assertEqual(watch.sock.recv(10) if watch.sock else b"", b"")  # cut too
        while time.monotonic() < began + 10:
            with contextlib.suppress(ConnectionRefusedError):
                self.assertEqual(self.ask("GET", "/api/v1/nodes")[0], 200)
                break
            time.sleep(0.02)
        self.assertTrue(0.3 <= time.monotonic() - began < 10)

    def test_down_between_two_runs(self):
        self.proxy.down(0.1)
        with self.assertRaises(ConnectionRefusedError):
            self.ask("GET", "/api/v1/nodes")
        time.sleep(0.3)
        self.assertEqual(self.ask("GET", "/api/v1/nodes")[0], 200)

    def test_429(self):
        fault = self.disturb("apiserver: 429", resource="nodes")
        fault.times = 2
        connection = self.connect()
        connection.request("GET", "/api/v1/nodes")
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["Retry-After"], len(answer.read())), (429, "1", 44))
        self.assertEqual(self.ask("GET", "/api/v1/nodes", connection=connection)[0], 429)
        self.assertEqual(self.ask("GET", "/api/v1/nodes", connection=connection)[0], 200)
        self.assertEqual(len(self.server.got), 1)

    def test_slow(self):
        fault = self.disturb("apiserver: slow 200ms", "after-commit")
        began = time.monotonic()
        self.ask("GET", "/api/v1/nodes")
        self.assertGreaterEqual(time.monotonic() - began, 0.2)
        self.ask("GET", "/api/v1/nodes")
        self.assertEqual((fault.met, fault.seen), (1, 2))

    def test_410_for_a_watch_that_begins(self):
        self.disturb("watch: 410")
        status, body = self.ask("GET", WATCH)
        self.assertEqual((status, json.loads(body)["object"]["code"], self.server.got), (200, 410, []))

    def test_410_for_the_open_watches(self):
        self.disturb("watch: 410", "after-commit", verb="PATCH")
        watch = self.connect()
        watch.request("GET", WATCH)
        answer = watch.getresponse()
        self.assertEqual(answer.readline(), b'{"type":"ADDED"}\n')
        self.assertEqual(self.ask("PATCH", PATCH, "{}")[0], 200)
        self.assertEqual(json.loads(answer.readline())["object"]["code"], 410)
        self.assertEqual(answer.read(), b"")

    def test_410_for_the_second_page(self):
        fault = self.disturb("list: 410", verb="list")
        self.assertEqual(self.ask("GET", "/api/v1/nodes?limit=500&resourceVersion=0")[0], 200)
        self.assertEqual((self.server.got[-1][1], fault.met), ("/api/v1/nodes?resourceVersion=0&limit=1", 0))
        self.assertEqual(self.ask("GET", "/api/v1/nodes?limit=500&continue=x")[0], 410)
        self.assertEqual((len(self.server.got), fault.met), (1, 1))
        self.assertEqual(self.ask("GET", "/api/v1/nodes?limit=500&continue=x")[0], 200)

    def test_somebody_else_in_between(self):
        self.disturb("kubectl: [delete, pod, x]", verb="PATCH")
        self.assertEqual(self.ask("PATCH", PATCH, "{}")[0], 200)
        self.assertEqual(self.hooks.acted[0].arguments, ("delete", "pod", "x"))
