"""What GradientMonitor costs a train step.

    python benchmarks/gradient_monitor.py [seconds for each race] [mlp | conv] [plain | xla]

Method. Models with the same weights and data live in one process: two without a monitor, and one
for each way of monitoring. They take turns, twenty steps each, in an order drawn anew for each
round, so that drifts of the machine hit all alike. Five rounds make a pair: a hundred steps of each
model, with all that happens every 50 or 100 steps in it; its number is the time of the one with the
monitor over the mean time of the two without. Printed are the median over the pairs and the
quartiles. "off, again" holds the two without against each other: what is smaller than its quartiles
is noise. A step is one call of the train function that ``fit`` itself calls, and of
``on_train_batch_end``. "was on" is a model after its training with the monitor. "epoch" is what the
end of an epoch takes, with TensorBoard's file and without the picture.
"""

import os
import random
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from keras_dlnotes.callbacks import GradientMonitor

STEPS, ROUNDS = 20, 5
WAYS = {
    "off": None,
    "off, again": None,
    "norms every step": {"details": 10**6},
    "defaults": {},
    "histograms every 100": {"histograms": 100},
    "was on": {},
}


def mlp():
    layers = [keras.layers.Dense(512, "relu", kernel_initializer="he_normal") for _ in range(8)]
    model = keras.Sequential([keras.Input((512,)), *layers, keras.layers.Dense(10)])
    return model, (128, 512)


def conv():
    def block(filters):
        return [
            keras.layers.Conv2D(filters, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
        ]

    layers = [*block(32), *block(64), keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers]), (64, 28, 28, 1)


def prepared(make, jit, way):
    """A function that takes one step, and one that ends an epoch and returns its seconds."""
    keras.utils.set_random_seed(0)
    model, shape = make()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-4), loss, jit_compile=jit)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    y = np.random.default_rng(1).integers(0, 10, shape[0])
    batches = iter(tf.data.Dataset.from_tensors((x, y)).cache().repeat())
    model.make_train_function()
    if WAYS[way] is None:
        return lambda: model.train_function(batches), None
    logs = None if way == "was on" else tempfile.mkdtemp()
    monitor = GradientMonitor(logs, image=False, on_problem=None, **WAYS[way])
    callbacks = keras.callbacks.CallbackList([monitor], model=model)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    model.train_function(batches)
    if way == "was on":
        callbacks.on_epoch_end(0, {})
        callbacks.on_train_end()
        model.make_train_function()
        return lambda: model.train_function(batches), None
    batch = 0

    def step():
        nonlocal batch
        result = model.train_function(batches)
        callbacks.on_train_batch_end(batch, None)
        batch += 1
        return result

    def end():
        start = time.perf_counter()
        callbacks.on_epoch_end(0, {})
        return time.perf_counter() - start

    return step, end


def block(step, steps=STEPS):
    start = time.perf_counter()
    for _ in range(steps):
        result = step()
    float(result["loss"])
    return time.perf_counter() - start


def race(make, jit, seconds, title):
    steps, ends = {}, {}
    for way in WAYS:
        steps[way], ends[way] = prepared(make, jit, way)
        block(steps[way], 3)
    order, pairs, end = list(WAYS), [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(pairs) < 3:
        pairs.append(dict.fromkeys(WAYS, 0.0))
        for _ in range(ROUNDS):
            random.shuffle(order)
            for way in order:
                steps[way]()  # brings its weights into the cache
                pairs[-1][way] += block(steps[way])
    times = {way: np.array([pair[way] for pair in pairs]) for way in WAYS}
    off = (times["off"] + times["off, again"]) / 2
    per_step = np.median(off) / STEPS / ROUNDS * 1e3
    for way in list(WAYS)[1:]:
        against = times["off"] if way == "off, again" else off
        low, middle, high = np.percentile(times[way] / against - 1, (25, 50, 75))
        end = "" if ends[way] is None else f"{ends[way]() * 1e3:6.1f} ms"
        print(
            f"{title} {way:22} {per_step:6.2f} ms {middle:+9.1%}  "
            f"{low:+6.1%} .. {high:+6.1%}  {end}",
            flush=True,
        )


def main(seconds, only):
    print(f"{'net':5} {'XLA':5} {'way':22} {'off':>9} {'overhead':>9}  quartiles          epoch")
    for name, make in (("mlp", mlp), ("conv", conv)):
        for jit in (False, True):
            if ({"mlp", "conv"} & only or {name}) != {name}:
                continue
            if ({"plain", "xla"} & only or {("plain", "xla")[jit]}) != {("plain", "xla")[jit]}:
                continue
            race(make, jit, seconds, f"{name:5} {jit!s:5}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120, set(sys.argv[2:]))
