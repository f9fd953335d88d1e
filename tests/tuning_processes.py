"""Starting searches as real processes, and reading what they print."""

import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parent.parent


def start(command, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        [sys.executable, *command, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def result_of(process):
    """What the script printed after RESULT."""
    output, _ = process.communicate(timeout=240)
    lines = [line for line in output.splitlines() if line.startswith("RESULT")]
    assert lines, output[-3000:]
    return json.loads(lines[0].removeprefix("RESULT"))


def wait_for(condition, seconds=120):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, "waited too long"
        time.sleep(0.05)
