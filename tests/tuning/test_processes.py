"""A search over real processes on loopback: a chief and two workers, one of them killed."""

import signal
import socket

import pytest
from tuning_processes import result_of, start, wait_for

pytestmark = pytest.mark.tensorflow

SCRIPT = """
import sys
import numpy as np
from keras_dlnotes.tuning import MLPHyperModel, tune
x = np.random.default_rng(0).normal(size=(600, 4)).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype(int)
space = MLPHyperModel(hidden_layers=1, units=(4, 64), batch_sizes=8, epochs=3, seed=0)
result = tune(space, x, y, directory=sys.argv[1], max_trials=6, monitor=False, verbose=0)
if result is not None:
    import json
    print("RESULT", json.dumps([[r["trial"], r["status"], r["score"]] for r in result.trials]))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_killed_worker_is_started_again_and_no_trial_is_lost(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    port = str(free_port())
    module = ("-m", "keras_dlnotes.tuning")

    def process(*role):
        return start(module, *role, "--port", port, script, tmp_path / "tuning")

    chief = process("chief")
    workers = [process("worker", "1"), process("worker", "2")]
    project = tmp_path / "tuning" / "search"
    try:
        wait_for(lambda: len(list(project.glob("trial_*"))) >= 3)
        workers[0].send_signal(signal.SIGKILL)
        workers[0].communicate()
        workers[0] = process("worker", "1")
        trials = result_of(chief)
    finally:
        for each in (chief, *workers):
            each.kill()
            each.communicate()
    assert sorted(trial[0] for trial in trials) == list("012345")
    assert {trial[1] for trial in trials} == {"completed"}
    assert all(trial[2] > 0.3 for trial in trials)
