"""catflap as a scenario runs it: with its own kubeconfig and state folder, and with the harness's time limits."""

import dataclasses
import os
import subprocess
import threading
import time

from lib import scenario

SETTLING = ("close", "verify")
WAITING = ("close", "wait", "undo")
KEPT = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH", "TMPDIR")


@dataclasses.dataclass
class Ended:
    words: list
    code: int
    out: str
    err: str
    seconds: float
    late: bool  # it was ended because its time was over


def with_limits(words, settle, timeout):
    """The step's own --settle and --timeout come first."""
    given = {word.split("=")[0] for word in words}
    verb = next((word for word in words[1:] if not word.startswith("-")), "")
    added = []
    if verb in SETTLING and "--settle" not in given:
        added += ["--settle", settle]
    if verb in WAITING and "--timeout" not in given:
        added += ["--timeout", timeout]
    return [*words, *added]


class Command:
    """One command at a time; kill() may be called from another thread."""

    def __init__(self, program, folder, kubeconfig, backend):
        self._program, self._folder, self._backend = program, folder, backend
        self.work = folder / "work"  # relative paths of a step are in here
        self.work.mkdir()
        self._environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._environment |= {"KUBECONFIG": str(kubeconfig), "HOME": str(folder / "home"), "NO_COLOR": "1", "LC_ALL": "C",
                              "XDG_STATE_HOME": str(folder / "state")}
        self._process, self._lock = None, threading.Lock()

    def run(self, command, seconds):
        words = with_limits(scenario.words(command), self._backend.settle, self._backend.timeout)
        began = time.monotonic()
        with self._lock:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", str(self._program), *words[1:]], cwd=self.work, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        late = False
        try:
            out, err = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            late = True
            self.kill()
            out, err = self._process.communicate()
        with self._lock:
            process, self._process = self._process, None
        return Ended(words, process.returncode, out, err, time.monotonic() - began, late)

    def kill(self):
        with self._lock:
            if self._process:
                self._process.kill()
