import pathlib
import subprocess
import sys
import tempfile
import unittest

RUN = pathlib.Path(__file__).resolve().parents[1] / "run"
ONE = "scenario: one\nwhy: b\nbackends: [node]\nsteps: [{run: catflap version, exit: 0}]\n"


def run(*arguments, text=ONE):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "file.yaml"
        file.write_text(text)
        return subprocess.run([sys.executable, RUN, *arguments, file], capture_output=True, text=True, timeout=20, check=False)


class CommandLine(unittest.TestCase):
    def test_what_is_no_scenario_is_one_line_with_file_and_path_and_exit_code_2(self):
        done = run(text=ONE.replace("exit: 0", "exits: 0"))
        self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1))
        self.assertRegex(done.stderr, r"file\.yaml: steps\[0\]: there is no key 'exits'")

    def test_the_list(self):
        done = run("--list")
        self.assertEqual((done.returncode, done.stdout), (0, "one (node): b\n"))

    def test_a_backend_that_is_not_listed_is_not_played(self):
        done = run("--backend", "sim")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("not for sim: one", done.stderr)

    def test_wrong_usage(self):
        self.assertEqual(run("--backend", "moon").returncode, 2)
        self.assertEqual(run("--jobs", "0").returncode, 2)
