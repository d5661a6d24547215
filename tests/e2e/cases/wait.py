"""wait: what it says of a rollout that cannot end."""

from types import SimpleNamespace

from lib.case import case, holds, recording, same, says
from lib.cluster import is_ready


@recording(pace="one-by-one")
def stuck(c):
    kept = SimpleNamespace()
    kept.done = c.catflap("wait", "-o", "json")
    c.kubectl("set", "image", "daemonset/calico-node", "-n", "kube-system",
              "calico-node=catflap.invalid/missing:1")
    c.eventually("the first pod cannot get its image", lambda: "Image" in str(
        [pod["status"].get("containerStatuses") for pod in c.pods().values()
         if not is_ready(pod)]), 60)
    kept.wait = c.catflap("wait", "kube-system/calico-node", "--timeout", "5s", "-o", "json")
    kept.text = c.catflap("wait", "--timeout", "1s")
    kept.unknown = c.catflap("wait", "kube-system/no-such-thing", "-o", "json")
    return kept


@case(of=stuck, twin="what-is-done-ends-at-once")
def a_stuck_rollout_ends_with_its_reason(kept):
    """An image that cannot be pulled: wait ends at --timeout, with the node and the pod's reason."""
    same("exit code", kept.wait.code, 1)
    same("result", kept.wait.json["result"], "not-done")
    holds(4 < kept.wait.seconds < 15, f"it took {kept.wait.seconds:.1f} s")
    nodes = kept.wait.json["daemonSets"][0]["nodes"]
    reasons = {node["reason"] for node in nodes if node["state"] == "not-ready"}
    holds(reasons and reasons <= {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"},
          f"the reason is not the image: {nodes}")
    same("nodes that were not touched", [n["state"] for n in nodes].count("not-started"), 2)
    says(kept.text.out + kept.text.err, "Image")


@case(of=stuck, twin="a-stuck-rollout-ends-with-its-reason")
def what_is_done_ends_at_once(kept):
    """A rollout that is done needs no wait."""
    same("exit code", kept.done.code, 0)
    same("result", kept.done.json["result"], "done")
    holds(kept.done.seconds < 5, f"it took {kept.done.seconds:.1f} s")


@case(of=stuck, twin="what-is-done-ends-at-once")
def a_missing_daemonset_is_named(kept):
    """A DaemonSet that does not exist is an error that names it, not a wait."""
    same("exit code", kept.unknown.code, 4)
    says(kept.unknown.err, "no-such-thing")
