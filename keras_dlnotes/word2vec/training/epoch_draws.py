"""Which epoch of the text an epoch of training reads."""

import warnings

import keras


class EpochDraws(keras.callbacks.Callback):
    """Ties the draws of an epoch (its order, what is thinned out) to the epoch's number.

    So a training that a backup takes up reads what it would have read, while one that is called
    again from epoch 0 goes on to draws it has not seen.
    """

    def __init__(self, batches, initial_epoch):
        super().__init__()
        self.batches = batches
        self.ahead = max(batches.next_epoch - initial_epoch, 0)

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.next_epoch = epoch + self.ahead

    def on_epoch_end(self, epoch, logs=None):
        warn_of_nothing(f"Epoch {epoch + 1}", (logs or {}).get("loss"), self.batches)


def warn_of_nothing(what, loss, batches):
    """Tells why there was nothing to learn from: a loss of exactly 0 is the mean of no pairs."""
    if loss == 0:
        warnings.warn(f"{what} had no pair of words. {batches.left()}", stacklevel=3)
