"""Which backup a training goes on from, where files have suffered since."""

import keras
import numpy as np
import pytest

from keras_dlnotes.callbacks import BackupAndRestore

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


def model():
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    made.compile(keras.optimizers.Adam(0.1), "mse")
    return made


def trained(epochs, folder=None, **options):
    """Weights, and the epochs that were run."""
    made = model()
    callbacks = []
    if folder is not None:
        callbacks = [BackupAndRestore(folder, delete_checkpoint=False, **options)]
    history = made.fit(
        X, X[:, :1], batch_size=4, epochs=epochs, verbose=0, shuffle=False, callbacks=callbacks
    )
    return np.concatenate([weight.ravel() for weight in made.get_weights()]), history.epoch


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def changed(path):
    data = bytearray(path.read_bytes())
    data[200] ^= 255
    path.write_bytes(data)


def emptied(path):
    path.write_bytes(b"")


def overwritten(path):
    path.write_bytes(b"0" * 100)


@pytest.mark.parametrize("damage", [cut, changed, emptied, overwritten])
def test_a_damaged_backup_gives_way_to_the_one_before(tmp_path, damage):
    trained(3, tmp_path, double_checkpoint=True)
    last = BackupAndRestore(tmp_path).backups()[0][2]
    damage(last)
    with pytest.warns(UserWarning, match="epoch-3-0.npz' cannot be read"):
        weights, epochs = trained(5, tmp_path, double_checkpoint=True)
    assert epochs == [2, 3, 4]
    np.testing.assert_array_equal(weights, trained(5)[0])


def test_without_another_one_it_says_so(tmp_path):
    trained(2, tmp_path)
    (path,) = [path for _, _, path in BackupAndRestore(tmp_path).backups()]
    cut(path)
    with (
        pytest.warns(UserWarning, match="cannot be read"),
        pytest.raises(ValueError, match="Delete that directory to begin anew"),
    ):
        trained(3, tmp_path)


def test_the_backup_of_another_model_is_refused(tmp_path):
    trained(2, tmp_path)
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    other.compile("sgd", "mse")
    with pytest.raises(ValueError, match="another model or optimizer"):
        other.fit(X, X[:, :1], verbose=0, callbacks=[BackupAndRestore(tmp_path)])
