"""Activations and vanishing gradients: what a layer's slope does to the layers below it.

The gradient that reaches the first of ten layers has been multiplied by ten slopes. The slope of a
sigmoid is a quarter at best, that of ReLU is 1 or 0. One trace of an untrained net on the
handwritten digits of scikit-learn tells the activations apart; a short training shows the rest.

    python examples/02_activations.py
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
DEPTH, WIDTH, EPOCHS = 10, 64, 6

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, y = (x[order] / 16).astype("float32"), y[order]
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]

# The activation, and the initial weights that its authors recommend with it.
choices = {
    "sigmoid": (dl.activations.sigmoid, dl.initializers.GlorotNormal),
    "tanh": (dl.activations.tanh, dl.initializers.GlorotNormal),
    "relu": (dl.activations.relu, dl.initializers.HeNormal),
    "elu": (dl.activations.elu, dl.initializers.HeNormal),
    "selu": (dl.activations.selu, dl.initializers.LecunNormal),
}


def deep_net(activation, initializer):
    hidden = [
        keras.layers.Dense(
            WIDTH, activation, kernel_initializer=initializer(seed=k), name=f"dense_{k}"
        )
        for k in range(1, DEPTH + 1)
    ]
    return keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10, name="outputs")])


loss = dl.losses.SparseCategoricalCrossentropy(from_logits=True)
figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
print("activation   slope at most  gain a layer  first / last  accuracy")
grid = np.linspace(-4, 4, 801, dtype="float32")
for (name, choice), marker in zip(choices.items(), "os^Dv", strict=True):
    keras.utils.set_random_seed(0)
    model = deep_net(*choice)
    model.compile(dl.optimizers.Adam(1e-3), loss, metrics=["accuracy"])

    # How large is the gradient behind each layer, before any training?
    trace = dl.diagnostics.backprop_trace(model, x_train[:128], y_train[:128])
    norms = np.array([trace[f"dense_{k}"].output_norm for k in range(1, DEPTH + 1)])
    gain = (norms[0] / norms[-1]) ** (1 / (DEPTH - 1))
    slope = np.max(np.diff(keras.ops.convert_to_numpy(choice[0](grid))) / np.diff(grid))

    model.fit(x_train, y_train, batch_size=64, epochs=EPOCHS, verbose=0)
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"{name:12}{slope:14.2f}{gain:14.2f}{norms[0] / norms[-1]:14.1e}{accuracy:10.1%}")
    label = f"{name}: {accuracy:.0%} after {EPOCHS} epochs"
    axes[2].semilogy(range(1, DEPTH + 1), norms, marker=marker, label=label)

functions = [activation for activation, _ in choices.values()]
dl.plots.activation(functions, ax=axes[0])
dl.plots.activation(functions, derivative=True, ax=axes[1])
for line, curve in zip(axes[2].lines, axes[0].lines, strict=False):
    line.set(color=curve.get_color(), linestyle=curve.get_linestyle())
axes[2].set(xlabel="layer, input to output", ylabel="gradient norm before training")
axes[2].set_title("What reaches each layer")
axes[2].legend()
figure.savefig(PICTURE, dpi=120)
print(f"\nA gain below 1 at each layer vanishes in a deep net. The picture is in {PICTURE}")
