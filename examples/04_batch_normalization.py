"""Batch normalization, with and without, at a moderate and at a high learning rate.

Normalized layers keep their outputs alike from layer to layer, so the net bears a learning rate at
which the plain one gets nowhere, and is the better for it.

    python examples/04_batch_normalization.py
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
DEPTH, WIDTH, EPOCHS = 6, 64, 6
RATES = (0.1, 1.0)

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, y = (x[order] / 16).astype("float32"), y[order]
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]


def deep_net(normalize):
    layers = [keras.Input((64,))]
    for k in range(DEPTH):
        initializer = dl.initializers.HeNormal(seed=k)
        # What follows takes the mean away, so a bias would do nothing.
        layers.append(
            keras.layers.Dense(WIDTH, use_bias=not normalize, kernel_initializer=initializer)
        )
        if normalize:
            layers.append(dl.layers.BatchNormalization(momentum=0.9))
        layers.append(dl.layers.ReLU(name=f"relu_{k + 1}"))
    return keras.Sequential([*layers, keras.layers.Dense(10)])


figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
print(f"{'net':16}{'learning rate':>14}{'loss':>10}{'accuracy':>10}")
for normalize, name, colour in ((False, "plain", "#D55E00"), (True, "normalized", "#0072B2")):
    marker = "s" if normalize else "o"
    for rate, dash in zip(RATES, ("--", "-"), strict=True):
        keras.utils.set_random_seed(0)
        model = deep_net(normalize)
        model.compile(
            dl.optimizers.SGD(rate),
            dl.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        watch = dl.callbacks.ActivationMonitor(include="relu", on_problem=None)
        history = model.fit(
            x_train,
            y_train,
            batch_size=64,
            epochs=EPOCHS,
            validation_data=(x_test, y_test),
            callbacks=[watch],
            verbose=0,
        ).history
        accuracy = history["val_accuracy"]
        print(f"{name:16}{rate:14g}{history['val_loss'][-1]:10.3g}{accuracy[-1]:10.1%}")
        label = f"{name}, rate {rate:g}"
        axes[0].plot(
            range(1, EPOCHS + 1), accuracy, color=colour, linestyle=dash, marker=marker, label=label
        )
        if rate == 0.1:
            spread = watch.history["activation_std"]
            last = [spread[f"relu_{k + 1}"][-1] for k in range(DEPTH)]
            axes[1].plot(range(1, DEPTH + 1), last, color=colour, marker=marker, label=label)

axes[0].set(xlabel="epoch", ylabel="accuracy on the test part", title="Learning", ylim=(0, 1.02))
axes[0].legend(fontsize=8)
axes[1].set(
    xlabel="layer, input to output",
    ylabel="standard deviation of the outputs",
    title=f"Spread of the layers in epoch {EPOCHS}",
)
axes[1].set_ylim(bottom=0)
axes[1].legend()
figure.savefig(PICTURE, dpi=120)
print(f"\nThe picture is in {PICTURE}")
