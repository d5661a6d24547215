"""The article's case from one end to the other, by users with exactly the shipped roles: exposed on
three nodes, closed, proven, undone, exposed again."""

import re
from types import SimpleNamespace

from lib.case import (all_are, bases, case, differs, env_entries, exact, holds, node_of, reason_codes,
                      recording, same, says, verdicts)
from lib.cluster import ADDRESSES, METRICS_ENABLED
from lib.felix import Starts

# What a closer may ask the server to change: the DaemonSet, and the ConfigMaps of the journal.
MAY_WRITE = re.compile(
    r"patch /apis/apps/v1/namespaces/kube-system/daemonsets/calico-node(\?.*)?"
    r"|create /api/v1/namespaces/kube-system/configmaps(\?.*)?"
    r"|(patch|delete) /api/v1/namespaces/kube-system/configmaps/catflap-journal(-\d+)?(\?.*)?")
QUICK = ("--settle", "3s")


@recording(pace="one-by-one")
def article(c):
    reader, verifier, closer = (c.user_with(role) for role in ("reader", "verifier", "closer"))
    began = c.audit_position()
    kept = SimpleNamespace(cluster=c, users=SimpleNamespace(reader=reader, verifier=verifier,
                                                            closer=closer))
    kept.before = c.daemonset()
    kept.diagnosis, kept.diagnosis_text, kept.plan, kept.plan_text = c.catflaps(
        ("diagnose", "-o", "json"), ("diagnose",), ("plan", "-o", "json"), ("plan",), user=reader)
    with Starts() as starts:
        kept.close = c.catflap("close", "--yes", "--ticket", "CHG-1", "-o", "json", user=closer)
    kept.starts_of_close = starts.per_node()
    kept.closed = c.daemonset()
    kept.answering_when_closed = answering(c)
    kept.verify = c.catflap("verify", "-o", "json", user=verifier)
    kept.verify_without_exec, kept.diagnosis_when_closed = c.catflaps(
        ("verify", *QUICK, "-o", "json"), ("diagnose", "-o", "json"), user=reader)
    kept.diagnosis_elsewhere = c.catflap("diagnose", "-n", "default", "-o", "json")
    with Starts() as starts:
        kept.close_again = c.catflap("close", "--yes", *QUICK, "-o", "json", user=closer)
    kept.starts_of_close_again = starts.per_node()
    kept.closed_again = c.daemonset()
    kept.undo = c.catflap("undo", "--yes", "-o", "json", user=closer)
    kept.undone = c.daemonset()
    kept.answering_when_undone = answering(c)
    kept.diagnosis_when_undone = c.catflap("diagnose", "-o", "json", user=reader)
    kept.audit = {user: c.audit(user, began) for user in (reader, verifier, closer)}
    kept.writes = {user: c.writes(user, began) for user in (reader, verifier, closer)}
    return kept


def answering(c):
    return [a for addresses in ADDRESSES.values() for a in addresses if c.answers(a)]


@case(of=article, twin="every-node-is-closed")
def every_node_is_exposed_before(kept):
    """diagnose finds the port open on three nodes, and says that the environment decides it."""
    document = kept.diagnosis.json
    same("verdicts", verdicts(document), all_are("exposed"))
    same("exit code", kept.diagnosis.code, 1)
    for name in ADDRESSES:
        enabled = node_of(document, name)["declared"]["enabled"]
        same(f"declared on {name}", (enabled["value"], enabled["layer"]), (True, "env"))


@case(of=article, twin="every-node-is-exposed-before")
def every_node_is_closed(kept):
    """close ends with three nodes closed, each with the strongest basis, and curl agrees."""
    document = kept.close.json
    same("verdicts", verdicts(document), all_are("closed"))
    same("counts", document["cluster"]["counts"], {"closed": 3})
    same("bases", bases(document), {name: "inside" for name in ADDRESSES})
    same("exit code", kept.close.code, 0)
    same("addresses that still answer curl", kept.answering_when_closed, [])


@case(of=article, twin="undone-is-exposed-again")
def verify_proves_it(kept):
    """verify, by another user and without a change, comes to the same verdict in two looks."""
    document = kept.verify.json
    same("verdicts", verdicts(document), all_are("closed"))
    same("exit code", kept.verify.code, 0)
    same("looks", len(document["cluster"]["stability"]["looks"]), 2)
    same("settled", document["cluster"]["stability"]["settled"], True)


@case(of=article, twin="verify-proves-it")
def undone_is_exposed_again(kept):
    """After undo every address answers again, and diagnose says so."""
    same("addresses that answer curl", kept.answering_when_undone,
         [a for addresses in ADDRESSES.values() for a in addresses])
    same("verdicts", verdicts(kept.diagnosis_when_undone.json), all_are("exposed"))
    same("exit code", kept.diagnosis_when_undone.code, 1)


@case(of=article, twin="without-exec-the-network-is-the-basis")
def diagnose_sees_the_closed_port(kept):
    """diagnose agrees once it is closed."""
    same("verdicts", verdicts(kept.diagnosis_when_closed.json), all_are("closed"))
    same("exit code", kept.diagnosis_when_closed.code, 0)


@case(of=article, twin="diagnose-sees-the-closed-port")
def a_namespace_hides_no_felix(kept):
    """-n narrows what may be changed, not what is seen: the Felixes of another namespace are judged,
    and that none runs in this one is said."""
    document = kept.diagnosis_elsewhere.json
    same("verdicts", verdicts(document), all_are("closed"))
    says(str(document["cluster"]["findings"]), "CF0036")


@case(of=article, twin="verify-proves-it")
def without_exec_the_network_is_the_basis(kept):
    """Where exec is denied, verify names the missing right and rests on the network alone."""
    document = kept.verify_without_exec.json
    same("verdicts", verdicts(document), all_are("closed"))
    same("bases", bases(document), {name: "network" for name in ADDRESSES})
    said = str(document["looks"]) + str(document["nodes"]) + str(document["cluster"])
    says(said, "pods/exec")
    differs("basis", bases(document), bases(kept.verify.json))


@case(of=article, twin="closing-again-starts-nothing")
def each_felix_starts_once(kept):
    """close starts Felix once per node, counted in the machine's process table."""
    same("starts of Felix", kept.starts_of_close, {"n1": 1, "n2": 1, "n3": 1})


@case(of=article, twin="each-felix-starts-once")
def closing_again_starts_nothing(kept):
    """A close of what is closed writes nothing and starts nothing."""
    same("exit code", kept.close_again.code, 0)
    same("starts of Felix", kept.starts_of_close_again, {"n1": 0, "n2": 0, "n3": 0})
    same("DaemonSet's generation", kept.closed_again["metadata"]["generation"],
         kept.closed["metadata"]["generation"])


@case(of=article, twin="undo-restores-the-template")
def close_changes_one_entry(kept):
    """close changes the value of the one entry, where it stands, and nothing else."""
    before, closed = (d["spec"]["template"] for d in (kept.before, kept.closed))
    differs("template", exact(closed), exact(before))
    same("entries", env_entries(closed, METRICS_ENABLED), [{"name": METRICS_ENABLED, "value": "false"}])
    env_entries(closed, METRICS_ENABLED)[0]["value"] = "true"
    same("all else of the template", exact(closed), exact(before))
    env_entries(closed, METRICS_ENABLED)[0]["value"] = "false"


@case(of=article, twin="close-changes-one-entry")
def undo_restores_the_template(kept):
    """The template after undo is, byte for byte, the snapshot that was taken before close."""
    same("exit code", kept.undo.code, 0)
    same("result", kept.undo.json["result"], "undone")
    same("template", exact(kept.undone["spec"]["template"]), exact(kept.before["spec"]["template"]))


@case(of=article, twin="the-closer-writes-what-it-says")
def readers_write_nothing(kept):
    """diagnose, plan and verify send no write request: the API server's audit log says so."""
    for user in (kept.users.reader, kept.users.verifier):
        holds(len(kept.audit[user]) > 5, f"the audit log knows nothing of {user}")
        same(f"writes of {user}", kept.writes[user], [])


@case(of=article, twin="readers-write-nothing")
def the_closer_writes_what_it_says(kept):
    """Each write in the result carries the Audit-Id under which the server logged it."""
    patches = {e["auditID"]: e for e in kept.audit[kept.users.closer] if e["verb"] == "patch"}
    written = [w for w in kept.close.json["change"]["writes"] if w["written"]]
    same("writes of the DaemonSet", [w["target"]["kind"] for w in written], ["DaemonSet"])
    strange = [w for w in kept.writes[kept.users.closer] if not MAY_WRITE.fullmatch(w)]
    same("writes beyond the DaemonSet and the journal", strange, [])
    for write in written:
        holds(write["auditId"] in patches, f"{write['auditId']} is not in the server's audit log")
        same("what it was", patches[write["auditId"]]["objectRef"]["resource"], "daemonsets")


@case(of=article, twin="wait.a-stuck-rollout-ends-with-its-reason")
def the_plan_says_what_restarts(kept):
    """plan says that three nodes restart, and names the article's steps and command."""
    document = kept.plan.json
    same("exit code", kept.plan.code, 1)
    same("restarting nodes", document["restartingNodes"], 3)
    same("steps", [(s["target"]["field"], s["restart"]) for s in document["steps"]],
         [("env", "rolling")])
    says(kept.plan_text.out, "Disable Felix Prometheus metrics", "rolling restart", "kubectl",
         f"{METRICS_ENABLED}=false", "Verify that port 9091 is closed")


@case(of=article, twin="every-node-is-closed")
def diagnose_fits_a_screen(kept):
    """In words: how many nodes, what decides it, the next command, and that nothing was written."""
    text = kept.diagnosis_text.out
    says(text, "All 3 nodes are exposed", METRICS_ENABLED, "calico-node", "catflap plan",
         "Nothing was written")
    holds(len(text.splitlines()) <= 50, f"{len(text.splitlines())} lines are more than a screen")
    same("reasons", {code for n in ADDRESSES for code in reason_codes(kept.diagnosis.json, n)},
         {"anonymous-read"})
