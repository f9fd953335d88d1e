"""A callback whose progress outlives the process, next to ``BackupAndRestore``."""

import json
import os
import pathlib

import keras


class Resumable(keras.callbacks.Callback):
    """Keeps a little state in a file from epoch to epoch and takes it up after a crash.

    ``keras.callbacks.BackupAndRestore`` brings back the weights and the epoch; a callback's own
    counts would start from zero. A subclass gives ``get_state`` and ``set_state`` (plain numbers
    and lists) and ``reset``. The state is taken up only by a training that begins at the very epoch
    it was left at; otherwise a new training has begun, and it is let go. When the training ends
    by itself the file is removed.
    """

    def __init__(self, state_path):
        super().__init__()
        self.state_path = None if state_path is None else os.fspath(state_path)
        self._left = None

    def get_state(self):
        raise NotImplementedError

    def set_state(self, state):
        raise NotImplementedError

    def reset(self):
        raise NotImplementedError

    def on_train_begin(self, logs=None):
        self.reset()
        self._left = None
        if self.state_path is not None and os.path.exists(self.state_path):
            try:
                saved = json.loads(pathlib.Path(self.state_path).read_text())
                self._left = saved["epoch"], saved["state"]
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"The file {self.state_path!r} holds no state of a callback. Remove it, or "
                    "choose another `state_path`."
                ) from error

    def on_epoch_begin(self, epoch, logs=None):
        left, self._left = self._left, None
        if left is not None and left[0] == epoch and epoch > 0:
            self.set_state(left[1])

    def leave(self, epoch):
        """Writes the state of a training that would go on at ``epoch``."""
        if self.state_path is None:
            return
        path = pathlib.Path(self.state_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # A crash while writing must not cost the file that is there.
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(json.dumps({"epoch": epoch, "state": self.get_state()}))
        os.replace(fresh, path)

    def on_train_end(self, logs=None):
        if self.state_path is not None:
            pathlib.Path(self.state_path).unlink(missing_ok=True)
