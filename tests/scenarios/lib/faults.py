"""What a `disturb` does to requests: which request it is for, how often it was met."""

import dataclasses

from lib.schema import Action, action_of

EVERY = 10**9
OF_VERB = {"gone": "watch", "expired": "list"}  # the requests that a disturbance is for, unless it says so itself


@dataclasses.dataclass
class Fault:
    action: Action
    shown: str
    when: str = "before"
    verb: str = ""  # an HTTP method, or list, watch, create, update; empty: any
    resource: str = ""  # daemonsets, pods/exec; empty: any
    nth: int = 1
    times: int = 1
    seen: int = 0
    met: int = 0  # with `list: 410`: how often a continue token was refused

    def meets(self, record):
        """Counts the request; is it one of those this is for? A dry run is not: nothing is committed by it."""
        if record.is_dry_run():
            return False
        if self.verb and self.verb.upper() not in (record.method, record.verb.upper()):
            return False
        if self.resource and self.resource != record.resource:
            return False
        self.seen += 1
        if not self.nth <= self.seen < self.nth + self.times:
            return False
        self.met += self.action.kind != "expired"
        return True


def fault_of(disturb):
    """The Fault that waits for a request, or None if the disturbance is done now."""
    action = action_of(disturb["do"])
    shown, times = str(disturb["do"]), disturb.get("times", 1)
    if "at" in disturb:
        at = disturb["at"]
        verb = at.get("verb", OF_VERB.get(action.kind, ""))
        return Fault(action, shown, at.get("when", "before"), verb, at.get("resource", ""), at.get("nth", 1), times)
    if action.kind in ("429", "slow"):
        return Fault(action, shown, times=EVERY if action.kind == "slow" else times)
    if action.kind == "reset":
        return Fault(action, shown, when="after-commit")
    if action.kind in OF_VERB:
        return Fault(action, shown, verb=OF_VERB[action.kind])
    return None
