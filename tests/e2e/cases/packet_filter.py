"""Packet filters before a Felix that listens: three ways to look closed from outside."""

from types import SimpleNamespace

from lib.case import case, holds, node_of, reason_codes, recording, same, verdicts
from lib.cluster import ADDRESSES


@recording()
def filters(c):
    kept = SimpleNamespace(before=c.catflap("diagnose", "--from", "direct,exec", "-o", "json"))
    c.filter("n1", "reject with icmpx type port-unreachable")
    c.filter("n2", "drop")
    c.filter("n3", "reject with tcp reset")
    kept.outside, kept.diagnosis, kept.verify, kept.accepting = c.catflaps(
        ("diagnose", "--from", "direct", "-o", "json"),
        ("diagnose", "--from", "direct,exec", "-o", "json"),
        ("verify", "--settle", "3s", "-o", "json"),
        ("diagnose", "--from", "direct,exec", "--accept", "filtered", "-o", "json"))
    return kept


def outcomes(document, node):
    """What the probes of the node's own addresses saw; the tunnel's cannot be reached from here."""
    return {r["outcome"] for r in node_of(document, node)["reachable"]
            if r["vantage"] == "direct" and r["address"] in ADDRESSES[node]}


@case(of=filters, twin="a-reset-is-not-closed")
def a_drop_is_filtered(kept):
    """Dropped packets, and an inside look that shows the listener: filtered."""
    same("outcome", outcomes(kept.diagnosis.json, "n2"), {"timeout"})
    same("verdict", verdicts(kept.diagnosis.json)["n2"], "filtered")
    same("accepted", (node_of(kept.diagnosis.json, "n2")["accepted"],
                      node_of(kept.accepting.json, "n2")["accepted"]), (False, True))


@case(of=filters, twin="without-a-filter-it-is-exposed")
def an_icmp_rejection_is_filtered(kept):
    """An ICMP rejection comes as "connection refused" and is not one: filtered."""
    same("outcome", outcomes(kept.diagnosis.json, "n1"), {"rejected"})
    same("verdict", verdicts(kept.diagnosis.json)["n1"], "filtered")


@case(of=filters, twin="a-drop-is-filtered")
def a_reset_is_not_closed(kept):
    """A filter that answers with RST cannot be told from a closed port; the inside look can."""
    same("outcome", outcomes(kept.diagnosis.json, "n3"), {"refused"})
    for name, output in (("diagnose", kept.diagnosis), ("verify", kept.verify)):
        same(f"verdict by {name}", verdicts(output.json)["n3"], "unknown")


@case(of=filters, twin="without-a-filter-it-is-exposed")
def outside_alone_is_never_closed(kept):
    """Without the inside look none of the three is closed, and exit code 0 is out of the question."""
    seen = verdicts(kept.outside.json)
    same("n1 and n2", (seen["n1"], seen["n2"]), ("unknown", "unknown"))
    # Switched on, and refusing as far as this can be told from outside.
    holds(seen["n3"] in ("armed", "unknown"), f"n3 is {seen['n3']}")
    same("exit code", kept.outside.code, 1 if seen["n3"] == "armed" else 3)


@case(of=filters, twin="an-icmp-rejection-is-filtered")
def without_a_filter_it_is_exposed(kept):
    """The same cluster without filters."""
    same("verdicts", set(verdicts(kept.before.json).values()), {"exposed"})
    same("reasons", set(reason_codes(kept.before.json, "n1")), {"anonymous-read"})
