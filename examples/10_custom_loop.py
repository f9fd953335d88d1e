"""A training loop of one's own, from the package's parts: no compile, no fit.

Every part is an ordinary Keras object: loss, optimizer, schedule, layers. Here the loop itself is
written out in TensorFlow, which leaves room for things that `fit` has no place for: the learning
rate follows a schedule, and the gradient of each layer is looked at in every single step.

    python examples/10_custom_loop.py
"""

import pathlib

import keras
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import keras_dlnotes as dl

PICTURE = pathlib.Path(__file__).with_suffix(".png").name
EPOCHS, BATCH = 10, 64

x, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, y = (x[order] / 16).astype("float32"), y[order]
x_train, y_train, x_test, y_test = x[:1408], y[:1408], x[1408:], y[1408:]
batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(1408, seed=0).batch(BATCH)

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(64, kernel_initializer=dl.initializers.HeNormal(seed=0), name="first"),
        dl.layers.BatchNormalization(momentum=0.9),
        dl.layers.LeakyReLU(),
        dl.layers.Dropout(0.2),
        keras.layers.Dense(64, kernel_initializer=dl.initializers.HeNormal(seed=1), name="second"),
        dl.layers.Swish(),
        keras.layers.Dense(10, kernel_regularizer=dl.regularizers.L2(1e-4), name="outputs"),
    ]
)
loss_function = dl.losses.SparseCategoricalCrossentropy(from_logits=True)
schedule = dl.schedules.OneCycle(0.1, EPOCHS * len(batches))
optimizer = dl.optimizers.Nesterov(schedule)
optimizer.build(model.trainable_variables)
accuracy = keras.metrics.SparseCategoricalAccuracy()
watched = [k for k, v in enumerate(model.trainable_variables) if v.path.endswith("kernel")]


@tf.function
def train_step(inputs, labels):
    with tf.GradientTape() as tape:
        # Penalties of layers are in `model.losses`; `fit` would have added them.
        loss = loss_function(labels, model(inputs, training=True)) + sum(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss, tf.stack([tf.norm(gradients[k]) for k in watched])


losses, norms = [], []
for epoch in range(EPOCHS):
    for inputs, labels in batches:
        loss, norm = train_step(inputs, labels)
        losses.append(float(loss))
        norms.append(norm.numpy())
    accuracy.reset_state()
    accuracy.update_state(y_test, model(x_test, training=False))
    mean = np.mean(losses[-len(batches) :])
    print(f"epoch {epoch + 1:2}: loss {mean:.4f}, test accuracy {float(accuracy.result()):.1%}")

figure, axes = plt.subplots(1, 3, figsize=(15, 4.4), layout="constrained")
axes[0].semilogy(losses, color="black", linewidth=0.8)
axes[0].set(xlabel="step", ylabel="loss", title="Loss of each batch")
schedule.plot(len(losses), ax=axes[1])
axes[1].set(ylabel="learning rate", title="One cycle")
names = [model.trainable_variables[k].path.split("/")[-2] for k in watched]
for name, line, dash in zip(names, np.transpose(norms), ("-", "--", ":"), strict=True):
    axes[2].semilogy(line, linestyle=dash, linewidth=1, label=name)
axes[2].set(xlabel="step", ylabel="gradient norm", title="Gradient of each kernel")
axes[2].legend()
figure.savefig(PICTURE, dpi=120)
print(f"\nThe picture is in {PICTURE}")
