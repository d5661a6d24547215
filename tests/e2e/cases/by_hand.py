"""The article by hand, with kubectl, beside what catflap does."""

from types import SimpleNamespace

from lib.case import all_are, case, differs, env_entries, exact, finding_codes, holds, recording, same, verdicts
from lib.cluster import METRICS_ENABLED


@recording(pace="on-delete")
def by_hand(c):
    """kubectl set env and rollout status; then catflap does the same from the same start."""
    kept = SimpleNamespace(before=c.template())
    # A typing error that everybody makes: Felix does not know this name, and says nothing.
    c.set_env("FELIX_PROMETHEUS_METRICS_ENABLED=false")
    kept.mistyped = c.template()
    kept.plan_when_mistyped = c.catflap("plan", "--include-pending", "-o", "json")
    c.replace_pod("n1")
    c.pods_ready()
    kept.diagnosis_when_mistyped = c.catflap("diagnose", "-o", "json")
    c.set_env("FELIX_PROMETHEUS_METRICS_ENABLED-")
    c.pace("together")
    c.set_env(f"{METRICS_ENABLED}=false")
    kept.wait = c.catflap("wait", "--timeout", "120s", "-o", "json", seconds=130)
    kept.done_when_wait_ended = c.get("daemonset", "calico-node")
    kept.diagnosis_right_after = c.catflap("diagnose", "--from", "direct,exec", "-o", "json")
    c.rolled_out()
    kept.by_hand = c.template()
    kept.verify = c.catflap("verify", "--settle", "3s", "-o", "json")
    kept.by_hand_undo = c.catflap("undo", "--yes", "-o", "json")
    # The same start, and catflap's own way; the rollout need not be waited for to compare.
    c.pace("on-delete")
    c.set_env(f"{METRICS_ENABLED}=true")
    kept.same_start = c.template()
    kept.close = c.catflap("close", "--yes", "--include-pending", "--timeout", "1s", "-o", "json")
    kept.by_catflap = c.template()
    return kept


@case(of=by_hand, twin="a-mistyped-name-changes-nothing")
def leaves_the_same_entry(kept):
    """kubectl set env and catflap close leave the same template."""
    same("start", exact(kept.same_start), exact(kept.before))
    same("entries by hand", env_entries(kept.by_hand, METRICS_ENABLED),
         [{"name": METRICS_ENABLED, "value": "false"}])
    same("template", exact(kept.by_catflap), exact(kept.by_hand))


@case(of=by_hand, twin="leaves-the-same-entry")
def a_mistyped_name_changes_nothing(kept):
    """A variable that Felix does not know is not taken for the one that counts."""
    differs("template", exact(kept.mistyped), exact(kept.before))
    same("exit code of plan", kept.plan_when_mistyped.code, 1)
    same("steps", [s["target"]["field"] for s in kept.plan_when_mistyped.json["steps"]], ["env"])
    same("verdict where a pod has it", verdicts(kept.diagnosis_when_mistyped.json)["n1"], "exposed")
    holds("CF0021" in finding_codes(kept.diagnosis_when_mistyped.json),
          f"no word of the misspelt name in {finding_codes(kept.diagnosis_when_mistyped.json)}")


@case(of=by_hand, twin="undo-of-a-strangers-change-is-refused")
def verify_proves_what_others_did(kept):
    """verify judges the port, not catflap's journal: what was closed by hand is closed."""
    same("verdicts", verdicts(kept.verify.json), all_are("closed"))
    same("exit code", kept.verify.code, 0)


@case(of=by_hand, twin="verify-proves-what-others-did")
def undo_of_a_strangers_change_is_refused(kept):
    """undo takes back what catflap did; here it did nothing, and says so."""
    same("exit code", kept.by_hand_undo.code, 3)
    same("result", kept.by_hand_undo.json["result"], "nothing-to-undo")


@case(of=by_hand, twin="wait.a-stuck-rollout-ends-with-its-reason")
def wait_ends_when_it_is_done(kept):
    """wait, started right after the change, does not believe the old status, and ends with done."""
    same("exit code", kept.wait.code, 0)
    same("result", kept.wait.json["result"], "done")
    status = kept.done_when_wait_ended["status"]
    same("updated and available when it ended",
         (status["updatedNumberScheduled"], status["numberAvailable"]), (3, 3))
    holds("exposed" not in verdicts(kept.diagnosis_right_after.json).values(),
          "a node was still exposed when wait said done")
