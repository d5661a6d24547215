"""close that does not come to its end: Ctrl-C, kill -9, a second close, a node that died."""

import json
import signal
from types import SimpleNamespace

from lib.case import (all_are, case, exact, holds, node_of, recording, same, says, verdicts)
from lib.cluster import ADDRESSES
from lib.felix import Starts


def has_patched(c, user, since):
    """The API server has finished the user's write to the DaemonSet, not only its rehearsal."""
    return any(e["verb"] == "patch" and e["objectRef"]["resource"] == "daemonsets"
               and "dryRun" not in e["requestURI"]
               and e["responseStatus"]["code"] == 200 for e in c.audit(user, since))


def start_and_wait_for_the_write(c, user, *flags):
    since = c.audit_position()
    running = c.start_catflap("close", "--yes", *flags, "-o", "json", user=user)
    c.eventually("close has written to the DaemonSet",
                 lambda: has_patched(c, user, since) or not running.is_running(), 60)
    return running


def lock_of(c):
    """The journal's whole text; who holds the lock stands in it."""
    return c.get("configmap", "catflap-journal")["data"].get("lock", "")


@recording(pace="one-by-one")
def interrupted(c):
    closer, second = c.user_with("closer"), c.user_with("reader", "closer")
    kept = SimpleNamespace(before=c.template())
    c.hold_pods()  # however slow the machine is, the interrupt comes before the second node's turn
    with Starts() as starts:
        first = start_and_wait_for_the_write(c, closer)
        kept.lock_while_it_runs = lock_of(c)
        since = c.audit_position()
        kept.second = c.catflap("close", "--yes", "--settle", "3s", "-o", "json", user=second)
        kept.writes_of_second = c.writes(second, since)
        kept.was_running = first.is_running()
        first.signal(signal.SIGINT)
        kept.first = first.finish(15)
        kept.lock_after = lock_of(c)
        c.let_pods_go()
        kept.third = c.catflap("close", "--yes", "--settle", "3s", "-o", "json", user=closer)
    kept.starts = starts.per_node()
    kept.undo = c.catflap("undo", "--yes", "-o", "json", user=closer)
    kept.undone = c.template()
    return kept


@case(of=interrupted, twin="the-next-close-goes-on")
def ctrl_c_says_what_goes_on(kept):
    """Ctrl-C ends close with 130, and with how many nodes will restart without it."""
    holds(kept.was_running, "close was over before it could be interrupted")
    same("exit code", kept.first.code, 130)
    says(kept.first.err, "will still restart", "catflap undo", "kubectl")


@case(of=interrupted, twin="a-second-close-is-refused")
def ctrl_c_releases_the_lock(kept):
    """The lock is held while close runs, and free once it was interrupted."""
    holds(kept.lock_while_it_runs, "no lock was held")
    holds(not kept.lock_after or kept.lock_after == "null", f"the lock is left: {kept.lock_after}")


@case(of=interrupted, twin="ctrl-c-says-what-goes-on")
def the_next_close_goes_on(kept):
    """The next close completes it; all in all each Felix started once, and undo undoes it all."""
    same("exit code", kept.third.code, 0)
    same("resumed", kept.third.json["change"]["resumed"], True)
    same("verdicts", verdicts(kept.third.json), all_are("closed"))
    same("starts of Felix", kept.starts, {"n1": 1, "n2": 1, "n3": 1})
    same("exit code of undo", kept.undo.code, 0)
    same("template after undo", exact(kept.undone), exact(kept.before))


@case(of=interrupted, twin="the-next-close-goes-on")
def a_second_close_is_refused(kept):
    """A close beside a close ends with 5 and the holder's name, and has written nothing."""
    same("exit code", kept.second.code, 5)
    says(kept.second.err, "another run holds the lock", json.loads(kept.lock_while_it_runs)["who"])
    same("what it printed", kept.second.json["kind"], "Error")
    same("what it wrote", kept.writes_of_second, [])


@recording()
def killed(c):
    closer = c.user_with("closer")
    kept = SimpleNamespace(before=c.template())
    with Starts() as starts:
        first = start_and_wait_for_the_write(c, closer)
        first.signal(signal.SIGKILL)
        kept.first = first.finish(10)
        kept.lock_after = lock_of(c)
        kept.second = c.catflap("close", "--yes", "--settle", "3s", "-o", "json", user=closer)
    kept.starts = starts.per_node()
    kept.answering = [a for all_of in ADDRESSES.values() for a in all_of if c.answers(a)]
    kept.undo = c.catflap("undo", "--yes", "-o", "json", user=closer)
    kept.undone = c.template()
    return kept


@case(of=killed, twin="a-second-close-is-refused")
def a_killed_close_is_completed(kept):
    """kill -9 right after the write: the next close takes over the dead one's lock and ends it."""
    same("exit code of the killed", kept.first.code, -signal.SIGKILL)
    holds(kept.lock_after, "the killed run left no lock, so this shows nothing")
    same("exit code", kept.second.code, 0)
    same("resumed", kept.second.json["change"]["resumed"], True)
    same("verdicts", verdicts(kept.second.json), all_are("closed"))
    same("addresses that still answer curl", kept.answering, [])
    same("starts of Felix", kept.starts, {"n1": 1, "n2": 1, "n3": 1})


@case(of=killed, twin="a-killed-close-is-completed")
def a_killed_close_can_be_undone(kept):
    """What the killed run wrote is in the journal: undo restores the snapshot."""
    same("exit code", kept.undo.code, 0)
    same("template", exact(kept.undone), exact(kept.before))


@recording(pace="two-by-two")
def dead_node(c):
    """In mid-rollout the kubelet of the node whose turn comes last stands still; its old pod goes
    from the API, and the old Felix runs on."""
    closer = c.user_with("closer")
    old = {node: pod["metadata"]["uid"] for node, pod in c.pods().items()}
    running = start_and_wait_for_the_write(c, closer, "--timeout", "30s", "--settle", "3s")
    c.eventually("two nodes have new pods", lambda: len(unchanged(c, old)) == 1)
    victim, = unchanged(c, old)
    c.pause_kubelet(victim)
    kept = SimpleNamespace(victim=victim, old_uid=old[victim])
    pod = next((p for p in c.all_pods() if p["metadata"]["uid"] == kept.old_uid), None)
    if pod:  # the controller has not come to it yet
        c.kubectl("delete", "pod", pod["metadata"]["name"], "-n", "kube-system", "--force",
                  "--grace-period=0", "--ignore-not-found")
    kept.close = running.finish(120)
    kept.pods = {pod["metadata"]["uid"]: pod["spec"].get("nodeName") for pod in c.all_pods()}
    kept.answers = c.answers(ADDRESSES[victim][0])
    kept.outside = c.catflap("diagnose", "--from", "direct", "-o", "json")
    kept.inside = c.catflap("diagnose", "--from", "exec", "-o", "json")
    c.resume_kubelet(victim)
    c.rolled_out()
    kept.close_again = c.catflap("close", "--yes", "--settle", "3s", "-o", "json", user=closer)
    return kept


def unchanged(c, old):
    """The nodes that still have the pod that they had."""
    return [node for node, pod in c.pods().items() if pod["metadata"]["uid"] == old[node]]


@case(of=dead_node, twin="a-node-that-is-back-is-closed")
def a_dead_node_is_not_closed(kept):
    """The API says that the old pod is gone; 9091 still answers there: not closed, exit code 1."""
    holds(kept.old_uid not in kept.pods, "the API still has the old pod, so this shows nothing")
    holds(kept.victim in kept.pods.values(), "the API has no new pod there, so this shows nothing")
    holds(kept.answers, "the old Felix is gone, so this shows nothing")
    same("verdict by close", verdicts(kept.close.json)[kept.victim], "exposed")
    same("verdict by diagnose", verdicts(kept.outside.json)[kept.victim], "exposed")
    same("exit code", kept.close.code, 1)
    same("the others", {v for n, v in verdicts(kept.close.json).items() if n != kept.victim}, {"closed"})
    states = {n["name"]: n["state"] for r in kept.close.json["change"]["rollouts"] for n in r["nodes"]}
    holds(states.get(kept.victim) not in (None, "done"),
          f"the rollout's state of {kept.victim} is {states.get(kept.victim)}")


@case(of=dead_node, twin="a-node-that-is-back-is-closed")
def a_dead_node_seen_from_inside_only_is_unknown(kept):
    """Nobody can exec into a pod that was never started: unknown, in bounded time, exit code 3."""
    same("verdict", verdicts(kept.inside.json)[kept.victim], "unknown")
    same("exit code", kept.inside.code, 3)
    holds(kept.inside.seconds < 60, f"it took {kept.inside.seconds:.0f} s")
    holds(node_of(kept.inside.json, kept.victim)["reasons"], "unknown without a reason")


@case(of=dead_node, twin="a-dead-node-is-not-closed")
def a_node_that_is_back_is_closed(kept):
    """Once the kubelet goes on, the next close completes it."""
    same("exit code", kept.close_again.code, 0)
    same("verdicts", verdicts(kept.close_again.json), all_are("closed"))
