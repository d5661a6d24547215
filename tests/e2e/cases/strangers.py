"""Other programs on port 9091: before Felix, instead of Felix, and silent ones."""

from types import SimpleNamespace

from lib.case import case, node_of, recording, same, verdicts
from lib.cluster import HTTP_STRANGER, SILENT_STRANGER


@recording(env="absent")
def taken(c):
    speaking = c.stranger("n1", HTTP_STRANGER)
    silent = c.stranger("n2", SILENT_STRANGER)
    kept = SimpleNamespace()
    kept.off, kept.off_outside, kept.accepting = c.catflaps(
        ("diagnose", "--from", "direct,exec", "-o", "json"),
        ("diagnose", "--from", "direct", "-o", "json"),
        ("verify", "--settle", "3s", "--accept", "not-felix", "-o", "json"))
    c.patch_felix_configuration({"spec": {"prometheusMetricsEnabled": True}})
    c.eventually("n3 answers", lambda: c.answers("10.91.0.13"))
    kept.on = c.catflap("diagnose", "--from", "direct,exec", "-o", "json")
    speaking.end()
    silent.end()
    c.eventually("Felix takes the ports", lambda: c.answers("10.91.0.11") and c.answers("10.91.0.12"))
    kept.free = c.catflap("diagnose", "--from", "direct,exec", "-o", "json")
    return kept


@case(of=taken, twin="a-silent-stranger-is-not-closed")
def an_identified_stranger_is_not_felix(kept):
    """Felix is off and another program answers: not-felix, accepted only if asked for."""
    same("verdict", verdicts(kept.off.json)["n1"], "not-felix")
    same("exit code", kept.off.code, 1)
    same("accepted by verify", node_of(kept.accepting.json, "n1")["accepted"], True)


@case(of=taken, twin="an-identified-stranger-is-not-felix")
def a_silent_stranger_is_not_closed(kept):
    """Something accepts connections and says nothing: nobody knows that it is not Felix."""
    for output in (kept.off, kept.off_outside, kept.accepting):
        same("verdict", verdicts(output.json)["n2"], "unknown")
    same("exit code although not-felix is accepted", kept.accepting.code, 3)


@case(of=taken, twin="a-free-port-is-taken-by-felix")
def a_taken_port_is_armed(kept):
    """Felix is switched on and waits for the port: armed, not not-felix, and not closed."""
    same("verdict of n1", verdicts(kept.on.json)["n1"], "armed")
    same("verdict of n2, where the other program is silent", verdicts(kept.on.json)["n2"], "armed")
    same("verdict of n3", verdicts(kept.on.json)["n3"], "exposed")


@case(of=taken, twin="a-taken-port-is-armed")
def a_free_port_is_taken_by_felix(kept):
    """Once the other program ends Felix opens by itself: why armed is not closed."""
    same("verdicts", set(verdicts(kept.free.json).values()), {"exposed"})
