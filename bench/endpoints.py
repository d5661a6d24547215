"""catflap probe, other scanners and a bare OpenSSL loop on thousands of endpoints, in a network namespace made for it.

The server is nginx with 90 KB of metrics in which felix_host stands at byte 5,512, as in a real Felix's. It runs in processes of
its own, which are not counted.
"""
import math
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import time

import goals
import peers

ROOT = pathlib.Path(__file__).resolve().parent.parent
COUNT = 5000
RUNS = 5
SILENT_RUNS = 1  # half a minute for each client
MEMORY_RUNS = 3
CONCURRENCY = 300
PORTS = {"ecdsa": 9091, "rsa": 9092, "plain": 9093, "refused": 9094, "silent": 9095}
SILENT_TIMEOUT = 2  # seconds
READERS = ("curl --parallel", f"zgrab2 http --senders {CONCURRENCY}", "zgrab2 http --senders 1000")  # those that read the metrics, too


def metrics() -> str:
    """As long as a real one, with felix_host where it stands there."""
    filler = "# HELP felix_filler A series.\n# TYPE felix_filler gauge\nfelix_filler{number=\"%04d\"} 1\n"
    host = '# HELP felix_host Configured Felix hostname (as a label).\n# TYPE felix_host gauge\nfelix_host{host="n1"} 1\n'
    text, number = "", 0
    while len(text) < 90_000:
        if len(text) <= 5_400 < len(text) + 80:
            text += host
        text += filler % number
        number += 1
    return text


class Servers:
    """nginx behind every address of 127.0.0.0/8, one namespace with it for the clients."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.namespace = f"catflap-bench-{folder.name}"
        self.server: subprocess.Popen | None = None

    def __enter__(self) -> "Servers":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self) -> None:
        self.folder.chmod(0o755)  # nginx's worker is nobody
        (self.folder / "metrics").write_text(metrics())
        for kind, options in {"ecdsa": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["-newkey", "rsa:2048"]}.items():
            subprocess.run(["openssl", "req", "-x509", *options, "-nodes", "-days", "9", "-subj", "/CN=bench", "-keyout",
                            self.folder / f"{kind}.key", "-out", self.folder / f"{kind}.crt"], check=True, capture_output=True)
        blocks = "".join(
            f"server {{ listen {PORTS[kind]}{' ssl' if kind != 'plain' else ''} backlog=4096; default_type text/plain;"
            + (f" ssl_certificate {kind}.crt; ssl_certificate_key {kind}.key; ssl_session_cache off; ssl_session_tickets off;"
               if kind != "plain" else "") + f" root {self.folder}; }}\n" for kind in ("ecdsa", "rsa", "plain"))
        (self.folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
            f"events {{ worker_connections 8192; }}\nhttp {{ access_log off;\n{blocks}}}\n")
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        self.run("ip", "link", "set", "lo", "up")
        self.run("nft", f"add table inet b; add chain inet b in {{ type filter hook input priority 0; }}; "
                        f"add rule inet b in tcp dport {PORTS['silent']} drop")
        self.server = subprocess.Popen(self.inside(*on_core(1), "nginx", "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)),
                                       stderr=subprocess.DEVNULL)
        self.wait_until_up()

    def wait_until_up(self) -> None:
        for _ in range(50):
            done = subprocess.run(self.inside("curl", "-skm", "1", f"https://127.0.0.1:{PORTS['rsa']}/metrics"), capture_output=True, check=False)
            if b"felix_host" in done.stdout:
                return
            time.sleep(0.1)
        raise RuntimeError("nginx does not answer: " + (self.folder / "error.log").read_text()[-500:])

    def __exit__(self, *_: object) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait()
        subprocess.run(["ip", "netns", "del", self.namespace], check=False)

    def inside(self, *command: str) -> list[str]:
        return ["nsenter", f"--net=/run/netns/{self.namespace}", "--", *command]

    def run(self, *command: str) -> None:
        subprocess.run(self.inside(*command), check=True, capture_output=True)


def on_core(number: int) -> list[str]:
    """The server has a core of its own, if there are two."""
    return ["taskset", "-c", str(number)] if os.cpu_count() > 1 else []


def addresses(count: int = COUNT) -> list[str]:
    return [f"127.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}" for number in range(count)]


def lists(folder: pathlib.Path, kind: str) -> None:
    """The targets, as each client wants them."""
    port, scheme = PORTS[kind], "http" if kind == "plain" else "https"
    (folder / f"{kind}.txt").write_text("".join(f"{address}:{port}\n" for address in addresses()))
    (folder / f"{kind}.curl").write_text("".join(f'url = "{scheme}://{address}:{port}/metrics"\noutput = "/dev/null"\n' for address in addresses()))


def clients(folder: pathlib.Path, catflap: pathlib.Path, kind: str) -> dict[str, list[str]]:
    """The commands for one kind of endpoint; each asks as much as it can of what catflap asks. The name says where it is less."""
    port, timeout = str(PORTS[kind]), SILENT_TIMEOUT if kind == "silent" else 8
    answers, tls = kind in ("ecdsa", "rsa", "plain"), kind in ("ecdsa", "rsa")
    lists(folder, kind)
    commands = {
        "catflap probe": [str(catflap), "probe", "-q", "-f", f"{folder}/{kind}.txt", "--concurrency", str(CONCURRENCY), "--timeout", f"{timeout}s"],
        "curl --parallel": ["curl", "-sk", "--no-progress-meter", "--parallel", "--parallel-immediate", "--parallel-max", str(CONCURRENCY),
                            "-m", str(timeout), "-K", f"{folder}/{kind}.curl"]}
    zgrab2, tlsx = peers.go_tool("zgrab2"), peers.go_tool("tlsx")
    for senders in (CONCURRENCY, 1000) if zgrab2 else ():
        # It reads no more of a page than it is told: 8 KB have felix_host in them.
        commands[f"zgrab2 http --senders {senders}"] = [
            str(zgrab2), "http", "--port", port, "--endpoint", "/metrics", "--max-size", "8", "--senders", str(senders), "--connect-timeout",
            f"{timeout}s", "--target-timeout", f"{timeout}s", "-b", "/dev/null", "-f", f"{folder}/addresses", *(["--use-https"] if tls else [])]
    if tlsx and kind != "plain":
        commands["tlsx" + (" (handshake only)" if tls else "")] = [
            str(tlsx), "-l", f"{folder}/addresses", "-p", port, "-sm", "ctls", "-retry", "1", "-c", str(CONCURRENCY), "-timeout", str(timeout),
            "-json", "-silent"]
    if shutil.which("nmap") and not answers:
        commands["nmap -sT (connects only)"] = ["nmap", "-sT", "-n", "-Pn", "-p", port, "--max-retries", "0", "--initial-rtt-timeout", f"{timeout}s",
                                                "--max-rtt-timeout", f"{timeout}s", "--min-parallelism", str(CONCURRENCY), "--min-hostgroup",
                                                str(CONCURRENCY), "-oG", "-", "-iL", f"{folder}/addresses"]
    if answers:
        commands["bare loop"] = ["sh", "-c", f"exec {folder}/bare {'tls' if tls else 'plain'} {port} < {folder}/addresses"]
    if kind == "silent":
        commands["bare loop"] = ["sh", "-c", f"exec {folder}/bare silent {port} {CONCURRENCY} {timeout} < {folder}/addresses"]
    return commands


def counted(commands: dict[str, list[str]]) -> str:
    """How many endpoints each saw answer, in a run that is not measured: who sees less may well be faster."""
    marks = {"catflap": b"felix_host{", "zgrab2": b"felix_host{", "tlsx": b'"tls_version"'}
    seen = {}
    for name, command in commands.items():
        mark = marks.get(name.split()[0])
        if mark is not None:
            output = subprocess.run(command, capture_output=True, check=False).stdout
            seen[name] = sum(mark in line for line in output.split(b"\n"))
    return "Endpoints that answered, as each saw it: " + ", ".join(f"{name} {count:,}" for name, count in seen.items()) + "."


def about() -> str:
    versions = [f"{name} {peers.version_in(name)}" for name in ("zgrab2", "tlsx") if peers.go_tool(name)]
    without = [name for name in ("zgrab2", "tlsx") if not peers.go_tool(name)] + ([] if shutil.which("nmap") else ["nmap"])
    return (f"{COUNT:,} endpoints on loopback, {CONCURRENCY} at once unless said, {RUNS} runs in turn (silent: {SILENT_RUNS}); the server has one core and the clients the other. curl reads the whole body "
            f"(90 KB), catflap and the bare loop (C, one after another, OpenSSL; with silent ones as many at once as catflap) until felix_host, "
            f"zgrab2 the first 8 KB. The bare loop is the bound of what OpenSSL and the kernel cost." + (f" Built with CGO off: {', '.join(versions)}." if versions else "")
            + (f" Not here and left out: {', '.join(without)}." if without else ""))


def lines_run(commands: dict[str, list[str]], folder: pathlib.Path) -> list[str]:
    """What was run, as one could type it where its files are."""
    def typed(word: str) -> str:
        return pathlib.Path(word).name if os.access(word, os.X_OK) else word.replace(f"{folder}/", "")
    return ["```", *(shlex.join(map(typed, command)) for command in commands.values()), "```"]


def held(kind: str, times: dict[str, tuple[float, float, float]]) -> list[str]:
    ours = times["catflap probe"]
    best = [min(times[name][column] for name in READERS if name in times) for column in (0, 1)]
    curl = ours[1] / times["curl --parallel"][1]
    if kind in ("ecdsa", "rsa"):
        return goals.lines(("CPU beside the best that reads the metrics", ours[1] / best[1], 0.66),
                           ("CPU beside the bare loop", ours[1] / times["bare loop"][1], 1.1),
                           ("wall time beside the best that reads the metrics", ours[0] / best[0], 1.05))
    if kind == "plain":
        return goals.lines(("CPU beside curl", curl, 1 / 3), ("CPU beside the bare loop", ours[1] / times["bare loop"][1], 1.3))
    if kind == "refused":
        return goals.lines(("CPU beside curl", curl, 0.5))
    ideal = SILENT_TIMEOUT * math.ceil(COUNT / CONCURRENCY)
    return goals.lines((f"wall time beside timeout × ceil(n / concurrency) = {ideal} s", ours[0] / ideal, 1.1), ("CPU, s", ours[1], 0.1))


def memory(servers: Servers, catflap: pathlib.Path, side_by_side, table) -> list[str]:
    """Peak memory with 1,000 at once, for 5,000 targets and for ten times as many."""
    commands = {}
    for count in (COUNT, 10 * COUNT):
        (servers.folder / f"{count}.txt").write_text("".join(f"{address}:{PORTS['ecdsa']}\n" for address in addresses(count)))
        commands[f"catflap probe --concurrency 1000, {count:,} targets"] = servers.inside(
            *on_core(0), str(catflap), "probe", "-q", "-f", f"{servers.folder}/{count}.txt", "--concurrency", "1000", "--timeout", "8s")
    times = side_by_side(commands, runs=MEMORY_RUNS)
    few, many = (peak / 1024 for _, _, peak in times.values())
    return ["", "### Memory: TLS, ECDSA P-256, 1,000 at once", "", *table(times), "",
            *goals.lines(("MiB", max(few, many), 48), ("ten times the targets beside these", many / few, 1.05))]


def section(catflap: pathlib.Path, side_by_side, table) -> list[str]:
    """Lines of RESULTS.md."""
    missing = [tool for tool in ("nginx", "curl", "nft", "openssl", "gcc", "taskset") if shutil.which(tool) is None]
    if missing:
        return [f"Not measured: {', '.join(missing)} is not here."]
    lines = [about()]
    with tempfile.TemporaryDirectory() as name, Servers(pathlib.Path(name)) as servers:
        folder = servers.folder
        (folder / "addresses").write_text("\n".join(addresses()) + "\n")
        subprocess.run(["gcc", "-O2", "-o", folder / "bare", ROOT / "bench/bare.c", "-lssl", "-lcrypto"], check=True)
        for kind, what in {"ecdsa": "TLS, ECDSA P-256", "rsa": "TLS, RSA 2048", "plain": "plain HTTP", "refused": "refused",
                           "silent": f"silent, given up after {SILENT_TIMEOUT} s"}.items():
            plain = clients(folder, catflap, kind)
            commands = {name: servers.inside(*on_core(0), *command) for name, command in plain.items()}
            times = side_by_side(commands, wanted=(0, 7, 28), runs=SILENT_RUNS if kind == "silent" else RUNS,
                                 warm=kind != "silent")
            ours = times["catflap probe"]
            ratios = [f"{ours[1] / theirs[1]:.2f} × the CPU and {ours[0] / theirs[0]:.2f} × the wall time of {peer}"
                      for peer, theirs in times.items() if peer != "catflap probe"]
            lines += ["", f"### {what}", "", *table(times), "", "catflap: " + "; ".join(ratios) + ".", "", *held(kind, times), "",
                      *lines_run(plain, folder)]
            if kind in ("ecdsa", "rsa", "plain"):
                lines += ["", counted(commands)]
        lines += memory(servers, catflap, side_by_side, table)
    return lines
