"""A search over real processes on loopback: a chief and two workers, one of them killed."""

import json
import os
import signal
import time

import fire_programs
import forked
import pytest

pytestmark = pytest.mark.tensorflow

SCRIPT = """
import sys
import numpy as np
from keras_dlnotes.tuning import MLPHyperModel, tune
x = np.random.default_rng(0).normal(size=(600, 4)).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype(int)
space = MLPHyperModel(hidden_layers=1, units=(4, 64), batch_sizes=8, epochs=3, seed=0)
result = tune(space, x, y, directory=sys.argv[1], max_trials=4, monitor=False, verbose=0)
if result is not None:
    import json
    with open("result", "w") as file:
        json.dump([[r["trial"], r["status"], r["score"]] for r in result.trials], file)
"""


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def test_a_killed_worker_is_started_again_and_no_trial_is_lost(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    (port,) = forked.free_ports(1)

    def start(*role):
        arguments = (*role, "--port", str(port), str(script), str(tmp_path / "tuning"))
        return forked.start(
            fire_programs.module,
            "keras_dlnotes.tuning",
            str(tmp_path),
            *arguments,
            printed="-".join(role),
        )

    chief, one, two = start("chief"), start("worker", "1"), start("worker", "2")
    project = tmp_path / "tuning" / "search"
    wait_for(lambda: len(list(project.glob("trial_*"))) >= 2)
    os.kill(one.pid, signal.SIGKILL)
    one.join()
    one = start("worker", "1")
    codes = forked.finished([chief, one, two])
    printed = [(tmp_path / name).read_text()[-2000:] for name in ("chief", "worker-1", "worker-2")]
    assert codes == [0, 0, 0], "\n".join(printed)
    trials = json.loads((tmp_path / "result").read_text())
    assert sorted(trial[0] for trial in trials) == list("0123")
    assert {trial[1] for trial in trials} == {"completed"}
    assert all(trial[2] > 0.3 for trial in trials)
