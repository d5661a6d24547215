"""FelixConfiguration decides: true with the environment absent, and the annotation back door."""

from types import SimpleNamespace

from lib.case import (all_are, case, differs, env_entries, exact, holds, node_of, recording, same,
                      says, verdicts)
from lib.cluster import ADDRESSES, METRICS_ENABLED
from lib.felix import Starts

ANNOTATION = "config.projectcalico.org/PrometheusMetricsEnabled"


def configuration(c):
    """What undo must bring back: all that is not the server's bookkeeping."""
    found = c.felix_configuration()
    for field in ("resourceVersion", "generation", "managedFields"):
        found["metadata"].pop(field, None)
    return found


def open_everywhere(c):
    c.eventually("9091 answers on every node",
                 lambda: all(c.answers(a[0]) for a in ADDRESSES.values()))


@recording(env="absent")
def by_spec(c):
    closer = c.user_with("closer")
    c.patch_felix_configuration({"spec": {"prometheusMetricsEnabled": True}})
    open_everywhere(c)
    kept = SimpleNamespace(before=c.template(), configuration_before=configuration(c))
    kept.diagnosis, kept.plan = c.catflaps(
        ("diagnose", "-o", "json"), ("plan", "-o", "json"), user=closer)
    with Starts() as starts:
        kept.close = c.catflap("close", "--yes", "--settle", "3s", "-o", "json", user=closer)
    kept.starts = starts.per_node()
    kept.answering = [a for all_of in ADDRESSES.values() for a in all_of if c.answers(a)]
    kept.closed, kept.configuration_closed = c.template(), configuration(c)
    kept.undo = c.catflap("undo", "--yes", "-o", "json", user=closer)
    kept.undone, kept.configuration_undone = c.template(), configuration(c)
    open_everywhere(c)
    kept.diagnosis_when_undone = c.catflap("diagnose", "-o", "json", user=closer)
    return kept


@case(of=by_spec, twin="it-is-closed")
def it_decides_when_the_environment_is_silent(kept):
    """diagnose names the FelixConfiguration as the layer that switches it on."""
    same("verdicts", verdicts(kept.diagnosis.json), all_are("exposed"))
    for name in ADDRESSES:
        enabled = node_of(kept.diagnosis.json, name)["declared"]["enabled"]
        same("layer", enabled["layer"], "fc-default")
        same("source", (enabled["source"]["kind"], enabled["source"]["name"]),
             ("FelixConfiguration", "default"))
    same("verdicts after undo", verdicts(kept.diagnosis_when_undone.json), all_are("exposed"))


@case(of=by_spec, twin="it-decides-when-the-environment-is-silent")
def it_is_closed(kept):
    """close locks it with the environment and sets the FelixConfiguration to false as well."""
    same("exit code", kept.close.code, 0)
    same("verdicts", verdicts(kept.close.json), all_are("closed"))
    same("addresses that still answer curl", kept.answering, [])
    same("entries", env_entries(kept.closed, METRICS_ENABLED),
         [{"name": METRICS_ENABLED, "value": "false"}])
    same("FelixConfiguration", kept.configuration_closed["spec"]["prometheusMetricsEnabled"], False)


@case(of=by_spec, twin="in-place-restarts-felix-in-its-pod")
def environment_first_is_one_start(kept):
    """The order of the two writes costs each node one start of Felix, not two."""
    same("steps", [(s["target"]["kind"], s["restart"]) for s in kept.plan.json["steps"]],
         [("DaemonSet", "rolling"), ("FelixConfiguration", "none")])
    same("starts of Felix", kept.starts, {"n1": 1, "n2": 1, "n3": 1})


@case(of=by_spec, twin="it-is-closed")
def undo_removes_what_was_absent(kept):
    """The entry that was not there is gone again; the FelixConfiguration is as before."""
    same("exit code", kept.undo.code, 0)
    differs("template", exact(kept.closed), exact(kept.before))
    same("template", exact(kept.undone), exact(kept.before))
    same("FelixConfiguration", kept.configuration_undone, kept.configuration_before)


@recording(env="absent")
def back_door(c):
    """spec says false, and an annotation that outranks it says true; closed in place."""
    c.patch_felix_configuration({"spec": {"prometheusMetricsEnabled": False}})
    kept = SimpleNamespace(shut=c.catflap("diagnose", "--from", "direct,exec", "-o", "json"))
    c.patch_felix_configuration({"metadata": {"annotations": {ANNOTATION: "true"}}})
    open_everywhere(c)
    kept.before, kept.configuration_before = c.daemonset(), configuration(c)
    pods = {node: pod["metadata"]["uid"] for node, pod in c.pods().items()}
    kept.diagnosis = c.catflap("diagnose", "-o", "json")
    with Starts() as starts:
        kept.close = c.catflap("close", "--in-place", "--yes", "--settle", "3s", "-o", "json")
    kept.starts = starts.per_node()
    kept.pods_before, kept.pods_after = pods, {n: p["metadata"]["uid"] for n, p in c.pods().items()}
    kept.answering = [a for all_of in ADDRESSES.values() for a in all_of if c.answers(a)]
    kept.closed, kept.configuration_closed = c.daemonset(), configuration(c)
    kept.undo = c.catflap("undo", "--yes", "-o", "json")
    kept.configuration_undone = configuration(c)
    return kept


@case(of=back_door, twin="spec-false-without-it-is-off")
def the_back_door_is_exposed(kept):
    """An annotation that outranks `prometheusMetricsEnabled: false` is found and named."""
    same("verdicts", verdicts(kept.diagnosis.json), all_are("exposed"))
    says(str(node_of(kept.diagnosis.json, "n1")["declared"]["enabled"]["source"]), ANNOTATION)


@case(of=back_door, twin="the-back-door-is-exposed")
def spec_false_without_it_is_off(kept):
    """The same FelixConfiguration without the annotation does not switch anything on."""
    for name in ADDRESSES:
        same(f"declared on {name}",
             node_of(kept.shut.json, name)["declared"]["enabled"]["value"], False)
    holds("exposed" not in verdicts(kept.shut.json).values(), "nothing listens, yet exposed")


@case(of=back_door, twin="environment-first-is-one-start")
def in_place_restarts_felix_in_its_pod(kept):
    """--in-place replaces no pod, writes nothing to the DaemonSet, and is proven all the same."""
    same("exit code", kept.close.code, 0)
    same("verdicts", verdicts(kept.close.json), all_are("closed"))
    same("addresses that still answer curl", kept.answering, [])
    same("pods", kept.pods_after, kept.pods_before)
    same("generation", kept.closed["metadata"]["generation"], kept.before["metadata"]["generation"])
    same("starts of Felix", kept.starts, {"n1": 1, "n2": 1, "n3": 1})


@case(of=back_door, twin="in-place-restarts-felix-in-its-pod")
def undo_restores_the_annotation(kept):
    """The annotation is as before, and so is everything else of the object."""
    same("exit code", kept.undo.code, 0)
    differs("FelixConfiguration", kept.configuration_closed, kept.configuration_before)
    same("FelixConfiguration", kept.configuration_undone, kept.configuration_before)


@recording(env="absent")
def per_node(c):
    """Hosts: loopback on n1, all on n2, IPv6 only on n3, each by its own FelixConfiguration."""
    c.make_felix_configuration("node.n1", {"prometheusMetricsHost": "127.0.0.1"})
    c.make_felix_configuration("node.n3", {"prometheusMetricsHost": "fd91::13"})
    c.patch_felix_configuration({"spec": {"prometheusMetricsEnabled": True}})
    c.eventually("n2 and n3 answer", lambda: c.answers("10.91.0.12") and c.answers("fd91::13"))
    outside, diagnosis, accepting = c.catflaps(
        ("diagnose", "--from", "direct", "-o", "json"),
        ("diagnose", "--from", "direct,exec", "-o", "json"),
        ("diagnose", "--from", "direct,exec", "--accept", "local-only", "-o", "json"))
    return SimpleNamespace(answers_on_ipv4=c.answers("10.91.0.13"), outside=outside,
                           diagnosis=diagnosis, accepting=accepting)


@case(of=per_node, twin="loopback-needs-an-inside-look")
def loopback_is_local_only(kept):
    """A listener on 127.0.0.1 is local-only: not closed, and good enough only if accepted."""
    same("verdict", verdicts(kept.diagnosis.json)["n1"], "local-only")
    same("accepted", (node_of(kept.diagnosis.json, "n1")["accepted"],
                      node_of(kept.accepting.json, "n1")["accepted"]), (False, True))


@case(of=per_node, twin="loopback-is-local-only")
def loopback_needs_an_inside_look(kept):
    """From outside alone it looks closed, and must not be called so."""
    same("verdict", verdicts(kept.outside.json)["n1"], "unknown")


@case(of=per_node, twin="loopback-is-local-only")
def ipv6_alone_is_exposed(kept):
    """Every IPv4 address refuses, one IPv6 address answers: exposed."""
    same("n3 answers curl over IPv4", kept.answers_on_ipv4, False)
    for document in (kept.diagnosis.json, kept.outside.json):
        same("verdict", verdicts(document)["n3"], "exposed")
        rows = node_of(document, "n3")["reachable"]
        same("what answered", {r["address"] for r in rows if r["outcome"] == "open"}, {"fd91::13"})
