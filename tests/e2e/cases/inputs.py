"""Wrong inputs: one clear message each, with the next action, and the right exit code."""

import base64
import json
import signal
import subprocess
import time

import yaml

from lib.case import case, holds, same, says
from lib.cluster import SILENT_STRANGER


def is_helpful(output, code, *parts):
    same("exit code", output.code, code)
    says(output.err, "catflap:", *parts)
    says(output.err, "next:")
    holds(len(output.err.splitlines()) <= 12, f"{len(output.err.splitlines())} lines for one problem")
    holds("terminate called" not in output.err, "it crashed")


@case(twin="a-right-command-line-is-taken")
def no_kubeconfig(c):
    """No kubeconfig anywhere: exit code 2, and what to do."""
    output = c.catflap("diagnose", "-o", "json", environment={"KUBECONFIG": "/nonexistent/config"})
    is_helpful(output, 2, "kubeconfig")
    same("document", output.json["kind"], "Error")


@case(twin="a-right-command-line-is-taken")
def an_unreachable_server(c):
    """Nobody answers at the server's address: exit code 4 in bounded time."""
    for server in ("https://10.91.0.99:6443", "https://10.91.0.1:1"):
        output = c.catflap("diagnose", "--server", server, "--request-timeout", "3s", "-o", "json")
        is_helpful(output, 4, server.removeprefix("https://"))
        same("document", output.json["kind"], "Error")
        holds(output.seconds < 30, f"it took {output.seconds:.0f} s")


@case(twin="a-right-command-line-is-taken")
def an_expired_certificate(c):
    """The user's certificate has expired: exit code 4, and the word is credentials."""
    kubeconfig = expired_kubeconfig(c)
    output = c.catflap("diagnose", "--kubeconfig", kubeconfig, "-o", "json")
    is_helpful(output, 4)
    says(output.err, "expired" if "expired" in output.err else "credential")


def expired_kubeconfig(c):
    """A certificate of the cluster's own authority that ended long ago."""
    pki = c.kubeconfig().rsplit("/", 2)[0] + "/pki"
    base = f"{c.home.name}/expired"
    for command in (
            ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/O=system:masters/CN=expired", "-keyout", f"{base}.key", "-out", f"{base}.csr"],
            ["x509", "-req", "-in", f"{base}.csr", "-CA", f"{pki}/ca.crt", "-CAkey", f"{pki}/ca.key",
             "-days", "-1", "-set_serial", "77", "-out", f"{base}.crt"]):
        subprocess.run(["openssl", *command], check=True, capture_output=True, timeout=20)
    with open(c.kubeconfig(), encoding="utf-8") as file:
        config = yaml.safe_load(file)
    user = config["users"][0]["user"]
    for field, suffix in (("client-certificate-data", "crt"), ("client-key-data", "key")):
        with open(f"{base}.{suffix}", "rb") as file:
            user[field] = base64.b64encode(file.read()).decode()
    with open(f"{base}.yaml", "w", encoding="utf-8") as file:
        json.dump(config, file)
    return f"{base}.yaml"


@case(twin="a-right-command-line-is-taken")
def an_unknown_flag(c):
    """A mistyped flag, command or value: exit code 2 and a suggestion."""
    for arguments, suggestion in (
            (("diagnose", "--kubeconifg", "x"), "--kubeconfig"), (("diagnos",), "diagnose"),
            (("diagnose", "--from", "direkt"), "direct"), (("diagnose", "-o", "jsn"), "json")):
        output = c.catflap(*arguments)
        same(f"exit code of {arguments}", output.code, 2)
        says(output.err, "did you mean", suggestion)


@case(twin="a-right-command-line-is-taken")
def exposed_cannot_be_accepted(c):
    """--accept takes no exposed, armed or unknown."""
    for verdict in ("exposed", "armed", "unknown"):
        output = c.catflap("verify", "--accept", verdict)
        same(f"exit code with {verdict}", output.code, 2)


@case(twin="an-unknown-flag")
def a_right_command_line_is_taken(c):
    """All outputs of one command, and none of them with a complaint."""
    formats = ("text", "wide", "json", "yaml", "name")
    for output in c.catflaps(*(("diagnose", "-o", name) for name in formats)):
        same(f"exit code of {output.shown}", output.code, 1)
        holds(output.out, f"nothing printed by {output.shown}")
        holds("next:" not in output.err, output.err)


@case(twin="an-unknown-code")
def every_code_is_explained(c):
    """What diagnose and plan name by a code, explain explains."""
    documents = [c.catflap(name, "-o", "json").json for name in ("diagnose", "plan")]
    codes = {code for document in documents for code in codes_in(document)}
    holds(len(codes) > 5, f"only {codes}")
    for code in sorted(codes):
        output = c.catflap("explain", code, code=0)
        says(output.out, code)


@case(twin="every-code-is-explained")
def an_unknown_code(c):
    """explain knows what it does not know."""
    same("exit code", c.catflap("explain", "CF9999").code, 2)


def codes_in(value):
    if isinstance(value, dict):
        if set(value) == {"code", "params"}:
            yield value["code"]
        for inner in value.values():
            yield from codes_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from codes_in(inner)


@case(twin="an-unreachable-server")
def ctrl_c_ends_a_hanging_request(c):
    """Ctrl-C does not wait for a server that takes the connection and says nothing."""
    c.stranger("hub", SILENT_STRANGER)
    running = c.start_catflap("diagnose", "--server", "https://10.91.0.1:9091")
    time.sleep(1)
    holds(running.is_running(), "it ended by itself")
    running.signal(signal.SIGINT)
    output = running.finish(10)
    same("exit code", output.code, 130)
