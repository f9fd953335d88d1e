"""Find the learning rate by a sweep, then train in one cycle of learning rate and momentum.

The sweep raises the rate from batch to batch, draws the loss and puts everything back: model,
optimizer and random numbers are as before. The cycle then rises to the rate found and falls to
almost nothing. Two rates guessed without looking stand beside it.

    python examples/06_learning_rate.py
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
EPOCHS, BATCH = 8, 64

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, y = (x[order] / 16).astype("float32"), y[order]
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]


def net(rate):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            *(keras.layers.Dense(64, "relu") for _ in range(3)),
            keras.layers.Dense(10),
        ]
    )
    # Its momentum is a variable, so that the cycle can drive it.
    model.compile(
        dl.optimizers.Momentum(rate),
        dl.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


finder = dl.callbacks.LearningRateFinder()
curve = finder.find(net(0.01), x_train, y_train, batch_size=BATCH)
print(f"The sweep of {len(curve.learning_rates)} rates ended: {curve.stop_reason}. It suggests")
for name, rate in curve.suggestions.items():
    print(f"  {name.replace('_', ' '):16}{rate:.4f}")
# A constant rate wants to be careful; a cycle may go up to where the loss falls fastest.
best, highest = curve.minimum_tenth, curve.steepest

steps = EPOCHS * -(-len(x_train) // BATCH)
cycle = dl.schedules.OneCycle(highest, steps)
runs = {
    "guess: 0.001": (0.001, []),
    "guess: 1": (1.0, []),
    f"found: {best:.3f}": (best, []),
    f"found, one cycle to {highest:.3f}": (highest, [dl.callbacks.OneCycle(highest)]),
}
figure, axes = plt.subplots(1, 3, figsize=(16, 4.6), layout="constrained")
print(f"\n{'learning rate':32}{'training loss':>14}{'test accuracy':>15}")
styles = zip((":", "-.", "--", "-"), "ovs^", strict=True)
for (name, (rate, callbacks)), (dash, marker) in zip(runs.items(), styles, strict=True):
    history = (
        net(rate)
        .fit(
            x_train,
            y_train,
            batch_size=BATCH,
            epochs=EPOCHS,
            validation_data=(x_test, y_test),
            callbacks=callbacks,
            verbose=0,
        )
        .history
    )
    print(f"{name:32}{history['loss'][-1]:14.4f}{history['val_accuracy'][-1]:15.1%}")
    epochs = range(1, EPOCHS + 1)
    axes[2].plot(epochs, history["val_accuracy"], linestyle=dash, marker=marker, label=name)

curve.plot(ax=axes[0])
axes[0].set_title("The sweep")
cycle.plot(steps, ax=axes[1])
axes[1].set(ylabel="learning rate", title="One cycle")
axes[2].set(xlabel="epoch", ylabel="accuracy on the test part", title="Training with it")
axes[2].legend()
figure.savefig(PICTURE, dpi=120)
print(f"\nThe picture is in {PICTURE}")
