"""Runs the tests of the runner itself: self_test/*_test.py side by side, one line a test. Most of their time is waiting."""

import subprocess
import sys
import unittest


class Lines(unittest.TextTestResult):
    def addSuccess(self, test):
        super().addSuccess(test)
        tell("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        tell("not ok", test)

    def addError(self, test, err):
        super().addError(test, err)
        tell("not ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        tell("skip", test, f": {reason}")


def tell(word, test, why=""):
    name = test.id().split(".", 1)[-1] if isinstance(test, unittest.TestCase) else str(test)
    print(f"{word} scenario runner: {name}{why}", flush=True)


def main(folder, names):
    """The tests of these files, or of each of the folder's in a process of its own."""
    if names:
        loader = unittest.TestLoader()
        sys.path.insert(0, str(folder))
        done = unittest.TextTestRunner(stream=sys.stderr, resultclass=Lines, verbosity=0).run(loader.loadTestsFromNames(names))
        return 0 if done.wasSuccessful() and done.testsRun else 1
    files = sorted(folder.glob("*_test.py"))
    running = [subprocess.Popen([sys.executable, folder.parent / "run", "--self-test", file.stem]) for file in files]
    codes = [process.wait() for process in running]
    return 1 if any(codes) or not codes else 0
