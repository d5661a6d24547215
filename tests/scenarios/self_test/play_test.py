"""Whole scenarios, with a catflap that is a script and an API server that is tiny."""

import datetime
import os
import pathlib
import shutil
import tempfile
import time
import unittest

import yaml

from lib import scenario
from lib.backend import Backend, Failure, Started
from lib.play import Differs, Play
from server import FOLDER, ApiServer

CATFLAP = """#!/usr/bin/python3
import base64, http.client, json, os, ssl, sys, time
config = json.load(open(os.environ["KUBECONFIG"]))
server = config["clusters"][0]["cluster"]
trust = ssl.create_default_context(cadata=base64.b64decode(server["certificate-authority-data"]).decode())
words = sys.argv[1:]
def ask(method, path, body=None):
    api = http.client.HTTPSConnection(server["server"][8:], context=trust)
    api.request(method, path, body, {"Authorization": "Bearer " + config["users"][0]["user"]["token"]})
    return api.getresponse().read()
if words[0] == "diagnose":
    ask("GET", "/api/v1/nodes")
    print(json.dumps({"cluster": {"verdict": "exposed"}, "nodes": [{"name": "n1", "verdict": "exposed"}], "words": words}))
    sys.exit(1)
if words[0] == "close":
    ask("PATCH", "/api/v1/nodes/n1", '{"changed": true}')
    print("3 of 3", file=sys.stderr)
    print(" ".join(words), open("policy.yaml").read() if os.path.exists("policy.yaml") else "")
if words[0] == "undo":
    pods = [{"metadata": {"uid": words[1] + n, "ownerReferences": [{"kind": "DaemonSet", "name": "calico-node"}]}} for n in "ab"]
    ask("PATCH", "/api/v1/pods", json.dumps({"items": pods}))
if words[0] == "wait":
    time.sleep(20)
"""


class FakeBackend(Backend):
    name = "fake"
    settle, timeout = "7s", "8s"

    def start(self, _scenario):
        self.server, self.nodes = ApiServer(), []
        return Started(self.server.access("admins"), self.server.access("users"), pathlib.Path("/nonexistent"))

    def disturb_node(self, node, state):
        self.nodes.append((node, state))

    def felix_starts(self):
        return {"n1": sum(1 for got in self.server.got if got[0] == "PATCH")}

    def stop(self):
        self.server.end()


class PlayTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="catflap-self-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        program = self.folder / "catflap"
        program.write_text(CATFLAP)
        program.chmod(0o755)
        os.environ["CATFLAP_UNDER_TEST"] = str(program)
        self.addCleanup(os.environ.pop, "CATFLAP_UNDER_TEST")

    def play(self, *steps):
        """Plays the steps; returns the backend."""
        path = self.folder / "scenario.yaml"
        path.write_text(yaml.safe_dump({"scenario": "a", "why": "b", "steps": list(steps)}))
        self.played = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        backend = FakeBackend(self.played)
        played = Play(scenario.load(path), backend, self.played, FOLDER)
        try:
            played.whole()
        finally:
            played.stop()
        return backend

    def differs(self, *steps):
        with self.assertRaises(Differs) as caught:
            self.play(*steps)
        return str(caught.exception)


class Steps(PlayTest):
    def test_a_document(self):
        self.play({"run": "catflap diagnose -o json", "exit": 1, "untouched": True,
                   "stdout": {"cluster": {"verdict": "exposed"}, "nodes": {"n1": {"verdict": "exposed"}}}})
        said = self.differs({"run": "catflap diagnose -o json", "exit": 0, "stdout": {"nodes": {"n1": {"verdict": "closed"}}}})
        for part in ("exit", "stdout.nodes.n1.verdict", '"closed"', '"exposed"', "GET /api/v1/nodes -> 200", "step 1"):
            self.assertIn(part, said)

    def test_texts_files_and_limits(self):
        self.play({"run": "catflap close --yes --policy policy.yaml", "files": {"policy.yaml": "want: closed"}, "exit": 0,
                   "stderr": ["3 of 3"], "stdout": ["--settle 7s --timeout 8s", "want: closed"], "save": "out"})
        self.assertIn("close --yes", (self.played / "work/out").read_text())
        self.play({"run": "catflap close --settle=3s --timeout 1m", "stdout": ["close --settle=3s --timeout 1m \n"]})
        self.play({"run": "catflap diagnose -o json", "stdout": {"words": ["diagnose", "-o", "json"]}})

    def test_times_and_folders_of_files(self):
        self.play({"run": "catflap close --policy policy.yaml", "files": {"policy.yaml": "<NOW-60s> <NOW> <NOW+60s> <NOW?>", "folder/a.ss": "x"}})
        *times, other = (self.played / "work/policy.yaml").read_text().split()
        first, now, last = (datetime.datetime.fromisoformat(time.replace("Z", "+00:00")) for time in times)
        self.assertEqual(((now - first).seconds, (last - now).seconds, other), (60, 60, "<NOW?>"))
        self.assertLess(abs(datetime.datetime.now(datetime.timezone.utc) - now), datetime.timedelta(seconds=30))
        self.assertEqual((self.played / "work/folder/a.ss").read_text(), "x")

    def test_what_the_cluster_says(self):
        self.play({"run": "catflap close", "cluster_after": {"node/n1": {"changed": True}, "node/n2": {"absent": True}},
                   "untouched": False, "felix_starts": {"n1": 1}, "restarts": {"calico-node": 0}})
        said = self.differs({"run": "catflap close", "cluster_after": {"node/n1": {"changed": False}, "node/n2": {"a": 1}},
                             "untouched": True, "felix_starts": {"n1": 2, "n2": 0}, "restarts": {"calico-node": 1}})
        for part in ("cluster_after.node/n1.changed", "cluster_after.node/n2", "untouched", "felix_starts.n1", "felix_starts.n2",
                     "restarts.calico-node"):
            self.assertIn(part, said)

    def test_pods_that_are_replaced(self):
        self.play({"run": "catflap undo first", "restarts": {"calico-node": 2, "other": 0}},
                  {"run": "catflap undo first", "restarts": {"calico-node": 0}},
                  {"run": "catflap undo second", "restarts": {"calico-node": {"oneOf": [2, 3]}}})

    def test_a_kill_and_the_signal(self):
        kill = {"at": {"when": "after-commit", "verb": "PATCH"}, "do": "kill -9"}
        self.play({"disturb": kill}, {"run": "catflap close", "exit": {"oneOf": [137]}, "felix_starts": {"n1": 1}},
                  {"run": "catflap close", "exit": 0})

    def test_a_disturbance_that_is_not_met(self):
        kill = {"at": {"when": "before", "verb": "PATCH", "nth": 2}, "do": "kill -9"}
        said = self.differs({"disturb": kill}, {"run": "catflap close", "exit": 0})
        self.assertIn("disturb kill -9", said)

    def test_nodes_are_disturbed_now_and_in_between(self):
        backend = self.play({"disturb": {"do": "node n1: NotReady"}},
                            {"disturb": {"at": {"when": "before", "verb": "PATCH"}, "do": "node n2: NotReady"}},
                            {"run": "catflap close", "exit": 0})
        self.assertEqual(backend.nodes, [("n1", "NotReady"), ("n2", "NotReady")])

    def test_somebody_elses_write_that_fails_is_no_result(self):
        with self.assertRaises(Failure):
            self.play({"disturb": {"do": "kubectl: [delete, nothing]"}}, {"run": "catflap diagnose"})

    def test_a_command_that_does_not_end(self):
        began = time.monotonic()
        self.assertIn("within", self.differs({"run": "catflap wait", "within": "300ms"}))
        self.assertLess(time.monotonic() - began, 5)
