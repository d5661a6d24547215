import copy
import pathlib
import tempfile
import unittest

import yaml

from lib import schema, scenario
from lib.faults import fault_of

RIGHT = yaml.safe_load("""
scenario: right
why: it rests on nothing
backends: [sim]
cluster:
  kubernetes: "1.33"
  install: manifest
  nodes: [{name: n1, addresses: [10.91.0.11, "fd91::11"], labels: {a: b}, taints: [{key: k, effect: NoSchedule}], ready: true}, {name: n2}]
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
  objects: [{kind: ConfigMap}]
  patches: [{target: daemonset/kube-system/calico-node, merge: {}}]
  pods: {n2: {env: [{name: A, value: "1"}], ready: false, terminating: true, stale: true}}
  listeners: {n2: [{port: 9091, address: "*", serves: pushgateway}]}
  network: {n1: drop}
  owner: {kind: operator, reverts_after: 3s}
  rbac: [reader]
  deny: [{verb: get, resource: secrets}]
steps:
  - run: catflap diagnose -o json
    exit: 1
    stdout: {cluster: {verdict: exposed}}
  - disturb: {at: {when: after-commit, verb: PATCH, resource: daemonsets, nth: 1}, do: kill -9}
  - disturb: {do: "kubectl: [get, pods]"}
  - run: catflap close --yes -o json
    exit: {oneOf: [137, -9]}
    stderr: ["3 of 3"]
    cluster_after: {daemonset/kube-system/calico-node: {spec: {}}, node/n1: {absent: true}}
    untouched: false
    restarts: {calico-node: 3}
    felix_starts: {n1: 1}
    within: 120s
    files: {policy.yaml: "want: closed"}
    save: out.json
""")


def changed(*path, to):
    document = copy.deepcopy(RIGHT)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return document


WRONG = [  # (document, what the error says)
    (changed("extra", to=1), "there is no key 'extra'"),
    (changed("cluster", "nods", to=1), "cluster: there is no key 'nods'"),
    (changed("cluster", "nodes", to="3"), "cluster.nodes"),
    (changed("cluster", "nodes", to=-1), "cluster.nodes"),
    (changed("cluster", "kubernetes", to=1.33), "cluster.kubernetes"),
    (changed("cluster", "env", to={"A": True}), "cluster.env.A"),
    (changed("cluster", "network", to={"n9": "drop"}), "there is no node n9"),
    (changed("cluster", "network", to={"n1": "open"}), "cluster.network.n1"),
    (changed("cluster", "rbac", to=["king"]), "cluster.rbac[0]"),
    (changed("cluster", "owner", "reverts_after", to="soon"), "cluster.owner.reverts_after"),
    (changed("cluster", "listeners", "n2", 0, "serves", to="beer"), "cluster.listeners.n2[0].serves"),
    (changed("backends", to=["moon"]), "backends[0]"),
    (changed("steps", 0, "exit", to="1"), "steps[0].exit"),
    (changed("steps", 0, "exit", to={"oneOf": []}), "steps[0].exit.oneOf"),
    (changed("steps", 0, "run", to="kubectl get pods"), "steps[0].run"),
    (changed("steps", 0, "run", to="catflap diagnose"), "steps[0].stdout"),
    (changed("steps", 0, "stdout", to={"a": {"regex": "("}}), "steps[0].stdout.a.regex"),
    (changed("steps", 0, "stdout", to={"a": {"absent": False}}), "steps[0].stdout.a.absent"),
    (changed("steps", 0, "disturb", to={"do": "kill -9"}), "steps[0]"),
    (changed("steps", 1, "disturb", "do", to="kill -15"), "steps[1].disturb.do"),
    (changed("steps", 1, "disturb", to={"do": "kill -9"}), "say `at`"),
    (changed("steps", 1, "disturb", "do", to="node n7: NotReady"), "there is no node n7"),
    (changed("steps", 1, "disturb", "at", "when", to="later"), "steps[1].disturb.at.when"),
    (changed("steps", 3, "felix_starts", to={"n7": 1}), "there is no node n7"),
    (changed("steps", 3, "within", to=120), "steps[3].within"),
    (changed("steps", 3, "files", to={"../x": ""}), "steps[3].files"),
    (changed("steps", 3, "cluster_after", to={"daemonset": {}}), "steps[3].cluster_after"),
    (changed("steps", 3, to=RIGHT["steps"][1]), "waits for a run"),
    (changed("steps", 3, "stdout", to={"cluster": {"verdict": "closed"}}), "count of nodes"),
    (changed("twin_of", to="nobody"), "no other scenario nobody"),
    (changed("twin_of", to=[]), "twin_of"),
]


def load(*documents):
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / f"{index}.yaml" for index, _ in enumerate(documents)]
        for path, document in zip(paths, documents):
            path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
        return scenario.load_all(paths)


class Validation(unittest.TestCase):
    def test_a_right_one(self):
        one, = load(RIGHT)
        self.assertEqual([node["addresses"] for node in one.nodes()], [["10.91.0.11", "fd91::11"], ["10.91.0.12"]])

    def test_wrong_ones_are_refused_by_path(self):
        for document, said in WRONG:
            with self.subTest(said=said):
                with self.assertRaises(scenario.Invalid) as caught:
                    load(document)
                self.assertIn(said, str(caught.exception))
                self.assertIn("0.yaml", str(caught.exception))

    def test_keys_that_stand_twice(self):
        with self.assertRaisesRegex(scenario.Invalid, "stands twice"):
            load("scenario: a\nwhy: b\nscenario: c\n")

    def test_names_are_unique(self):
        with self.assertRaisesRegex(scenario.Invalid, "called right too"):
            load(RIGHT, RIGHT)

    def test_a_twin_does_not_end_closed(self):
        closed = {"cluster": {"verdict": "closed", "counts": {"closed": 3}}}
        twin = changed("steps", 3, "stdout", to=closed)
        twin["scenario"] = "twin"
        load(changed("twin_of", to="twin"), changed("scenario", to="twin"))
        with self.assertRaisesRegex(scenario.Invalid, "ends closed too"):
            load(changed("twin_of", to="twin"), twin)
        load(changed("twin_of", to=["open", "twin"]), changed("scenario", to="open"), changed("scenario", to="twin"))
        with self.assertRaisesRegex(scenario.Invalid, "ends closed too"):
            load(changed("twin_of", to=["open", "twin"]), changed("scenario", to="open"), twin)


class Disturbances(unittest.TestCase):
    def test_actions(self):
        for do, wanted in (("kill -9", "kill"), ("apiserver: down 5s", "down"), ("apiserver: 429", "429"),
                           ("apiserver: slow 200ms", "slow"), ("reply: reset", "reset"), ("watch: 410", "gone"), ("list: 410", "expired"),
                           ("node n2: NotReady", "node"), ("kubectl: [delete, pod, x]", "kubectl"),
                           ({"kubectl": ["patch", "-p", '{"a":1}']}, "kubectl")):
            self.assertEqual(schema.action_of(do).kind, wanted)
        self.assertEqual(schema.action_of("apiserver: slow 200ms").seconds, 0.2)
        for do in ("kill", "apiserver: up", "apiserver: down soon", "node n2: happy", "kubectl: []", "{", 7, None):
            self.assertIsNone(schema.action_of(do), do)

    def test_which_wait_for_a_request(self):
        self.assertIsNone(fault_of({"do": "apiserver: down 5s"}))
        self.assertIsNone(fault_of({"do": "kubectl: [get, pods]"}))
        self.assertEqual(fault_of({"do": "apiserver: 429", "times": 3}).times, 3)
        self.assertEqual(fault_of({"at": {"when": "before", "nth": 2}, "do": "apiserver: down 5s"}).nth, 2)
