"""The process that plays one scenario, inside whatever namespace its backend was given, and writes down how it ended."""

import json
import os
import pathlib
import signal
import sys
import traceback

from lib import backend as backends
from lib import scenario
from lib.api import ApiError
from lib.backend import Failure
from lib.play import Differs, Play

HOLDS, DIFFERS, BROKEN = "holds", "differs", "broken"


def main(path, backend_name, folder, certificates, then):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    folder = pathlib.Path(folder)
    here = backends.backend_class(backend_name)(folder)
    play = Play(scenario.load(pathlib.Path(path)), here, folder, pathlib.Path(certificates))
    state, text = HOLDS, ""
    try:
        state, text = ended(play.whole)
        if state != HOLDS:
            logs = here.logs()
            text += f"\n  the cluster's log:\n{logs}" if logs else ""
            if then == "wait":
                wait(folder, text)
    except KeyboardInterrupt:
        state, text = BROKEN, "interrupted"
    stop_state, stop_text = ended(play.stop)
    if state == HOLDS or stop_state == BROKEN:
        state, text = stop_state, "\n".join(filter(None, (text, stop_text)))
    (folder / "result.json").write_text(json.dumps({"state": state, "text": text}))
    return 0 if state == HOLDS else 1


def ended(story):
    try:
        story()
        return HOLDS, ""
    except Differs as differs:
        return DIFFERS, str(differs)
    except (Failure, ApiError) as failure:
        return BROKEN, str(failure)
    except Exception:  # pylint: disable=broad-except
        return BROKEN, traceback.format_exc()


def wait(folder, text):
    print(f"{text}\nThe cluster is kept until Ctrl-C. In another terminal, as the user or (--context admin) as the admin:\n"
          f"  nsenter --net=/proc/{os.getpid()}/ns/net env KUBECONFIG={folder}/kubeconfig kubectl get nodes", file=sys.stderr)
    try:
        signal.pause()
    except KeyboardInterrupt:
        pass


def interrupted(_signal, _frame):
    raise KeyboardInterrupt
