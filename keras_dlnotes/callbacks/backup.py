"""A backup of a training that is whole at every moment."""

import contextlib
import os
import pathlib
import re
import shutil
import warnings

import keras
import numpy as np

#: The epoch, and the batch in it, that a backup was made at, stand in the name.
NAME = re.compile(r"epoch-(\d+)-(\d+)\.npz")


class BackupAndRestore(keras.callbacks.BackupAndRestore):
    """Takes a killed training up where it was, whenever it was killed.

    When to use it: in place of `keras.callbacks.BackupAndRestore`, whose weights and epoch are two
    files written one after the other over the old ones. A process that is killed meanwhile leaves
    half a file, which does not load, or new weights beside an old epoch, which are then trained
    once too often; and on a full disk its HDF5 takes the whole process down. Here a backup is one
    file that bears its epoch in its name, and takes the place of the one before when it is whole
    and on the disk. It holds all that a training changes: weights, the optimizer's slots, and the
    states of random generators, so that dropout goes on where it was.

    Under `tf.distribute.MultiWorkerMirroredStrategy` the first worker writes, and all read:
    `backup_dir` must lie where each can see it.

    Args:
        backup_dir: Directory for the backup, for one training only.
        save_freq: `"epoch"`, or every how many batches. As in Keras a training that is taken up
            begins the epoch again. Defaults to `"epoch"`.
        double_checkpoint: Bool. Whether the backup before the last one is kept too, and taken if
            the last one's file cannot be read any more. Defaults to False.
        delete_checkpoint: Bool. Whether the backup goes when the training has ended by itself.
            Defaults to True.

    Example:
        >>> import tempfile
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x, folder = np.ones((4, 2)), tempfile.mkdtemp()
        >>> def backup():
        ...     return BackupAndRestore(folder, delete_checkpoint=False)
        >>> history = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[backup()])
        >>> history = model.fit(x, x[:, :1], epochs=5, verbose=0, callbacks=[backup()])
        >>> history.epoch
        [2, 3, 4]
    """

    def __init__(
        self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True
    ):
        super().__init__(
            os.fspath(backup_dir) if backup_dir else backup_dir,
            save_freq,
            double_checkpoint,
            delete_checkpoint,
        )

    def backups(self):
        """Whole backups as (epoch, batch, path), the last one first."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for path in pathlib.Path(self.backup_dir).iterdir():
                if match := NAME.fullmatch(path.name):
                    found.append((int(match[1]), int(match[2]), path))
        return sorted(found, reverse=True)

    def on_train_begin(self, logs=None):
        # A callback may serve a second training, whose own epochs it counts.
        self._current_epoch = self._last_batch_seen = self._batches_seen_since_last_saving = 0
        self._load_model()

    def _load_model(self):
        if not self.model.built:
            raise ValueError(
                "Only a model that is built can be restored. Give it an input shape, or call it on "
                "a batch before `fit`."
            )
        epoch, path, arrays = self._last()
        _agree(self.model, epoch, self.backup_dir)
        self.model._initial_epoch = None  # Keras leaves there what an earlier fit restored.
        if arrays is None:
            return
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        _assign(arrays, _variables(self.model), path)
        self.model._initial_epoch = self._current_epoch = epoch

    def _last(self):
        """Epoch, path and arrays of the last backup that can be read; 0 and None without one."""
        backups = self.backups()
        for epoch, _, path in backups:
            try:
                # NumPy leaves open what it cannot read.
                with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
                    return epoch, path, [file[str(number)] for number in range(len(file.files))]
            except Exception as error:  # A damaged file makes NumPy raise whatever.
                warnings.warn(f"The backup {str(path)!r} cannot be read: {error}", stacklevel=2)
        if backups:
            raise ValueError(
                f"No backup in {self.backup_dir!r} can be read. "
                "Delete that directory to begin anew."
            )
        return 0, None, None

    def _save_model(self):
        strategy = _workers(self.model)
        # Reading a variable can be the work of all workers together, so all of them read.
        arrays = {
            str(number): keras.ops.convert_to_numpy(variable)
            for number, variable in enumerate(_variables(self.model))
        }
        if strategy is not None and not strategy.extended.should_checkpoint:
            return
        folder = pathlib.Path(self.backup_dir)
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / "draft"
        try:
            with open(draft, "wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, folder / f"epoch-{self._current_epoch}-{self._last_batch_seen}.npz")
        finally:
            draft.unlink(missing_ok=True)
        for _, _, path in self.backups()[1 + self.double_checkpoint :]:
            path.unlink(missing_ok=True)

    def on_train_end(self, logs=None):
        strategy = _workers(self.model)
        if strategy is not None and not strategy.extended.should_checkpoint:
            return
        if self.delete_checkpoint:
            shutil.rmtree(self.backup_dir, ignore_errors=True)


def _variables(model):
    """All that a training changes, except for metrics, which begin anew with each epoch."""
    metrics = {id(variable) for variable in model.metrics_variables}
    found = [variable for variable in model.variables if id(variable) not in metrics]
    return found + ([] if model.optimizer is None else list(model.optimizer.variables))


def _assign(arrays, variables, path):
    if [array.shape for array in arrays] != [tuple(variable.shape) for variable in variables]:
        raise ValueError(f"The backup {str(path)!r} is that of another model or optimizer")
    for array, variable in zip(arrays, variables, strict=True):
        if array.dtype.kind == "V":  # bfloat16, of which NumPy's files know only the size
            array = array.view(keras.ops.convert_to_numpy(variable).dtype)
        variable.assign(array)


def _workers(model):
    """The strategy of a model that trains on several workers, or None."""
    if keras.backend.backend() != "tensorflow":
        return None
    strategy = model.distribute_strategy
    return strategy if strategy.extended._in_multi_worker_mode() else None


def _agree(model, epoch, folder):
    """Refuses workers that found different backups: they would wait for each other for ever."""
    strategy = _workers(model)
    if strategy is None:
        return
    import tensorflow as tf

    value = tf.constant([epoch, epoch**2], tf.float64)
    values = strategy.run(lambda: tf.identity(value))
    mean, square = strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None).numpy()
    if abs(square - mean**2) > 1e-6:
        raise ValueError(
            f"The workers found backups of different epochs, this one of epoch {epoch} in "
            f"{folder!r}. All of them must see the same directory."
        )
