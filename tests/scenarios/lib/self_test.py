"""Runs the tests of the runner itself: self_test/*_test.py, one line each."""

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


def tell(word, test):
    name = test.id().split(".", 1)[-1] if isinstance(test, unittest.TestCase) else str(test)
    print(f"{word} scenario runner: {name}", flush=True)


def main(folder):
    tests = unittest.defaultTestLoader.discover(str(folder), "*_test.py", top_level_dir=str(folder))
    done = unittest.TextTestRunner(stream=sys.stderr, resultclass=Lines, verbosity=0).run(tests)
    return 0 if done.wasSuccessful() and done.testsRun else 1
