"""A 41 x 41 loss landscape against the loop everyone writes, ``set_weights`` and ``evaluate``.

In each round both work at the same points in turn: the loop at a random sample of the grid's points
(all of them would take minutes), its time for the whole grid being that per point times 1681;
``loss_landscape`` at all of them, its compilation included. The loop evaluates in batches of 1024,
which suits it better than Keras' default of 32. At the end the largest difference of the losses is
printed, relative to the loss.

    python benchmarks/loss_landscape.py [--rounds 3] [--points 41] [--sample 40]
"""

import argparse
import statistics
import time

import keras
import numpy as np
from keras import layers

from keras_dlnotes.diagnostics import loss_landscape


def perceptron():
    return keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(64, "relu"),
            layers.Dense(64, "relu"),
            layers.Dense(10, "softmax"),
        ]
    )


def convolutional():
    return keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, "softmax"),
        ]
    )


def loop(model, landscape, indices, x, y):
    """Losses at these points of the grid, and the time they took."""
    start = time.perf_counter()
    weights = model.get_weights()
    first, second = landscape.directions.arrays
    losses = []
    for i, j in indices:
        a, b = landscape.axes[0][i], landscape.axes[1][j]
        moved = [w + a * u + b * v for w, u, v in zip(weights, first, second, strict=True)]
        model.set_weights(moved)
        losses.append(model.evaluate(x, y, batch_size=1024, verbose=0))
    model.set_weights(weights)
    return np.array(losses), time.perf_counter() - start


def measure(name, model, rows, options):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, *model.input_shape[1:])).astype("float32")
    y = generator.integers(0, 10, rows)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=1, verbose=0)
    model.evaluate(x, y, batch_size=1024, verbose=0)  # The loop's compilation is not counted.
    ours, theirs, apart = [], [], 0.0
    for _ in range(options.rounds):
        start = time.perf_counter()
        landscape = loss_landscape(model, (x, y), points=options.points, verbose=0)
        ours.append(time.perf_counter() - start)
        indices = generator.integers(0, options.points, (options.sample, 2))
        losses, seconds = loop(model, landscape, indices, x, y)
        theirs.append(seconds / options.sample * options.points**2)
        found = landscape.losses[tuple(indices.T)]
        apart = max(apart, float(np.max(np.abs(found - losses) / losses)))
    a, b = statistics.median(ours), statistics.median(theirs)
    print(
        f"{name:22} {rows:6} rows   loop {b:7.1f} s   loss_landscape {a:6.2f} s   "
        f"{b / a:5.1f} x   largest difference {apart:.1e}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--points", type=int, default=41)
    parser.add_argument("--sample", type=int, default=40)
    options = parser.parse_args()
    keras.utils.set_random_seed(0)
    for rows in (1000, 10000):
        measure("perceptron 784-64-64", perceptron(), rows, options)
    measure("convolutional 14x14", convolutional(), 1000, options)


if __name__ == "__main__":
    main()
