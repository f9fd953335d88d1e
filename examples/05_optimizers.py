"""Optimizers compared: on a real problem from one start, and racing on a surface one can see.

`optimizers.compare` gives every optimizer the same first weights and the same batches, so that only
the optimizers differ. The race runs them down Rosenbrock's narrow, bent valley.

    python examples/05_optimizers.py
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
EPOCHS = 6

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, y = (x[order] / 16).astype("float32"), y[order]
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]


def net():
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = dl.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


histories = dl.optimizers.compare(
    net,
    {
        "gradient descent": dl.optimizers.GradientDescent(0.1),
        "momentum": dl.optimizers.Momentum(0.1),
        "Nesterov": dl.optimizers.Nesterov(0.1),
        "Adagrad": dl.optimizers.Adagrad(0.05),
        "RMSProp": dl.optimizers.RMSProp(0.002),
        "Adam": dl.optimizers.Adam(0.002),
    },
    (x_train, y_train),
    epochs=EPOCHS,
    batch_size=64,
    validation_data=(x_test, y_test),
)
print(f"{'optimizer':20}{'loss':>10}{'test loss':>12}{'test accuracy':>16}")
for name, history in histories.items():
    loss, val_loss, accuracy = (history[key][-1] for key in ("loss", "val_loss", "val_accuracy"))
    print(f"{name:20}{loss:10.4f}{val_loss:12.4f}{accuracy:16.1%}")

paths = dl.plots.race(
    {
        "gradient descent": dl.optimizers.GradientDescent(0.001),
        "momentum": dl.optimizers.Momentum(0.001),
        "RMSProp": dl.optimizers.RMSProp(0.02),
        "Adam": dl.optimizers.Adam(0.1),
    },
    "rosenbrock",
    steps=300,
)
print("\nRosenbrock's valley, minimum at (1, 1):")
for name, path in paths.items():
    distance = np.linalg.norm(path[-1] - 1)
    print(f"{name:20}{distance:10.3f} from the minimum after {len(path) - 1} steps")

figure, axes = plt.subplots(1, 2, figsize=(13, 5), layout="constrained")
dl.plots.optimizer_comparison(histories, ax=axes[0])
axes[0].set_title("Training loss on handwritten digits")
dl.plots.optimizer_race(paths, "rosenbrock", ax=axes[1])
figure.savefig(PICTURE, dpi=120)
print(f"\nThe picture is in {PICTURE}")
