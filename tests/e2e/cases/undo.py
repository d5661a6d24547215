"""undo against snapshots, never against the journal: entries of every kind, and edits since.

The DaemonSet waits for its pods to be deleted (OnDelete), so nothing restarts: this is about what
is written. The pods are behind the template then, which --include-pending is for.
"""

import json
from types import SimpleNamespace

from lib.case import case, differs, env_entries, exact, recording, same, says
from lib.cluster import METRICS_ENABLED

MIXED_CASE = "FELIX_PrometheusMetricsEnabled"
UNRELATED = {"name": "FELIX_LOGSEVERITYSCREEN", "value": "Info"}
FROM_CONFIG_MAP = {"name": METRICS_ENABLED, "valueFrom": {
    "configMapKeyRef": {"name": "metrics-switch", "key": "enabled", "optional": True}}}


def with_entries(c, make):
    """The DaemonSet's env list becomes make(list without the variable), by a replace: no merging."""
    daemonset = c.daemonset()
    container = next(x for x in daemonset["spec"]["template"]["spec"]["containers"]
                     if x["name"] == "calico-node")
    container["env"] = make([e for e in container["env"]
                             if e["name"].lower() != METRICS_ENABLED.lower()])
    c.kubectl("replace", "-f", "-", stdin=json.dumps(daemonset))


VARIANTS = {
    "duplicates": lambda rest: [{"name": METRICS_ENABLED, "value": "false"}, *rest[:3],
                                {"name": METRICS_ENABLED, "value": "true"}, *rest[3:],
                                {"name": METRICS_ENABLED, "value": "yes"}],
    "case": lambda rest: [*rest[:2], {"name": MIXED_CASE, "value": "true"}, *rest[2:],
                          {"name": METRICS_ENABLED, "value": "false"}, UNRELATED],
    "from": lambda rest: [*rest[:5], FROM_CONFIG_MAP, *rest[5:]],
    "absent": lambda rest: rest,
}
PENDING = ("--include-pending", "--yes", "--timeout", "1s", "-o", "json")


@recording(pace="on-delete")
def variants(c):
    kept = SimpleNamespace(before={}, closed={}, undone={}, close={}, undo={}, switch={})
    c.kubectl("create", "configmap", "metrics-switch", "-n", "kube-system",
              "--from-literal=enabled=true")
    c.patch_felix_configuration({"spec": {"prometheusMetricsEnabled": True}})
    for name, make in VARIANTS.items():
        with_entries(c, make)
        kept.before[name] = c.template()
        kept.close[name] = c.catflap("close", *PENDING)
        kept.closed[name], switch_closed = c.template(), switch_of(c)
        kept.undo[name] = c.catflap("undo", "--yes", "--timeout", "1s", "-o", "json")
        kept.undone[name] = c.template()
        kept.switch[name] = {"closed": switch_closed, "undone": switch_of(c)}
    c.kubectl("delete", "configmap", "metrics-switch", "-n", "kube-system")
    return kept


def switch_of(c):
    return c.felix_configuration()["spec"].get("prometheusMetricsEnabled")


def check_closed_with(kept, variant, entry):
    same(f"{variant}: entries after close", env_entries(kept.closed[variant], METRICS_ENABLED), [entry])


def check_undone(kept, variant):
    differs(f"{variant}: template after close", exact(kept.closed[variant]), exact(kept.before[variant]))
    # Below the environment nothing was written yet: that waits for the rollout.
    same(f"{variant}: steps of undo", {s["result"] for s in kept.undo[variant].json["steps"]
                                       if s["target"]["kind"] == "DaemonSet"}, {"restored"})
    same(f"{variant}: template after undo", exact(kept.undone[variant]), exact(kept.before[variant]))


@case(of=variants, twin="duplicates-come-back")
def duplicates_become_one(kept):
    """Of several entries with one name, close leaves one, false."""
    check_closed_with(kept, "duplicates", {"name": METRICS_ENABLED, "value": "false"})


@case(of=variants, twin="duplicates-become-one")
def duplicates_come_back(kept):
    """undo brings all of them back, each in its place."""
    check_undone(kept, "duplicates")


@case(of=variants, twin="case-variants-come-back")
def case_variants_become_one(kept):
    """Names that differ in case are one variable to Felix: close leaves one of them, false."""
    entries = env_entries(kept.closed["case"], METRICS_ENABLED)
    same("values", [e.get("value") for e in entries], ["false"])


@case(of=variants, twin="case-variants-become-one")
def case_variants_come_back(kept):
    """undo brings both back, each in its place."""
    check_undone(kept, "case")


@case(of=variants, twin="a-reference-comes-back")
def a_reference_is_replaced(kept):
    """A valueFrom becomes a plain false where it stood."""
    check_closed_with(kept, "from", {"name": METRICS_ENABLED, "value": "false"})


@case(of=variants, twin="a-reference-is-replaced")
def a_reference_comes_back(kept):
    """undo restores the valueFrom."""
    check_undone(kept, "from")


@case(of=variants, twin="duplicates-come-back")
def what_was_absent_is_absent_again(kept):
    """Without an entry a FelixConfiguration decides: close changes what it must, undo all of that."""
    for name in VARIANTS:
        same(f"{name}: FelixConfiguration says after undo", kept.switch[name]["undone"], True)
    same("FelixConfiguration says after close", kept.switch["absent"]["closed"], False)
    same("template after undo", exact(kept.undone["absent"]), exact(kept.before["absent"]))


@recording(pace="on-delete")
def edited(c):
    kept = SimpleNamespace()
    kept.nothing = c.catflap("undo", "--yes", "-o", "json")
    kept.close = c.catflap("close", "--yes", "--timeout", "1s", "-o", "json")
    c.set_env(f"{METRICS_ENABLED}=no")
    kept.edited = c.daemonset()
    since = c.audit_position()
    kept.undo = c.catflap("undo", "--yes", "--timeout", "1s", "-o", "json", user=c.user_with("closer"))
    kept.writes = [w for w in c.writes(c.user_with("closer"), since) if "daemonsets" in w]
    kept.after = c.daemonset()
    c.set_env(f"{METRICS_ENABLED}=false")
    kept.undo_after_repair = c.catflap("undo", "--yes", "--timeout", "1s", "-o", "json")
    return kept


@case(of=edited, twin="what-is-as-catflap-left-it-is-undone")
def somebodys_edit_is_not_overwritten(kept):
    """Somebody changed the entry after catflap: undo refuses, shows it, and writes nothing."""
    same("exit code", kept.undo.code, 5)
    same("writes", kept.writes, [])
    same("template", exact(kept.after["spec"]["template"]), exact(kept.edited["spec"]["template"]))
    says(kept.undo.err, f"somebody else changed env since: found {METRICS_ENABLED}=no")


@case(of=edited, twin="somebodys-edit-is-not-overwritten")
def what_is_as_catflap_left_it_is_undone(kept):
    """Once the entry is as catflap left it, undo goes on."""
    same("steps", [s["result"] for s in kept.undo_after_repair.json["steps"]], ["restored"])


@case(of=edited, twin="what-is-as-catflap-left-it-is-undone")
def nothing_to_undo_is_said(kept):
    """Without a journal undo says so, with exit code 3."""
    same("exit code", kept.nothing.code, 3)
    same("result", kept.nothing.json["result"], "nothing-to-undo")
