"""felix.cfg decides: below the environment, above every FelixConfiguration."""

import json
from types import SimpleNamespace

from felixconfiguration import open_everywhere
from lib.case import all_are, bases, case, env_entries, exact, node_of, recording, same, verdicts
from lib.cluster import ADDRESSES, METRICS_ENABLED
from log import declared, logged

CONFIG_MAP = "canal-config"  # one that deploy/'s roles let catflap read; nothing here has it


def mount(c, enabled):
    """Every Felix starts anew with a felix.cfg that says so."""
    c.kubectl("apply", "-f", "-", stdin=json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG_MAP, "namespace": "kube-system"},
         "data": {"felix.cfg": f"[global]\nPrometheusMetricsEnabled = {enabled}\n"}}))
    mounted = {"name": "felix-cfg", "mountPath": "/etc/calico/felix.cfg", "subPath": "felix.cfg"}
    c.patch_daemonset({"spec": {"template": {"spec": {
        "volumes": [{"name": "felix-cfg", "configMap": {"name": CONFIG_MAP}}],
        "containers": [{"name": "calico-node", "volumeMounts": [mounted]}]}}}}, kind="strategic")
    c.rolled_out()


def remove(c):
    """Felixes that run have read theirs."""
    c.kubectl("delete", "configmap", CONFIG_MAP, "-n", "kube-system")


def answering(c):
    return [a for addresses in ADDRESSES.values() for a in addresses if c.answers(a)]


@recording(env="absent")
def by_file(c):
    closer = c.user_with("closer")
    mount(c, "true")
    open_everywhere(c)
    kept = SimpleNamespace(before=c.template(), logged={node: logged(c, node) for node in ADDRESSES})
    kept.diagnosis = c.catflap("diagnose", "--from", "direct,exec", "-o", "json", user=closer)
    kept.close = c.catflap("close", "--yes", "--settle", "3s", "-o", "json", user=closer)
    kept.answering, kept.closed = answering(c), c.template()
    kept.verify = c.catflap("verify", "--settle", "3s", "-o", "json", user=c.user_with("verifier"))
    kept.undo = c.catflap("undo", "--yes", "-o", "json", user=closer)
    kept.undone = c.template()
    open_everywhere(c)
    kept.diagnosis_when_undone = c.catflap("diagnose", "-o", "json", user=closer)
    remove(c)
    return kept


@case(of=by_file, twin="a-file-that-says-false-is-closed")
def a_file_that_says_true_is_exposed(kept):
    """diagnose names the file as the layer that switches it on."""
    same("verdicts", verdicts(kept.diagnosis.json), all_are("exposed"))
    same("declared", {node: declared(kept.diagnosis, node) for node in ADDRESSES}, {node: (True, "file") for node in ADDRESSES})


@case(of=by_file, twin="log.felix-logs-its-configurations")
def felix_logs_its_file(kept):
    """Felix itself says that its config file switched it on."""
    same("logged", kept.logged, {node: (True, "file") for node in ADDRESSES})


@case(of=by_file, twin="a-file-that-says-true-is-exposed")
def it_is_closed(kept):
    """close outranks the file by the environment; verify, by another user, agrees."""
    same("exit codes", (kept.close.code, kept.verify.code), (0, 0))
    same("verdicts", verdicts(kept.close.json), all_are("closed"))
    same("verdicts of verify", verdicts(kept.verify.json), all_are("closed"))
    same("addresses that still answer curl", kept.answering, [])
    same("entries", env_entries(kept.closed, METRICS_ENABLED), [{"name": METRICS_ENABLED, "value": "false"}])


@case(of=by_file, twin="it-is-closed")
def undo_lets_the_file_decide(kept):
    """The template is as before, and the file decides again."""
    same("exit code", kept.undo.code, 0)
    same("template", exact(kept.undone), exact(kept.before))
    same("verdicts", verdicts(kept.diagnosis_when_undone.json), all_are("exposed"))


@case(env="absent", twin="a-file-that-says-true-is-exposed")
def a_file_that_says_false_is_closed(c):
    """It outranks a FelixConfiguration that says true."""
    c.patch_felix_configuration({"spec": {"prometheusMetricsEnabled": True}})
    mount(c, "false")
    verify = c.catflap("verify", "--settle", "3s", "-o", "json", user=c.user_with("verifier"))
    remove(c)
    same("exit code", verify.code, 0)
    same("verdicts", verdicts(verify.json), all_are("closed"))
    same("bases", bases(verify.json), all_are("inside"))
    enabled = node_of(verify.json, "n1")["declared"]["enabled"]
    same("declared", (enabled["value"], enabled["layer"]), (False, "file"))
    same("addresses that answer curl", answering(c), [])
