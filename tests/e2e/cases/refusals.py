"""What catflap declines to do, and that it then has written nothing."""

import json
from types import SimpleNamespace

from lib.case import case, differs, env_entries, exact, finding_codes, holds, recording, same, says
from lib.cluster import METRICS_ENABLED


def writes_during(c, user, *arguments, code):
    since = c.audit_position()
    output = c.catflap(*arguments, user=user)
    same(f"exit code of {arguments[0]}", output.code, code)
    return output, c.writes(user, since)


@case(twin="the-same-by-the-closer-is-checked", pace="on-delete")
def a_reader_cannot_close(c):
    """close by a reader: exit code 4 with the missing right, and the DaemonSet is untouched."""
    before = c.daemonset()
    output, _ = writes_during(c, c.user_with("reader"), "close", "--yes", code=4)
    says(output.err, "configmaps", "kube-system")
    same("DaemonSet", c.daemonset()["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"])
    holds("catflap-journal" not in c.kubectl("get", "configmaps", "-n", "kube-system", "-o", "name"),
          "there is a journal")


@case(twin="a-reader-cannot-close", pace="on-delete")
def the_same_by_the_closer_is_checked(c):
    """The closer's close passes the server's check (--dry-run=server), and nothing is stored."""
    before = c.daemonset()
    output, writes = writes_during(c, c.user_with("closer"), "close", "--dry-run=server", "-o", "json",
                                   code=1)
    same("kind", output.json["kind"], "Plan")
    holds(writes and all("dryRun=All" in write for write in writes), f"{writes}")
    same("DaemonSet", c.daemonset()["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"])


@recording(pace="on-delete")
def pending(c):
    """Somebody else's change of the template waits for the pods to be deleted."""
    closer = c.user_with("closer")
    c.patch_daemonset({"spec": {"template": {"metadata": {"annotations": {"somebody": "else"}}}}})
    kept = SimpleNamespace(before=c.template())
    kept.plan = c.catflap("plan", "-o", "json")
    kept.close, kept.writes = writes_during(c, closer, "close", "--yes", "-o", "json", code=5)
    kept.after_refusal = c.template()
    kept.close_including = c.catflap("close", "--include-pending", "--yes", "--timeout", "1s", "-o",
                                     "json", user=closer)
    kept.after = c.template()
    return kept


@case(of=pending, twin="a-pending-change-can-be-included")
def a_pending_change_is_not_rolled_out(kept):
    """close and plan refuse with 5, say why, and write nothing."""
    same("exit code of plan", kept.plan.code, 5)
    same("plan's result", kept.plan.json["result"], "refused")
    same("writes", kept.writes, [])
    same("template", exact(kept.after_refusal), exact(kept.before))
    holds("CF0028" in finding_codes(kept.plan.json), f"{finding_codes(kept.plan.json)}")
    holds("CF0028" in finding_codes(kept.close.json), f"{finding_codes(kept.close.json)}")


@case(of=pending, twin="a-pending-change-is-not-rolled-out")
def a_pending_change_can_be_included(kept):
    """--include-pending goes on, and ends at its time limit as nobody deletes the pods."""
    differs("template", exact(kept.after), exact(kept.before))
    same("entries", env_entries(kept.after, METRICS_ENABLED),
         [{"name": METRICS_ENABLED, "value": "false"}])
    same("exit code", kept.close_including.code, 1)
    states = {n["state"] for r in kept.close_including.json["change"]["rollouts"] for n in r["nodes"]}
    same("states", states, {"on-delete"})


@recording(pace="on-delete")
def owned(c):
    """Argo CD would write the DaemonSet back; Helm would at its next release only."""
    closer = c.user_with("closer")
    kept = SimpleNamespace()
    c.patch_daemonset({"metadata": {"annotations": {
        "argocd.argoproj.io/tracking-id": "calico:apps/DaemonSet:kube-system/calico-node"}}})
    kept.plan = c.catflap("plan", "-o", "json")
    kept.close, kept.writes = writes_during(c, closer, "close", "--yes", "-o", "json", code=5)
    c.patch_daemonset({"metadata": {
        "annotations": {"argocd.argoproj.io/tracking-id": None,
                        "meta.helm.sh/release-name": "calico",
                        "meta.helm.sh/release-namespace": "kube-system"},
        "labels": {"app.kubernetes.io/managed-by": "Helm"}}})
    kept.plan_with_helm = c.catflap("plan", "-o", "json")
    return kept


@case(of=owned, twin="an-owner-of-releases-is-named")
def an_owner_that_reverts_is_refused(kept):
    """What Argo CD would revert is not written: exit code 5, and where to change it instead."""
    same("exit code of plan", kept.plan.code, 5)
    same("writes", kept.writes, [])
    says(kept.close.err + kept.close.out, "argocd", "Application")


@case(of=owned, twin="an-owner-that-reverts-is-refused")
def an_owner_of_releases_is_named(kept):
    """With Helm the plan goes on, and says when the change would come back."""
    same("exit code", kept.plan_with_helm.code, 1)
    codes = finding_codes(kept.plan_with_helm.json)
    holds("CF0031" in codes, f"no word of Helm in {codes}")


@recording(pace="on-delete")
def planned(c):
    """A plan that was approved, and a cluster that changed since."""
    closer = c.user_with("closer")
    kept = SimpleNamespace()
    plan = c.catflap("plan", "-o", "json", code=1)
    path = f"{c.home.name}/plan.json"
    with open(path, "w", encoding="utf-8") as file:
        file.write(plan.out)
    kept.fresh = c.catflap("close", "--plan", path, "--dry-run=server", "-o", "json", user=closer)
    c.set_env(f"{METRICS_ENABLED}=yes")
    kept.stale, kept.writes = writes_during(c, closer, "close", "--plan", path, "--yes", "-o", "json",
                                            code=5)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"kind": "Diagnosis"}, file)
    kept.other = c.catflap("close", "--plan", path, "--yes", "-o", "json", user=closer)
    return kept


@case(of=planned, twin="an-approved-plan-is-taken")
def an_outdated_plan_is_refused(kept):
    """The cluster changed since the plan was made: exit code 5, nothing written."""
    same("writes", kept.writes, [])
    says(kept.stale.err, "when this plan was made")
    same("exit code for what is no plan", kept.other.code, 2)


@case(of=planned, twin="an-outdated-plan-is-refused")
def an_approved_plan_is_taken(kept):
    """The same plan, before the change."""
    same("exit code", kept.fresh.code, 1)


@case(twin="article.every-node-is-closed", pace="on-delete")
def nobody_to_ask_is_no_yes(c):
    """Without --yes and without a terminal, close and undo write nothing: exit code 2."""
    for command in ("close", "undo"):
        output, writes = writes_during(c, c.user_with("closer"), command, code=2)
        same(f"writes of {command}", writes, [])
        says(output.err, "--yes")
