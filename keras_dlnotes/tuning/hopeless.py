"""Early stopping of trials whose gradients say that nothing will come of them."""

from keras_dlnotes import _checks
from keras_dlnotes.callbacks.gradient_monitor import GradientMonitor

HOPELESS = {"vanishing", "exploding", "nonfinite"}


class HopelessGradients(GradientMonitor):
    """A `GradientMonitor` that ends a trial after some epochs of hopeless gradients in a row.

    The trial keeps the score it has reached; it merely takes no more of the search's time.

    Args:
        log_dir: As for `GradientMonitor`; inside a search it is the trial's own directory.
        patience: Integer. Epochs in a row with vanishing, exploding or non-finite gradients.
            Defaults to 3.
    """

    def __init__(self, log_dir=None, patience=3):
        super().__init__(log_dir, on_problem=None, image=False)
        self.patience = _checks.integer("patience", patience, 1)
        self.streak = 0

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        hopeless = {problem.kind for problem in self.problems} & HOPELESS
        self.streak = self.streak + 1 if hopeless else 0
        if self.streak >= self.patience:
            self.model.stop_training = True
