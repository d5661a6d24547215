"""What a scenario runs against: the interface of backend_sim.py, backend_kube.py and backend_node.py.

The runner's main process calls `prepare` once for a backend before the first of its scenarios and `finish` after the last,
whatever happened. Each scenario is played by a worker process of its own, which is started with `prefix` before its command
(unshare, nsenter, env). There one object of the class is made, and

    started = backend.start(scenario)       the cluster is there: nodes Ready, Felix in the state that the scenario declares
    backend.disturb_node("n2", "NotReady")  or "Ready" again
    backend.felix_starts()                  {"n1": 3, …}: starts of Felix so far, in place or with a new pod; a node that
                                            cannot be counted is left out
    backend.logs()                          what a person wants to see of a scenario that failed
    backend.stop()                          always called, also if start failed; ends every process that start began

Scenarios of one backend run side by side, as many as it has `places`. Faults of requests, the owner's write-back and kubectl are
not the backend's: the runner plays them by a proxy of its own between catflap and `started`'s API server, and as its admin.
All that is refused or cannot be done is a Failure.
"""

import dataclasses
import importlib
import os
import pathlib
import subprocess

from lib.kubeconfig import Access

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


class Failure(Exception):
    """The backend could not do it, or what it runs has died. Not catflap's fault: the scenario tells nothing."""


class CannotRun(Exception):
    """This machine cannot play this backend; the text says why. The scenarios are skipped."""


@dataclasses.dataclass(frozen=True)
class Started:
    admin: Access  # all rights; the runner's own looks and writes
    user: Access  # the command's user: exactly the scenario's rbac minus deny
    admin_kubeconfig: pathlib.Path  # for kubectl; its current context or `admin_context` is admin's
    admin_context: str = ""


class Backend:
    name = ""
    places = None  # names of the clusters that are shared, each by one scenario after the other; None: each has its own
    settle = "3s"  # given to close and verify, unless the step gives one; catflap takes no less
    timeout = "90s"  # given to close, wait and undo

    @classmethod
    def prepare(cls, places):
        """Once, in the runner's main process; `places`: those that will be played at. Raises CannotRun or Failure."""

    @classmethod
    def finish(cls, keep):
        """Once, after all scenarios, and if `prepare` failed half-way. `keep`: leave what is shared up."""

    @classmethod
    def prefix(cls, place):
        """What stands before a worker's command line, so that it plays there."""
        return []

    def __init__(self, folder):
        self.folder = folder  # of this scenario: kubeconfigs, logs, whatever is needed; the runner removes it

    def start(self, scenario):
        raise NotImplementedError

    def disturb_node(self, node, state):
        raise Failure(f"{self.name}: a node cannot be made {state}")

    def felix_starts(self):
        return {}

    def logs(self):
        return ""

    def stop(self):
        pass


def backend_class(name):
    """lib/backend_NAME.py holds one class derived from Backend, called Here."""
    return importlib.import_module(f"lib.backend_{name}").Here


def exists(name):
    return (pathlib.Path(__file__).parent / f"backend_{name}.py").exists()


def program(name):
    """The built program: from the folder CATFLAP_BIN, or the dev preset's."""
    folder = pathlib.Path(os.environ.get("CATFLAP_BIN") or REPOSITORY / "build/dev")
    path = folder / name
    if not path.exists():
        raise Failure(f"{path} is not built")
    return path


def own_child(command, log, **options):
    """A child with its output in the file `log` that does not outlive the worker."""
    with open(log, "ab") as file:
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], stdin=subprocess.DEVNULL,
                                stdout=options.pop("stdout", file), stderr=file, **options)


def end(process, seconds=5):
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(path, lines=25):
    try:
        return "\n".join(pathlib.Path(path).read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
