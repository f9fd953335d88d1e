"""A disk that is full: errors that say so, files that stay, trainings that go on."""

import contextlib
import csv
import resource
import warnings

import keras
import numpy as np
import pytest

from keras_dlnotes.callbacks import ActivationMonitor, BackupAndRestore, GradientMonitor
from keras_dlnotes.word2vec import Corpus, WordVectors


@contextlib.contextmanager
def no_file_above(size):
    """As on a full disk, writing fails; Python turns the signal into an OSError."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def vectors(seed):
    table = np.random.default_rng(seed).normal(size=(400, 30)).astype("float32")
    return WordVectors([f"w{i}" for i in range(400)], table, np.arange(400))


@pytest.mark.parametrize(
    "write",
    [
        lambda made, path: made.save(path),
        lambda made, path: made.save_word2vec_format(path),
        lambda made, path: made.save_word2vec_format(path, binary=True),
    ],
    ids=["npz", "text", "binary"],
)
def test_saving_vectors(write, tmp_path):
    path = tmp_path / "vectors"
    write(vectors(0), path)
    old = path.read_bytes()
    with no_file_above(10_000), pytest.raises(OSError, match="too large"):
        write(vectors(1), path)
    assert path.read_bytes() == old
    assert [each.name for each in tmp_path.iterdir()] == ["vectors"]


def test_saving_a_vocabulary_and_encoding_a_text(tmp_path):
    text = tmp_path / "text"
    text.write_text(" ".join(f"word{i}" for i in range(5000)) + "\n")
    corpus = Corpus.from_file(text, min_count=1, verbose=0)
    corpus.vocabulary.save(tmp_path / "vocabulary")
    old = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for work in (
        lambda: corpus.vocabulary.save(tmp_path / "vocabulary"),
        lambda: corpus.save(next(tmp_path.glob("*.corpus"))),
        lambda: Corpus.from_file(text, min_count=1, sample=None, max_size=4999, verbose=0),
    ):
        with no_file_above(10_000), pytest.raises(OSError, match="too large"):
            work()
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == old


def net():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(20, "relu"), keras.layers.Dense(2)]
    )
    model.compile("sgd", "mse")
    return model


X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("kind", ["gradients", "activations"])
def test_a_log_that_cannot_be_written_ends_no_training(kind, tmp_path):
    if kind == "gradients":
        monitor = GradientMonitor(
            tmp_path / "logs", every=1, csv=tmp_path / "log.csv", on_problem=None
        )
    else:
        monitor = ActivationMonitor(
            tmp_path / "logs", sample=X[:4], csv=tmp_path / "log.csv", on_problem=None
        )
    model = net()
    with no_file_above(1500), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(X, X[:, :2], epochs=6, verbose=0, callbacks=[monitor])
    assert len(history.epoch) == 6
    texts = [str(w.message) for w in caught]
    failed = [text for text in texts if "failed, and the training goes on" in text]
    places = {message.split("'")[1] for message in failed}
    assert len(failed) == len(places) == 2
    assert not list(tmp_path.glob("*.new"))
    assert len(monitor.history["epoch"]) == 6
    with warnings.catch_warnings(record=True) as caught:  # It is tried anew in the next fit.
        warnings.simplefilter("always")
        model.fit(X, X[:, :2], epochs=1, verbose=0, callbacks=[monitor])
    assert not [w for w in caught if "failed, and the training" in str(w.message)]
    with open(tmp_path / "log.csv", newline="") as text:
        epochs = [row["epoch"] for row in csv.DictReader(text)]
    names = len(epochs) // 7
    assert epochs == [str(epoch) for epoch in [*range(6), 0] for _ in range(names)]


def test_a_csv_keeps_the_lines_it_has(tmp_path):
    path = tmp_path / "log.csv"
    monitor, model = GradientMonitor(csv=path, on_problem=None), net()
    model.fit(X, X[:, :2], epochs=1, verbose=0, callbacks=[monitor])
    old = path.read_bytes()
    with no_file_above(len(old) + 10), pytest.warns(RuntimeWarning, match=r"log\.csv"):
        model.fit(X, X[:, :2], epochs=1, verbose=0, callbacks=[monitor])
    assert path.read_bytes() == old


# Older versions of NumPy leave an archive that they could not write to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_backup_that_does_not_fit_leaves_the_one_before(tmp_path):
    def fit(epochs):
        model = net()
        backup = BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        return model.fit(X, X[:, :2], epochs=epochs, verbose=0, callbacks=[backup]).epoch

    fit(2)
    with no_file_above(500), pytest.raises(OSError, match="too large"):
        fit(3)
    assert fit(4) == [2, 3]


def test_double_checkpoint_keeps_the_one_before(tmp_path):
    backup = BackupAndRestore(tmp_path, save_freq=2, double_checkpoint=True)
    net().fit(X, X[:, :2], batch_size=4, epochs=1, verbose=0, callbacks=[Names(backup), backup])
    assert Names.seen == ["epoch-0-3.npz", "epoch-0-5.npz"]
    with pytest.raises(ValueError, match="Empty `backup_dir`"):
        BackupAndRestore("")
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    unbuilt.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Only a model that is built"):
        unbuilt.fit(X, X[:, :1], verbose=0, callbacks=[BackupAndRestore(tmp_path / "other")])


class Names(keras.callbacks.Callback):
    """What the directory held at the last batch but one."""

    seen = None

    def __init__(self, backup):
        super().__init__()
        self.backup = backup

    def on_train_batch_end(self, batch, logs=None):
        if batch == 6:
            Names.seen = sorted(path.name for _, _, path in self.backup.backups())
