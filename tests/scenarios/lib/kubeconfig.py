"""Kubeconfigs: what the runner needs of one, and the one that catflap gets, which leads through the proxy."""

import base64
import dataclasses
import json
import pathlib
import ssl
import urllib.parse

import yaml


@dataclasses.dataclass(frozen=True)
class Access:
    """How one user reaches one API server."""

    host: str
    port: int
    authority: str  # PEM
    token: str = ""
    certificate: str = ""  # PEM, with its key
    key: str = ""

    def context(self, folder):
        """A TLS context that trusts the server and shows the client certificate, if there is one."""
        context = ssl.create_default_context(cadata=self.authority)
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        if self.certificate:  # ssl takes it from a file only
            path = pathlib.Path(folder) / f"client-{abs(hash(self.certificate))}.pem"
            path.touch(mode=0o600)
            path.write_text(self.certificate + "\n" + self.key)
            context.load_cert_chain(path)
        return context


def read(path, context=None):
    """The Access of a context, the current one by default."""
    document = yaml.safe_load(pathlib.Path(path).read_text())
    chosen = named(document, "contexts", context or document.get("current-context"))["context"]
    cluster = named(document, "clusters", chosen["cluster"])["cluster"]
    user = named(document, "users", chosen["user"])["user"]
    server = urllib.parse.urlsplit(cluster["server"])
    return Access(host=server.hostname, port=server.port or 443, authority=inline(cluster, "certificate-authority"),
                  token=user.get("token", ""), certificate=inline(user, "client-certificate"),
                  key=inline(user, "client-key"))


def named(document, kind, name):
    for one in document[kind]:
        if one["name"] == name:
            return one
    raise ValueError(f"the kubeconfig has no {name} in {kind}")


def inline(holder, key):
    if f"{key}-data" in holder:
        return base64.b64decode(holder[f"{key}-data"]).decode()
    return pathlib.Path(holder[key]).read_text() if key in holder else ""


def write(path, port, authority, tokens):
    """One context for each {name: token}; the first is the current one."""
    data = base64.b64encode(authority.encode()).decode()
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": next(iter(tokens)),
        "clusters": [{"name": "scenario", "cluster": {"server": f"https://127.0.0.1:{port}",
                                                      "certificate-authority-data": data}}],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": [{"name": name, "context": {"cluster": "scenario", "user": name}} for name in tokens]}
    path.touch(mode=0o600)
    path.write_text(json.dumps(document, indent=1))
