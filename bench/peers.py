"""Other people's scanners, to be measured beside catflap probe: built from pinned Go modules, kept by what they were built from."""
import hashlib
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w"]
# A caller's settings could change the build without changing its key.
ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}


def cache() -> pathlib.Path:
    """Where the test bed keeps what it has built, too."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("CATFLAP_CACHE") or pathlib.Path(base) / "catflap") / "testbed"


def go_tool(name: str) -> pathlib.Path | None:
    """The program of bench/peers/NAME, the one tool of its go.mod; None where it cannot be built."""
    source = ROOT / "bench/peers" / name
    if shutil.which("go") is None:
        return None
    environment = os.environ | ENVIRONMENT
    version = subprocess.run(["go", "env", "GOVERSION", "GOOS", "GOARCH"], cwd=source, env=environment, capture_output=True, check=True).stdout
    files = (source / "go.mod").read_bytes() + (source / "go.sum").read_bytes()
    key = hashlib.sha256(version + repr((FLAGS, ENVIRONMENT)).encode() + files).hexdigest()[:16]
    folder = cache() / f"bench-{name}-{key}"
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        if subprocess.run(["go", "build", *FLAGS, "-o", f"{partial}/", "tool"], cwd=source, env=environment, check=False).returncode != 0:
            return None
        partial.rename(folder)
    return folder / name


def version_in(name: str) -> str:
    """The pinned version of the program itself: its go.mod requires the module that the tool line names."""
    lines = (ROOT / "bench/peers" / name / "go.mod").read_text().split("\n")
    tool = next(line.split()[1] for line in lines if line.startswith("tool "))
    return next(line.split()[1] for line in lines if line.startswith("\t") and tool.startswith(line.split()[0] + "/"))
