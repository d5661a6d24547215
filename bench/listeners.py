"""catflap listeners beside ss on a busy host: a network namespace with many sockets and a /proc with many processes."""
import pathlib
import shutil
import subprocess
import tempfile
import time

import goals

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROCESSES = 2_000
# Of each process: 10,000 listening sockets, 40,000 of connections, 100,000 descriptors in all.
LISTENERS, CONNECTIONS, FILES = 5, 20, 25
FIRST_PORT = 10_000
PORT = 9091
RUNS = 10
CGROUPS = next((path for path in (pathlib.Path("/sys/fs/cgroup/unified"), pathlib.Path("/sys/fs/cgroup"))
                if (path / "cgroup.procs").exists()), None)


class NotHere(Exception):
    """Why this machine cannot do it."""


class Holder:
    """Runs bench/hold.c's program until it is left."""

    def __init__(self, before: list[str], program: pathlib.Path, *numbers: int):
        self.process = subprocess.Popen([*before, str(program), *map(str, numbers)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Holder":
        if self.process.stdout.readline() != "ready\n":
            self.__exit__()
            raise NotHere("a network namespace needs root, and so many processes and sockets high limits")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()


class OwnCgroup:
    """A cgroup for one process, as a container's; none where cgroup v2 is not mounted or not ours to write."""

    def __init__(self, name: str):
        self.path = CGROUPS / name if CGROUPS else None

    def __enter__(self) -> list[str]:
        try:
            self.path.mkdir()
        except (AttributeError, OSError):
            self.path = None
            return []
        return ["sh", "-c", f'echo $$ > {self.path}/cgroup.procs && exec "$@"', "sh"]

    def __exit__(self, *_: object) -> None:
        for _ in range(100 if self.path else 0):  # what was in it is still ending
            try:
                return self.path.rmdir()
            except OSError:
                time.sleep(0.05)


def section(catflap, side_by_side, table, compared):
    """The lines of the section; the functions are bench/run's."""
    missing = [tool for tool in ("gcc", "ss", "unshare", "nsenter") if shutil.which(tool) is None]
    if missing:
        return [f"Not measured: {', '.join(missing)} is not here."]
    total = PROCESSES * (LISTENERS + CONNECTIONS + FILES)
    lines = [f"{PROCESSES:,} processes with {PROCESSES * LISTENERS:,} listening sockets, {PROCESSES * CONNECTIONS:,} of connections, "
             f"{total:,} descriptors; {RUNS} runs in turn."]

    def add(what, ours, theirs, most, bound=None):
        commands = {f"catflap {' '.join(ours)}": [*inside, catflap, *ours], f"ss {' '.join(theirs)}": [*inside, "ss", *theirs]}
        times = side_by_side(commands | (bound or {}), runs=RUNS)
        lines.extend(["", f"### {what}", "", *table(times), "", compared({name: times[name] for name in commands}, "ss") + "."])
        cpu = [times[name][1] for name in commands]
        lines.extend(["", *goals.lines(("CPU beside ss's", cpu[0] / cpu[1], most))])
        for name in bound or {}:
            lines.extend(["", f"catflap takes {times[next(iter(commands))][1] / times[name][1]:.2f} × the CPU of {name} (C, bench/walk.c): the "
                              "kernel's own cost of listing every process's descriptors and reading each link, the sockets not even asked for."])

    one = ["listeners", "--port", str(PORT)], ["-Hlntp", f"sport = :{PORT}"]
    with tempfile.TemporaryDirectory() as name:
        program = pathlib.Path(name) / "calico-node"
        subprocess.run(["gcc", "-O2", "-o", program, ROOT / "bench/hold.c"], check=True)
        walk = program.with_name("walk")
        subprocess.run(["gcc", "-O2", "-o", walk, ROOT / "bench/walk.c"], check=True)
        try:
            # `ip` makes lo go up before the holder connects.
            alone = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
            others = program.with_name("holder")
            others.symlink_to(program)
            with Holder(alone, others, PROCESSES, LISTENERS, CONNECTIONS, FILES, FIRST_PORT) as busy:
                inside = ["nsenter", "-t", str(busy.process.pid), "-n", "--"]
                add(f"Nobody listens at port {PORT}", *one, 0.01)
                with OwnCgroup(f"catflap-bench-{busy.process.pid}") as placed, Holder([*placed, *inside], program, 1, 1, 0, 0, PORT):
                    own = "a cgroup of its own and the name calico-node, as Felix" if placed else "the name calico-node, as Felix"
                    add(f"One process listens at port {PORT} (it has {own})", *one, 0.1)
                add("All listening sockets", ["listeners", "--all-owners"], ["-Hlntp"], 0.5, {"bare walk": [walk]})
        except NotHere as reason:
            return [f"Not measured: {reason}."]
    return lines
