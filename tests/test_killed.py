"""Real processes, killed at random moments and started again.

`python -m pytest -m long tests/test_killed.py` kills each of them 20 times.
"""

import itertools
import json
import os
import random
import signal
import time

import fire_search
import fire_workers
import forked
import numpy as np
import pytest

from keras_dlnotes.word2vec import Corpus, WordVectors

pytestmark = pytest.mark.tensorflow

#: What each does, and the file it writes where the part begins in which it is killed.
TRAININGS = {
    "mlp": (fire_workers.train_mlp, "begun"),
    "word2vec": (fire_workers.train_word2vec, "begun"),
    "learning_rate_finder": (fire_workers.train_after_finding_the_rate, "sweeping"),
    "training_with_the_rate_found": (fire_workers.train_after_finding_the_rate, "begun"),
}
#: The kill that nobody can catch, the polite one, and Ctrl-C.
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
RANDOM = random.Random(0)


def wait_for(path, process, seconds=60):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert process.exitcode is None, f"ended by itself: {process.exitcode}"
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def killed(job, folder, epochs, number, after, mark="begun"):
    """Starts a job and ends it `after` seconds from where it really begins."""
    for name in {mark, "begun"}:
        (folder / name).unlink(missing_ok=True)
    process = forked.start(job, str(folder), epochs)
    wait_for(folder / mark, process)
    time.sleep(after)
    assert process.exitcode is None, "was done before it could be killed"
    os.kill(process.pid, number)
    for _ in range(20 if number == signal.SIGINT else 0):
        # Python loses an interrupt that comes in a callback of the garbage collector (JAX, which
        # Keras imports where it is, has one) or of TensorFlow's tracing. A user presses again.
        process.join(0.2)
        if process.exitcode is not None:
            break
        os.kill(process.pid, number)
    (code,) = forked.finished([process])
    assert code == (1 if number == signal.SIGINT else -number)


def survives(job, mark, folder, signals):
    """Each start goes on from the last backup, and the end is that of an undisturbed run."""
    epochs = 8 + 16 * len(signals)
    done = folder / "done"
    for number in signals:
        before = int(done.read_text() or 0) if done.exists() else -1
        killed(job, folder, epochs, number, RANDOM.uniform(0.01, 0.25), mark)
        if mark == "begun":
            first = int((folder / "begun").read_text())
            # What was backed up is never lost. The kill may fall between a backup and its note.
            assert before + 1 <= first <= before + 2
        else:
            assert not (folder / "begun").exists()
            assert not (folder / "backup").exists()
        assert not (folder / "final.npz").exists()
    assert forked.finished([forked.start(job, str(folder), epochs)]) == [0]
    resumed = dict(np.load(folder / "final.npz"))
    assert not (folder / "backup").exists()
    whole = folder / "whole"
    whole.mkdir()
    assert forked.finished([forked.start(job, str(whole), epochs, False)]) == [0]
    expected = dict(np.load(whole / "final.npz"))
    for name, array in expected.items():
        np.testing.assert_array_equal(resumed[name], array)


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("mlp", [signal.SIGKILL, signal.SIGINT]),
        ("word2vec", [signal.SIGTERM, signal.SIGINT]),
        ("learning_rate_finder", [signal.SIGKILL]),
        ("training_with_the_rate_found", [signal.SIGKILL]),
    ],
)
def test_a_killed_training_goes_on(name, signals, tmp_path):
    survives(*TRAININGS[name], tmp_path, signals)


@pytest.mark.long
@pytest.mark.parametrize("name", TRAININGS)
def test_twenty_kills(name, tmp_path):
    survives(*TRAININGS[name], tmp_path, list(itertools.islice(itertools.cycle(SIGNALS), 20)))


def encoding_is_whole_or_absent(folder, signals):
    words = [f"word{i} " for i in range(5000)]
    text = "".join(random.Random(1).choices([*words, "\n"], k=200_000))
    (folder / "text").write_text(text)
    expected = Corpus.from_texts(text.splitlines(), min_count=1)
    for number in signals:
        killed(fire_workers.encode, folder, 0, number, RANDOM.uniform(0.0, 0.4))
        for path in folder.glob("*.corpus"):
            Corpus.load(path)
    again = Corpus.from_file(folder / "text", min_count=1, verbose=0)
    np.testing.assert_array_equal(again.tokens, expected.tokens)
    assert again.vocabulary == expected.vocabulary


def vectors_are_whole(folder, signals):
    for number in signals:
        killed(fire_workers.save_vectors, folder, 0, number, RANDOM.uniform(0.0, 0.3))
        for name in ("vectors.npz", "vectors.bin", "vectors.txt"):
            table = WordVectors.load(folder / name).vectors
            assert table.shape == (2000, 50)
            assert table.min() == table.max() >= 1


def search_goes_on(folder, signals):
    """No trial that has ended is run again, and the end is that of an undisturbed search."""
    trials = 3 + 3 * len(signals)
    for number in signals:
        killed(fire_search.search, folder, trials, number, RANDOM.uniform(0.0, 0.3))
    assert forked.finished([forked.start(fire_search.search, str(folder), trials)]) == [0]
    found = json.loads((folder / "found").read_text())
    assert len((folder / "runs").read_text()) <= trials + len(signals)
    (folder / "whole").mkdir()
    assert found == fire_search.rows(folder / "whole", trials)
    assert len(found) == trials


def test_a_search_that_is_killed(tmp_path):
    search_goes_on(tmp_path, [signal.SIGKILL])


def test_encoding_that_is_killed(tmp_path):
    encoding_is_whole_or_absent(tmp_path, SIGNALS)


def test_saving_that_is_killed(tmp_path):
    vectors_are_whole(tmp_path, SIGNALS)


@pytest.mark.long
@pytest.mark.parametrize("what", [encoding_is_whole_or_absent, vectors_are_whole, search_goes_on])
def test_others_killed_twenty_times(what, tmp_path):
    what(tmp_path, list(itertools.islice(itertools.cycle(SIGNALS), 20)))
