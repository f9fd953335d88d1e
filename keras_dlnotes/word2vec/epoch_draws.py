"""Which epoch of the text an epoch of training reads."""

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
