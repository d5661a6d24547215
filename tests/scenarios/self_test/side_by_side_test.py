"""The comparison of what catflap said on two backends: what differs is told, and nothing compared is no agreement."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from lib import scenario, side_by_side

RUN = pathlib.Path(__file__).resolve().parents[1] / "run"
ONE = """scenario: one
why: b
steps:
  - {disturb: {do: "node n1: NotReady"}}
  - {run: catflap version}
  - {run: catflap diagnose -o json, exit: 1}
"""


def said(verdict="closed", code=1, pod="calico-node-abcde", at="2026-11-21T10:00:00Z"):
    document = {"takenAt": at, "nodes": [{"name": "n1", "verdict": verdict, "pods": [{"name": pod}]}]}
    return {"exit": code, "out": json.dumps(document)}


class Documents(unittest.TestCase):
    def differences(self, one, other):
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder) / name for name in ("left", "right")]
            for path, content in zip(paths, (one, other)):
                path.write_text(json.dumps(content))
            return list(side_by_side.compare(*map(side_by_side.read, paths)))

    def test_times_and_names_may_differ(self):
        self.assertEqual(self.differences(said(), said(pod="calico-node-12345", at="2026-11-21T11:00:00Z")), [])

    def test_a_verdict_may_not(self):
        self.assertEqual(self.differences(said(), said("exposed")), ['out.nodes[0].verdict: "closed" and "exposed"'])

    def test_nor_the_exit_code(self):
        self.assertEqual(self.differences(said(), said(code=0)), ["exit: 1 and 0"])

    def test_the_words_of_an_answer_count_but_not_those_of_a_reset_or_a_timeout(self):
        for outcome, same in (("refused", False), ("timeout", True), ("reset", True)):
            one, other = ({"exit": 1, "out": json.dumps({"reachable": [{"outcome": outcome, "detail": words}]})} for words in "ab")
            self.assertEqual(not self.differences(one, other), same, outcome)

    def test_what_is_no_document_is_no_agreement(self):
        neither = {"exit": 1, "out": "no"}
        self.assertEqual(len(self.differences(neither, neither)), 1)


class HowOften(unittest.TestCase):
    def test_a_diagnosis_looks_as_often_as_it_has_to(self):
        for kind, same in (("Diagnosis", True), ("Evidence", False)):
            with tempfile.TemporaryDirectory() as folder:
                paths = [pathlib.Path(folder) / str(looks) for looks in (1, 2)]
                for looks, path in enumerate(paths, 1):
                    document = {"kind": kind, "looks": looks * [{}], "cluster": {"stability": {"looks": looks * [""]}}}
                    path.write_text(json.dumps({"exit": 3, "out": json.dumps(document)}))
                self.assertEqual(not list(side_by_side.compare(*map(side_by_side.read, paths))), same)


class FromInside(unittest.TestCase):
    def compared(self, run):
        """Of a step whose two documents differ in what only a look into the pods can say."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for backend, basis in (("sim", "inside"), ("kube", "before-after")):
                (folder / "one" / backend).mkdir(parents=True)
                out = json.dumps({"runId": backend, "nodes": [{"name": "n1", "basis": basis}]})
                (folder / "one" / backend / "step-1.json").write_text(json.dumps({"exit": 0, "out": out}))
            file = folder / "file.yaml"
            file.write_text(f"scenario: one\nwhy: b\nsteps: [{{run: {run} -o json, exit: 0}}]\n")
            return side_by_side.compared(folder, [scenario.load(file)])

    def test_what_the_other_cannot_see_may_differ(self):
        self.assertEqual(self.compared("catflap verify"), (["ok side by side: one, step 1"], True))

    def test_what_it_sees_may_not(self):
        self.assertFalse(self.compared("catflap verify --from direct")[1])
        self.assertFalse(self.compared("catflap diagnose")[1])


class Records(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "file.yaml"
        self.file.write_text(ONE)

    def record(self, backend, **changes):
        """As the runner does after a scenario; step 2 says no JSON."""
        played = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (played / "step-2.json").write_text(json.dumps({"exit": 0, "out": backend}))
        if changes.pop("finished", True):
            (played / "step-3.json").write_text(json.dumps(said(**changes)))
        side_by_side.record(self.folder / "records", scenario.load(self.file), backend, played)

    def compared(self):
        return subprocess.run([sys.executable, RUN, "--side-by-side", self.folder / "records", self.file], capture_output=True,
                              text=True, timeout=20, check=False)

    def test_the_same(self):
        self.record("sim")
        self.record("kube", pod="calico-node-12345")
        done = self.compared()
        self.assertEqual((done.returncode, done.stdout), (0, "ok side by side: one, step 3\n"))

    def test_two_that_differ(self):
        self.record("sim")
        self.record("kube", verdict="exposed")
        done = self.compared()
        self.assertEqual((done.returncode, done.stdout.splitlines()),
                         (1, ["not ok side by side: one, step 3", '    out.nodes[0].verdict: "closed" and "exposed"']))

    def test_one_that_did_not_get_there(self):
        self.record("sim")
        self.record("kube", finished=False)
        self.assertEqual(self.compared().returncode, 1)

    def test_a_record_does_not_outlive_the_next(self):
        self.record("sim")
        self.record("kube")
        self.record("kube", finished=False)
        self.assertEqual(self.compared().returncode, 1)

    def test_what_was_played_on_one_only_is_not_compared(self):
        self.record("sim")
        done = self.compared()
        self.assertEqual((done.returncode, done.stdout), (3, "skip side by side: nothing was played on both\n"))
