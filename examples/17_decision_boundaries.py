"""Decision boundaries: a perceptron, one hidden layer, many, and many that stay linear.

Two spirals cannot be told apart by a line. A perceptron draws a line; five layers without an
activation draw a line too, since a product of matrices is a matrix; a hidden layer bends it, and
more of them follow the spirals.

    python examples/17_decision_boundaries.py
"""

import pathlib

import keras
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np

import keras_dlnotes as dl

PICTURE = pathlib.Path(__file__).with_suffix(".png").name
POINTS, EPOCHS = 300, 30

generator = np.random.default_rng(0)
y = np.arange(POINTS) % 2
turn = np.sqrt(generator.uniform(0.02, 1, POINTS)) * 2 * np.pi
angle = turn + np.pi * y
x = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) / 3
x = (x + generator.normal(0, 0.12, x.shape)).astype("float32")


def net(depth, width, activation, rate=0.02):
    """Hidden layers, and one output that says how likely class 1 is."""
    keras.utils.set_random_seed(0)
    hidden = [
        keras.layers.Dense(
            width, activation, kernel_initializer=dl.initializers.GlorotUniform(seed=k)
        )
        for k in range(depth)
    ]
    model = keras.Sequential([keras.Input((2,)), *hidden, keras.layers.Dense(1, "sigmoid")])
    model.compile(dl.optimizers.Adam(rate), dl.losses.BinaryCrossentropy())
    model.fit(x, y, batch_size=30, epochs=EPOCHS, verbose=0)
    return model


perceptron = dl.models.Perceptron()
perceptron.fit(x, y[:, None], batch_size=1, epochs=2, verbose=0)
models = {
    "a perceptron": perceptron,
    "five layers, linear": net(5, 16, dl.activations.linear),
    "one hidden layer of 12": net(1, 12, dl.activations.tanh, rate=0.05),
    "four hidden layers of 16": net(4, 16, dl.activations.tanh),
}

figure, axes = plt.subplots(2, 2, figsize=(11, 10), layout="constrained")
print(f"{'model':28}{'weights':>9}{'right':>9}")
for ax, (name, model) in zip(axes.flat, models.items(), strict=True):
    said = model.predict(x, verbose=0).ravel() > 0.5
    right = np.mean(said == y)
    print(f"{name:28}{model.count_params():9,}{right:9.1%}")
    dl.plots.decision_boundary(model, x, y, ax=ax)
    ax.set_title(f"{name}: {right:.0%} right")

# The five linear layers are one: their matrices multiply out to a single one.
*hidden, output = models["five layers, linear"].layers
weights, bias = np.eye(2), np.zeros(2)
for layer in (*hidden, output):
    kernel, shift = layer.get_weights()
    weights, bias = weights @ kernel, bias @ kernel + shift
single = 1 / (1 + np.exp(-(x @ weights + bias)))
apart = np.max(np.abs(single - models["five layers, linear"].predict(x, verbose=0)))
print(f"\nThe five linear layers and the one they multiply out to differ by {apart:.0e}")
print(f"\n{dl.models.Perceptron.explain(x, y)}")
figure.savefig(PICTURE, dpi=110)
print(f"\nThe picture is in {PICTURE}")
