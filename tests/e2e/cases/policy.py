"""Calico's own answer to the open port: a HostEndpoint and a policy that denies it. The port is hidden, not closed."""

from types import SimpleNamespace

from lib.case import case, node_of, reason_codes, recording, same, verdicts
from lib.cluster import ADDRESSES

LABEL = "catflap-e2e"


def host_endpoint(c, node):
    c.make_policy("HostEndpoint", f"{node}-eth0", {"node": node, "interfaceName": "eth0"}, {LABEL: "yes"})


def deny(c, port):
    """For every HostEndpoint with the label; all else comes in, as before there was a HostEndpoint."""
    c.make_policy("GlobalNetworkPolicy", "default.catflap-e2e", {
        "tier": "default", "order": 10, "selector": f"has({LABEL})", "types": ["Ingress", "Egress"],
        "ingress": [{"action": "Deny", "protocol": "TCP", "destination": {"ports": [port]}}, {"action": "Allow"}],
        "egress": [{"action": "Allow"}]})


@recording()
def policy(c):
    deny(c, 9091)
    host_endpoint(c, "n1")
    c.eventually("Felix has programmed the policy", lambda: not c.answers(ADDRESSES["n1"][0]), 30)
    kept = SimpleNamespace()
    kept.outside, kept.diagnosis, kept.verify = c.catflaps(
        ("diagnose", "--from", "direct", "-o", "json"),
        ("diagnose", "--from", "direct,exec", "-o", "json"),
        ("verify", "--settle", "3s", "-o", "json"))
    return kept


@case(of=policy, twin="where-no-policy-is-it-is-exposed")
def a_policy_hides_the_port(kept):
    """Felix's own packet filter drops what comes in: filtered, as the look inside finds the listener."""
    same("verdict", verdicts(kept.diagnosis.json)["n1"], "filtered")
    same("by verify", verdicts(kept.verify.json)["n1"], "filtered")
    same("exit code of verify", kept.verify.code, 1)


@case(of=policy, twin="a-policy-hides-the-port")
def where_no_policy_is_it_is_exposed(kept):
    """The nodes without a HostEndpoint are as before."""
    same("n2", reason_codes(kept.diagnosis.json, "n2"), ["anonymous-read"])
    same("n2 and n3", {verdicts(kept.diagnosis.json)[node] for node in ("n2", "n3")}, {"exposed"})


@case(of=policy, twin="where-no-policy-is-it-is-exposed")
def from_outside_alone_it_is_not_closed(kept):
    """Silence is no refusal: unknown without the look inside."""
    same("verdict", node_of(kept.outside.json, "n1")["verdict"], "unknown")
