"""Over-fitting and its cures: dropout, L1 and L2 penalties, early stopping.

A large net learns 200 of scikit-learn's handwritten digits by heart; every fifth label is
wrong, so that learning by heart costs something. Each cure is put on alone, the last two together,
and `judge_fit` says what the curves show.

    python examples/07_overfitting.py
"""

import pathlib

import keras
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import keras_dlnotes as dl

PICTURE = pathlib.Path(__file__).with_suffix(".png").name
EPOCHS = 20

x, y = load_digits(return_X_y=True)
generator = np.random.default_rng(0)
order = generator.permutation(len(x))
x, y = (x[order] / 16).astype("float32"), y[order]
x_train, x_val, x_test = x[:200], x[200:600], x[600:]
y_train, y_val, y_test = y[:200].copy(), y[200:600], y[600:]
y_train[::5] = generator.integers(0, 10, 40)


def net(rate=0.0, penalty=None):
    layers = [keras.Input((64,))]
    for _ in range(2):
        layers.append(keras.layers.Dense(256, "relu", kernel_regularizer=penalty))
        if rate:
            layers.append(dl.layers.Dropout(rate))
    return keras.Sequential([*layers, keras.layers.Dense(10)])


stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
runs = {
    "no cure": ({}, []),
    "dropout 0.5": ({"rate": 0.5}, []),
    "L2 0.005": ({"penalty": dl.regularizers.L2(0.005)}, []),
    "L1 0.0005": ({"penalty": dl.regularizers.L1(0.0005)}, []),
    "early stopping": ({}, [stop]),
    "dropout and stopping": ({"rate": 0.5}, [stop]),
}
figure, axes = plt.subplots(2, 3, figsize=(14, 7.5), layout="constrained", sharey=True)
print(
    f"{'cure':22}{'epochs':>7}{'training loss':>15}{'test loss':>11}{'test accuracy':>15}  verdict"
)
for ax, (name, (options, callbacks)) in zip(axes.flat, runs.items(), strict=True):
    keras.utils.set_random_seed(0)
    model = net(**options)
    # Measured as metrics, without penalty, so that the curves can be compared.
    plain = dl.losses.SparseCategoricalCrossentropy(from_logits=True)
    measured = keras.metrics.SparseCategoricalCrossentropy(from_logits=True, name="plain")
    model.compile(dl.optimizers.Adam(2e-3), plain, metrics=["accuracy", measured])
    history = model.fit(
        x_train,
        y_train,
        batch_size=32,
        epochs=EPOCHS,
        validation_data=(x_val, y_val),
        validation_batch_size=400,
        callbacks=callbacks,
        verbose=0,
    ).history
    curves = {"loss": history["plain"], "val_loss": history["val_plain"]}
    verdict = dl.diagnostics.judge_fit(**curves).verdict
    tested = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    print(
        f"{name:22}{len(curves['loss']):7}{curves['loss'][-1]:15.3f}{tested['plain']:11.3f}"
        f"{tested['accuracy']:15.1%}  {verdict}"
    )
    dl.plots.training_curves(curves, ax=ax)
    ax.set_title(f"{name}: test loss {tested['plain']:.2f}, accuracy {tested['accuracy']:.0%}")
    ax.set_ylabel("cross-entropy")

figure.savefig(PICTURE, dpi=110)
print(f"\nThe picture is in {PICTURE}")
