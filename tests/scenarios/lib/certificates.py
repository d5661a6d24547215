"""A certificate authority of the run's own, and the proxy's certificate, by openssl."""

import subprocess

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


def make(folder):
    """Writes authority.pem, proxy.pem and proxy.key there."""
    openssl("-subj", "/CN=catflap scenarios", "-addext", "keyUsage=critical,keyCertSign", "-keyout", folder / "authority.key",
            "-out", folder / "authority.pem")
    openssl("-CA", folder / "authority.pem", "-CAkey", folder / "authority.key", "-subj", "/CN=scenario proxy", "-addext",
            "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "proxy.key",
            "-out", folder / "proxy.pem")


def openssl(*arguments):
    subprocess.run(["openssl", "req", "-x509", *CURVE, *map(str, arguments)], check=True, capture_output=True, timeout=30)
