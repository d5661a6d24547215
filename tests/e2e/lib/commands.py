"""Running commands with a bound on their time, and keeping what they said for the report."""

import functools
import json
import os
import signal
import subprocess
import threading
import time

from lib.case import Failure


class Output:
    def __init__(self, shown, code, out, err, seconds):
        self.shown, self.code, self.out, self.err, self.seconds = shown, code, out, err, seconds

    @functools.cached_property
    def json(self):
        """The JSON document on stdout."""
        try:
            return json.loads(self.out)
        except json.JSONDecodeError as error:
            raise Failure(f"$ {self.shown}\nprinted no JSON document: {error}") from None

    def report(self, limit=1500):
        lines = [f"$ {self.shown}   (exit code {self.code}, {self.seconds:.1f} s)"]
        for name, text in (("stdout", gist(self.out)), ("stderr", self.err.rstrip())):
            if len(text) > limit:
                text = text[: limit // 2] + "\n…\n" + text[-limit // 2 :]
            lines += [f"  {name}| {line}" for line in text.splitlines()]
        return "\n".join(lines)


def gist(text):
    """A document's verdicts, reasons, result and error; any other text as it is."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return text.rstrip()
    lines = [str(document.get("kind"))]
    lines += [f"{key}: {json.dumps(document[key])}" for key in ("result", "error") if key in document]
    for node in document.get("nodes", []):
        reasons = ", ".join(json.dumps(reason) for reason in node.get("reasons", []))
        lines.append(f"{node.get('name')}: {node.get('verdict')} {node.get('basis') or ''} {reasons}")
    for rollout in document.get("daemonSets", []):
        lines += [f"{n['name']}: {n['state']} {n['reason']}" for n in rollout.get("nodes", [])]
    return "\n".join(lines)


class Running:
    """A command that runs while the test goes on. It is ended with the case at the latest."""

    def __init__(self, shown, command, environment, log):
        self.shown, self._log, self._began = shown, log, time.monotonic()
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        self._texts = {"out": [], "err": []}
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("out", self._process.stdout), ("err", self._process.stderr))]
        for reader in self._readers:
            reader.start()

    def _read(self, name, stream):
        for line in stream:
            self._texts[name].append(line)

    @property
    def err(self):
        return "".join(self._texts["err"])

    def is_running(self):
        return self._process.poll() is None

    def signal(self, number):
        self._process.send_signal(number)

    def finish(self, seconds):
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()
            raise Failure(f"$ {self.shown}\nstill ran after {seconds} s; it said:\n{self.err[-2000:]}")
        for reader in self._readers:
            reader.join(5)
        output = Output(self.shown, self._process.returncode, "".join(self._texts["out"]), self.err,
                        time.monotonic() - self._began)
        self._log.append(output)
        return output

    def end(self):
        if self.is_running():
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def run(shown, command, log, environment=None, stdin=None, seconds=60):
    """The command's Output. Its whole process group is killed at the bound and on any exception."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        start_new_session=True)
    try:
        out, err = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired:
        kill_group(process)
        out, err = process.communicate()
        log.append(Output(shown, "none", out, err, time.monotonic() - began))
        raise Failure(f"$ {shown}\nwas not done after {seconds} s") from None
    except BaseException:
        kill_group(process)
        process.communicate()
        raise
    output = Output(shown, process.returncode, out, err, time.monotonic() - began)
    log.append(output)
    return output


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
