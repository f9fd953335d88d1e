"""Initial weights: too small and the signal dies out, too large and it saturates.

Ten tanh layers get weights from five initializers. Before training, the spread of each layer's
outputs says whether the signal survives; a short training on scikit-learn's handwritten digits
confirms it.

    python examples/03_initializations.py
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
SHOWN = (1, 4, 7, 10)  # The layers whose outputs are drawn.

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, y = x[order].astype("float32"), y[order]
x = (x - x.mean(0)) / (x.std(0) + 1e-6)
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]

choices = {
    "normal, std 0.01": lambda k: dl.initializers.RandomNormal(stddev=0.01, seed=k),
    "normal, std 1": lambda k: dl.initializers.RandomNormal(stddev=1.0, seed=k),
    "Glorot": lambda k: dl.initializers.GlorotNormal(seed=k),
    "He (meant for ReLU)": lambda k: dl.initializers.HeNormal(seed=k),
    "LSUV": lambda k: dl.initializers.GlorotNormal(seed=k),  # Scaled on a batch, see below.
}


def deep_net(initializer):
    hidden = [
        keras.layers.Dense(WIDTH, "tanh", kernel_initializer=initializer(k), name=f"dense_{k}")
        for k in range(1, DEPTH + 1)
    ]
    return keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10, name="outputs")])


loss = dl.losses.SparseCategoricalCrossentropy(from_logits=True)
figure, axes = plt.subplots(
    len(choices), len(SHOWN), figsize=(12, 10), layout="constrained", squeeze=False
)
columns = "".join(f"{f'layer {k}':>10}" for k in SHOWN)
print(f"{'standard deviation of':24}{columns}{'accuracy':>12}")
for row, (name, initializer) in zip(axes, choices.items(), strict=True):
    keras.utils.set_random_seed(0)
    model = deep_net(initializer)
    if name == "LSUV":
        report = dl.initializers.lsuv_scale(model, x_train[:256])
    hidden = keras.Model(model.inputs[0], [model.get_layer(f"dense_{k}").output for k in SHOWN])
    outputs = [keras.ops.convert_to_numpy(out) for out in hidden(x_train[:256])]
    for ax, k, out in zip(row, SHOWN, outputs, strict=True):
        ax.hist(out.ravel(), bins=np.linspace(-1, 1, 41), color="#0072B2")
        ax.set(xlim=(-1.05, 1.05), yticks=[])
        ax.set_title(f"{name}, layer {k}: std {out.std():.2g}", fontsize=9)

    model.compile(dl.optimizers.SGD(0.05), loss, metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=64, epochs=EPOCHS, verbose=0)
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    row[0].set_ylabel(f"accuracy {accuracy:.0%}")
    spreads = "".join(f"{out.std():10.2g}" for out in outputs)
    print(f"{name:24}{spreads}{accuracy:12.1%}")

for ax in axes[-1]:
    ax.set_xlabel("output of tanh")
figure.suptitle(f"Outputs before training; accuracy on the test part after {EPOCHS} epochs of SGD")
figure.savefig(PICTURE, dpi=110)
print(f"\nWhat LSUV did, layer by layer:\n{report}")
print(f"\nThe picture is in {PICTURE}")
