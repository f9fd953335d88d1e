"""Loss landscapes of a deep net with and without skip connections, and training's way on them.

Both nets have the same layers and differ only in the skips. Around the trained weights the loss is
drawn in random, filter-normalised directions, after Li et al. (2018); below, in the plane in which
training moved most, with its path. Sharpness is the largest eigenvalue of the Hessian.

    python examples/09_loss_landscape.py
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
BLOCKS, WIDTH, EPOCHS, POINTS = 7, 24, 12, 17

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, y = (x[order] / 16).astype("float32"), y[order]
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]
looked_at = (x_train[:300], y_train[:300])


def net(skip):
    layers = [keras.Input((64,)), keras.layers.Dense(WIDTH, name="entrance")]
    for k in range(BLOCKS):
        block = keras.Sequential(
            [
                keras.layers.Dense(WIDTH, "relu", kernel_initializer="he_normal"),
                keras.layers.Dense(WIDTH, kernel_initializer="glorot_normal"),
            ],
            name=f"block_{k + 1}",
        )
        layers.append(dl.layers.Residual(block, activation="relu") if skip else block)
        if not skip:
            layers.append(dl.layers.ReLU())
    name = "with_skips" if skip else "without_skips"
    return keras.Sequential([*layers, keras.layers.Dense(10)], name=name)


figure = plt.figure(figsize=(12, 10), layout="constrained")
for column, skip in enumerate((False, True)):
    keras.utils.set_random_seed(1)
    model = net(skip)
    model.compile(
        dl.optimizers.Adam(3e-3),
        dl.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    recorder = dl.callbacks.TrajectoryRecorder()
    model.fit(x_train, y_train, batch_size=64, epochs=EPOCHS, callbacks=[recorder], verbose=0)
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"\n{model.name}: {2 * BLOCKS + 2} layers, test accuracy {accuracy:.1%}")

    around = dl.diagnostics.loss_landscape(model, looked_at, points=POINTS, span=0.5, verbose=0)
    print(around)
    print(dl.diagnostics.hessian_eigenvalues(model, looked_at, steps=20, tolerance=0.05))
    along = dl.diagnostics.loss_landscape(
        model, looked_at, directions="pca", trajectory=recorder, points=POINTS, verbose=0
    )
    print(along)

    ax = figure.add_subplot(2, 2, 1 + column, projection="3d")
    around.plot("surface", ax=ax)
    ax.set_title(f"{model.name}: test accuracy {accuracy:.0%}", fontsize=10)
    along.plot(ax=figure.add_subplot(2, 2, 3 + column))

figure.savefig(PICTURE, dpi=110)
print(f"\nThe picture is in {PICTURE}")
