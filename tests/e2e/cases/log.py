"""What Felix itself logs about its switch, and what catflap declares, are the same value of the same layer."""

import re

from lib.case import case, node_of
from lib.cluster import ADDRESSES

# felix/config/config_params.go. The start scripts run other programs that read the same variables; their lines say
# tunnel-ip-allocator/ and the like.
PARSED = re.compile(r" felix/config_params\.go \d+: Parsed value for PrometheusMetricsEnabled: (\w+) \(from ([^\n]*)\)$", re.M)
LAYERS = {"environment variable": "env", "config file": "file", "datastore (per-host)": "fc-node", "datastore (global)": "fc-default"}


def logged(c, node):
    """(value, layer) of the highest source that Felix's log has, its last word; none: it has not said one yet."""
    text = c.kubectl("-n", "kube-system", "logs", c.pods()[node]["metadata"]["name"], "-c", "calico-node")
    last = {LAYERS[source]: value == "true" for value, source in PARSED.findall(text)}
    return next(((last[layer], layer) for layer in LAYERS.values() if layer in last), None)


def declared(diagnosis, node):
    enabled = node_of(diagnosis.json, node)["declared"]["enabled"]
    return enabled["value"], enabled["layer"]


def agree(c, wanted):
    """wanted: {node: (value, layer)}."""
    def agreed():  # a pod of before may linger, and declares what it started with
        diagnosis = c.catflap("diagnose", "--from", "direct", "-o", "json")
        return {node: declared(diagnosis, node) for node in ADDRESSES} == wanted

    c.eventually("every Felix logs its switch", lambda: {node: logged(c, node) for node in ADDRESSES} == wanted)
    c.eventually("catflap declares what Felix logs", agreed)


@case(env="true", twin="felix-logs-its-configurations")
def felix_logs_the_environment(c):
    """The environment says true on every node."""
    agree(c, {node: (True, "env") for node in ADDRESSES})


@case(env="absent", twin="felix-logs-the-environment")
def felix_logs_its_configurations(c):
    """Two layers below it: default says true, node.n2 false."""
    c.make_felix_configuration("node.n2", {"prometheusMetricsEnabled": False})
    c.patch_felix_configuration({"spec": {"prometheusMetricsEnabled": True}})
    agree(c, {"n1": (True, "fc-default"), "n2": (False, "fc-node"), "n3": (True, "fc-default")})
