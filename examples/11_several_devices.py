"""Training on several devices: the same numbers as on one.

TensorFlow's MirroredStrategy keeps a copy of the model on each device and adds up the gradients.
Two virtual devices are cut out of the CPU here, so that this runs anywhere; with several GPUs leave
the first lines out. Batch statistics are shared too where the layer is told to synchronize.

    python examples/11_several_devices.py
"""

import pathlib

import keras
import matplotlib
import tensorflow as tf

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import keras_dlnotes as dl

tf.config.set_visible_devices([], "GPU")
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)

PICTURE = pathlib.Path(__file__).with_suffix(".png").name
EPOCHS, BATCH = 6, 64

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, y = (x[order] / 16).astype("float32"), y[order]
x_train, y_train, x_test, y_test = x[:1408], y[:1408], x[1408:], y[1408:]


def train(strategy):
    """The model, its optimizer and its loss are made where the strategy's copies should be."""
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((64,)),
                # A bias would be taken away again; its gradient is noise, which Adam blows up.
                keras.layers.Dense(64, use_bias=False),
                dl.layers.BatchNormalization(momentum=0.9, synchronized=True),
                dl.layers.ReLU(),
                keras.layers.Dense(10),
            ]
        )
        model.compile(
            dl.optimizers.Adam(2e-3),
            dl.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
    history = model.fit(
        x_train,
        y_train,
        batch_size=BATCH,  # Of all devices together: each gets a share.
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
    ).history
    # One call on one device: now and then TensorFlow 2.21 crashes when Keras drops the iterator of
    # an evaluation over several.
    right = np.argmax(model(x_test), axis=1) == y_test
    return history, model.get_weights(), np.mean(right)


runs = {
    "one device": tf.distribute.OneDeviceStrategy("CPU:0"),
    "two devices": tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
}
results = {}
figure, ax = plt.subplots(figsize=(7, 4.6), layout="constrained")
print(f"{'run':14}{'replicas':>9}{'loss':>12}{'test accuracy':>16}")
for (name, strategy), style in zip(runs.items(), ("o-", "x--"), strict=True):
    history, weights, accuracy = results[name] = train(strategy)
    print(f"{name:14}{strategy.num_replicas_in_sync:9}{history['loss'][-1]:12.6f}{accuracy:16.1%}")
    ax.semilogy(range(1, EPOCHS + 1), history["loss"], style, markersize=8, label=name)

one, two = (results[name] for name in runs)
loss = np.max(np.abs(np.subtract(one[0]["loss"], two[0]["loss"])))
weight = max(np.max(np.abs(a - b)) for a, b in zip(one[1], two[1], strict=True))
print(f"\nlargest difference of the losses {loss:.1e}, of the weights {weight:.1e}")
ax.set(xlabel="epoch", ylabel="training loss", title=f"Losses differ by {loss:.0e} at most")
ax.legend()
figure.savefig(PICTURE, dpi=120)
print(f"\nThe picture is in {PICTURE}")
