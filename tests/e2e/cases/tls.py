"""Felix behind TLS: the article's case again, and what client certificates change."""

from types import SimpleNamespace

from lib.case import (all_are, case, differs, exact, holds, node_of, reason_codes, recording, same,
                      verdicts)
from lib.cluster import ADDRESSES
from lib.felix import Starts

CLIENT_AUTH = "FELIX_PROMETHEUSMETRICSCLIENTAUTH"
CA_FILE = "FELIX_PROMETHEUSMETRICSCAFILE"


@recording(mode="tls")
def article(c):
    closer = c.user_with("closer")
    kept = SimpleNamespace(before=c.template())
    kept.diagnosis = c.catflap("diagnose", "-o", "json", user=closer)
    kept.retold = c.catflap("diagnose", "--from", "apiserver,portforward", "-o", "json")
    with Starts() as starts:
        kept.close = c.catflap("close", "--yes", "--settle", "3s", "-o", "json", user=closer)
    kept.starts = starts.per_node()
    kept.answering = answering(c)
    kept.closed = c.template()
    kept.verify = c.catflap("verify", "--settle", "3s", "-o", "json", user=c.user_with("verifier"))
    kept.retold_when_closed = c.catflap("diagnose", "--from", "apiserver,portforward", "-o", "json")
    kept.undo = c.catflap("undo", "--yes", "-o", "json", user=closer)
    kept.undone, kept.answering_when_undone = c.template(), answering(c)
    kept.diagnosis_when_undone = c.catflap("diagnose", "-o", "json", user=closer)
    return kept


def answering(c):
    return [a for addresses in ADDRESSES.values() for a in addresses if c.answers(a)]


@case(of=article, twin="tls-is-closed")
def tls_alone_is_exposed(kept):
    """Metrics over TLS without a client certificate are as readable as without TLS."""
    same("verdicts", verdicts(kept.diagnosis.json), all_are("exposed"))
    for name in ADDRESSES:
        rows = [r for r in node_of(kept.diagnosis.json, name)["reachable"] if r["outcome"] == "open"]
        holds(rows and all(r["tls"] and r["clientCert"] == "none" for r in rows),
              f"{name} was not read over TLS: {rows}")
    same("verdicts after undo", verdicts(kept.diagnosis_when_undone.json), all_are("exposed"))


def rows_of(document, node, vantage):
    return [row for row in node_of(document, node)["reachable"] if row["vantage"] == vantage]


@case(of=article, twin="tls-is-not-read-where-it-is-closed")
def tls_is_read_through_the_api_server_and_a_forwarded_port(kept):
    """Both find that plain text is not wanted, and read the metrics over TLS."""
    for name in ADDRESSES:
        for vantage in ("apiserver", "portforward"):
            read = [(row["tls"] is not None, row["outcome"], row["identity"]) for row in rows_of(kept.retold.json, name, vantage)]
            same(f"{name} by {vantage}", read, [(True, "open", "felix")])
    same("verdicts", verdicts(kept.retold.json), all_are("exposed"))


@case(of=article, twin="tls-is-read-through-the-api-server-and-a-forwarded-port")
def tls_is_not_read_where_it_is_closed(kept):
    """The same look after close: both are refused, and that alone closes nothing."""
    for name in ADDRESSES:
        for vantage in ("apiserver", "portforward"):
            outcomes = {row["outcome"] for row in rows_of(kept.retold_when_closed.json, name, vantage)}
            same(f"{name} by {vantage}", outcomes, {"refused"})
    same("verdicts", verdicts(kept.retold_when_closed.json), all_are("unknown"))


@case(of=article, twin="tls-alone-is-exposed")
def tls_is_closed(kept):
    """close works as on plain HTTP, with one start of Felix per node."""
    same("exit code", kept.close.code, 0)
    same("verdicts", verdicts(kept.close.json), all_are("closed"))
    same("addresses that still answer curl", kept.answering, [])
    same("starts of Felix", kept.starts, {"n1": 1, "n2": 1, "n3": 1})


@case(of=article, twin="tls-alone-is-exposed")
def tls_verify_proves_it(kept):
    """verify, by another user, comes to the same verdict."""
    same("exit code", kept.verify.code, 0)
    same("verdicts", verdicts(kept.verify.json), all_are("closed"))


@case(of=article, twin="tls-is-closed")
def tls_undo_restores_the_template(kept):
    """The template after undo is the snapshot from before, byte for byte; every address answers again."""
    same("exit code", kept.undo.code, 0)
    same("addresses that answer curl", kept.answering_when_undone,
         [a for addresses in ADDRESSES.values() for a in addresses])
    differs("template", exact(kept.closed), exact(kept.before))
    same("template", exact(kept.undone), exact(kept.before))


@recording(mode="tls", pace="on-delete")
def modes(c):
    """One way of asking for client certificates per node; OnDelete lets each pod keep its own."""
    for node, setting in (("n1", f"{CLIENT_AUTH}=RequireAndVerifyClientCert"),
                          ("n2", f"{CLIENT_AUTH}=RequireAnyClientCert"), ("n3", f"{CA_FILE}-")):
        c.set_env(setting)
        c.replace_pod(node)
    c.pods_ready()
    c.eventually("n2 asks for a certificate", lambda: not c.answers("10.91.0.12"))
    outside, diagnosis, accepting = c.catflaps(
        ("diagnose", "--from", "direct", "-o", "json"),
        ("diagnose", "--from", "direct,exec", "-o", "json"),
        ("diagnose", "--from", "direct,exec", "--accept", "protected", "-o", "json"))
    return SimpleNamespace(outside=outside, diagnosis=diagnosis, accepting=accepting)


@case(of=modes, twin="any-certificate-is-exposed")
def a_verified_certificate_is_protected(kept):
    """RequireAndVerifyClientCert: neither no certificate nor a throw-away one gets in."""
    node = node_of(kept.diagnosis.json, "n1")
    same("verdict and by", (node["verdict"], node["by"]), ("protected", "client-cert"))
    same("accepted without --accept", node["accepted"], False)
    same("accepted with it", node_of(kept.accepting.json, "n1")["accepted"], True)
    same("exit code with two worse nodes", kept.accepting.code, 1)


@case(of=modes, twin="a-verified-certificate-is-protected")
def any_certificate_is_exposed(kept):
    """RequireAnyClientCert lets a certificate in that anybody can make, so it protects nothing."""
    same("verdict", verdicts(kept.diagnosis.json)["n2"], "exposed")
    holds("throwaway-read" in reason_codes(kept.diagnosis.json, "n2"),
          f"the reason is {reason_codes(kept.diagnosis.json, 'n2')}")


@case(of=modes, twin="a-verified-certificate-is-protected")
def protected_needs_an_inside_look(kept):
    """From outside alone nobody knows whether Felix listens elsewhere too: unknown."""
    same("verdict", verdicts(kept.outside.json)["n1"], "unknown")


@case(of=modes, twin="any-certificate-is-exposed")
def a_missing_ca_is_armed(kept):
    """Without its CA file Felix is switched on and does not listen: refused, and not closed."""
    holds(not any(r["outcome"] == "open" for r in node_of(kept.diagnosis.json, "n3")["reachable"]),
          "n3 was meant to refuse")
    same("verdict", verdicts(kept.diagnosis.json)["n3"], "armed")
    same("reason", reason_codes(kept.diagnosis.json, "n3"), ["armed-ca-missing"])
