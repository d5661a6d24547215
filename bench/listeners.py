"""A network namespace with many listening sockets and a /proc with many processes, for bench/run."""
import os
import signal
import subprocess
import sys

PROCESSES = 500

PER_PROCESS = 4_000  # sockets: below the usual limit of open files

HOLDER = """
import os, resource, socket, sys
count, each = int(sys.argv[1]), int(sys.argv[2])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
for first in range(0, count, each):
    here, there = os.pipe()
    if os.fork() == 0:
        kept = []
        for port in range(9091 + first, 9091 + min(first + each, count)):
            s = socket.socket()
            s.bind(("127.0.0.1", port)); s.listen(16)
            kept.append(s)
        os.write(there, b"x")
        sys.stdin.read()  # until the pipe is closed
        os._exit(0)
    os.close(there)
    if os.read(here, 1) != b"x": sys.exit(1)
print("ready", flush=True)
sys.stdin.read()
"""


class NotHere(Exception):
    """Why this machine cannot do it."""


class Sockets:
    """`with Sockets(5000) as inside`: the words before a command that runs where they listen."""

    def __init__(self, count):
        self._count = count
        self._others = []

    def __enter__(self):
        script = f"ip link set lo up && exec {sys.executable} -c '{HOLDER}' {self._count} {PER_PROCESS}"
        self._holder = subprocess.Popen(["unshare", "-n", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._holder.stdout.readline() != "ready\n":
            raise NotHere("a network namespace needs root, and so many sockets a high limit of open files")
        self._others = [subprocess.Popen(["sleep", "1000"]) for _ in range(PROCESSES)]
        return ["nsenter", "-t", str(self._holder.pid), "-n"]

    def __exit__(self, *_):
        self._holder.stdin.close()
        for process in [self._holder, *self._others]:
            process.send_signal(signal.SIGKILL)
        for process in [self._holder, *self._others]:
            process.wait()


def section(catflap, side_by_side, table, compared):
    """The lines of the section; the functions are bench/run's."""
    lines = [f"Beside {len(os.sched_getaffinity(0))} cores' usual processes there were {PROCESSES} that sleep. A process listens on {PER_PROCESS:,} sockets at most."]
    for count in (5_000, 50_000):
        try:
            with Sockets(count) as inside:
                everything = side_by_side({"catflap listeners": [*inside, catflap, "listeners"], "ss -lntp": [*inside, "ss", "-lntp"]}, runs=10)
                one = side_by_side({"catflap listeners --port 9091": [*inside, catflap, "listeners", "--port", "9091"],
                                    "ss -lntp sport = :9091": [*inside, "ss", "-lntp", "sport = :9091"]}, runs=10)
        except NotHere as reason:
            return [f"Not measured: {reason}."]
        lines += ["", f"### {count:,} listening sockets", "", *table(everything), "", compared(everything, "ss") + ".", "", *table(one), "",
                  compared(one, "ss") + "."]
    return lines
