"""A deep net that does not learn: see why, then cure it, one remedy of the notes at a time.

Ten sigmoid layers on scikit-learn's handwritten digits learn nothing. `GradientMonitor` shows the
reason, gradients that vanish on their way to the first layer, and what to do about it. Each run
below adds one remedy; a table and a picture compare them.

    python examples/01_quickstart.py
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
DEPTH, WIDTH, EPOCHS = 10, 64, 8

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, y = (x[order] / 16).astype("float32"), y[order]
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]


def deep_net(activation, initializer, normalize):
    """Ten hidden layers; only their activation, first weights and normalization differ."""
    layers = [keras.Input((64,))]
    for number in range(1, DEPTH + 1):
        layers.append(
            keras.layers.Dense(WIDTH, kernel_initializer=initializer(), name=f"dense_{number}")
        )
        if normalize:
            layers.append(dl.layers.BatchNormalization(momentum=0.9))
        layers.append(keras.layers.Activation(activation))
    return keras.Sequential([*layers, keras.layers.Dense(10, name="outputs")])


def small_normal():
    return dl.initializers.SmallNormal(seed=0)


def he():
    return dl.initializers.HeNormal(seed=0)


# Normalized layers bear a rate ten times as high, and are worth little without it.
runs = {
    "sigmoid, small weights": (1e-3, dl.activations.sigmoid, small_normal, False),
    "+ ReLU": (1e-3, dl.activations.relu, small_normal, False),
    "+ He initialisation": (1e-3, dl.activations.relu, he, False),
    "+ BatchNormalization, 10 x rate": (1e-2, dl.activations.relu, he, True),
}
styles = zip(("#000000", "#D55E00", "#009E73", "#0072B2"), ("o:", "s-.", "^--", "D-"), strict=True)
figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
table = []
for (name, (rate, *choices)), (colour, style) in zip(runs.items(), styles, strict=True):
    print(f"\n{name}")
    keras.utils.set_random_seed(0)
    model = deep_net(*choices)
    model.compile(
        dl.optimizers.Adam(rate),
        dl.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    monitor = dl.callbacks.GradientMonitor(on_problem=None)
    history = model.fit(
        x_train,
        y_train,
        batch_size=64,
        epochs=EPOCHS,
        validation_data=(x_test, y_test),
        callbacks=[monitor],
    )
    if not table:
        print(monitor.report())
    norms = monitor.history["gradient_norm"]
    profile = [norms[f"dense_{number}"][0] for number in range(1, DEPTH + 1)]
    accuracy = history.history["val_accuracy"]
    table.append((name, profile[0] / profile[-1], accuracy[-1]))
    axes[0].semilogy(range(1, DEPTH + 1), profile, style, color=colour)
    label = f"{name}: {accuracy[-1]:.0%}"
    axes[1].plot(range(1, EPOCHS + 1), accuracy, style, color=colour, label=label)

print(f"\n{'run':32}{'gradient, first / last layer':>30}{'test accuracy':>16}")
for name, ratio, accuracy in table:
    print(f"{name:32}{ratio:30.1e}{accuracy:16.1%}")

axes[0].set(xlabel="layer, input to output", ylabel="gradient norm, first epoch")
axes[0].set(xticks=range(1, DEPTH + 1), title="What reaches each of ten layers")
axes[1].set(xlabel="epoch", ylabel="accuracy on the test part", ylim=(0, 1.02))
axes[1].set_title("What becomes of it")
axes[1].legend()
figure.savefig(PICTURE, dpi=100)
print(f"\nThe picture is in {PICTURE}")
