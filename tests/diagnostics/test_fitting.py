import keras
import numpy as np
import pytest

from keras_dlnotes.diagnostics import Fit, judge_fit

FALL = np.exp(-np.arange(12) / 2)
RISE = np.r_[FALL[:5], 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


@pytest.mark.parametrize(
    ("loss", "val_loss", "baseline", "verdict", "epoch"),
    [
        (FALL, RISE, None, "over-fitting", 5),
        (FALL, np.maximum(FALL, 0.2), 1.5, "good", 5),
        (0.9 + FALL / 20, 0.9 + FALL / 20, 1.0, "under-fitting", 12),
        (FALL[:4], FALL[:4], None, "still improving", 4),
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], None, "not learning", 1),
        ([1.0, np.nan, np.nan], [1.0, np.nan, np.nan], None, "not learning", 2),
    ],
)
def test_verdicts(loss, val_loss, baseline, verdict, epoch):
    fit: Fit = judge_fit(loss, val_loss, baseline)
    assert (fit.verdict, fit.epoch) == (verdict, epoch)
    assert fit.text.startswith(verdict)


def test_over_fitting_names_the_epoch_after_the_minimum():
    assert "from epoch 6" in str(judge_fit(FALL, RISE))


def test_what_fit_returns_holds_both():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((8, 2), "float32")
    history = model.fit(x, x[:, :1], validation_split=0.5, epochs=2, verbose=0)
    curves = history.history
    assert judge_fit(history) == judge_fit(curves) == judge_fit(curves["loss"], curves["val_loss"])
    with pytest.raises(ValueError, match=r"must hold `loss` and `val_loss`.* Received: 'loss'$"):
        judge_fit({"loss": [1.0]})
    with pytest.raises(ValueError, match="needs a training loss and a validation loss"):
        judge_fit([1.0, 2.0])


def test_rejects_curves_of_unequal_length():
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(1,\)"):
        judge_fit([1, 2], [1])
