"""What GradientMonitor costs a train step.

    python benchmarks/gradient_monitor.py [seconds for each race] [mlp | conv] [plain | xla]

Method. Each race is one model, with one set of weights at one place in memory (two models with the
same weights differ by a few percent for as long as they live), and two of its train functions: the
one traced before a monitor was attached, and the one traced with it. They take turns, twenty steps
each, in an order drawn anew each time, so that drifts of the machine hit both alike. Five turns
make a pair: a hundred steps of each, with all that happens every 50 or 100 steps in it. Printed are
the median over the pairs of time with over time without, and the quartiles. "off, again" races the
train function against itself, traced twice: what is smaller than its figures is noise. A step is
one call of the train function that ``fit`` itself calls, and of ``on_train_batch_end`` of the
callbacks, of which Keras has one of its own. "was on" is the model after a training with the
monitor. "epoch" is what the end of an epoch takes, with TensorBoard's file and without the picture.
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

STEPS, TURNS = 20, 5
WAYS = {
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
    """Functions that take one step without and with the monitor, and one that ends an epoch."""
    keras.utils.set_random_seed(0)
    model, shape = make()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-4), loss, jit_compile=jit)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    y = np.random.default_rng(1).integers(0, 10, shape[0])
    batches = iter(tf.data.Dataset.from_tensors((x, y)).cache().repeat())

    def counted(step, callbacks):
        """A step as `fit` takes it, which has callbacks of its own."""
        batch = 0

        def one():
            nonlocal batch
            result = step(batches)
            callbacks.on_train_batch_end(batch, None)
            batch += 1
            return result

        one()
        return one

    def traced():
        model.train_function = None
        model.make_train_function()
        own = keras.callbacks.CallbackList(add_history=True, model=model)
        return counted(model.train_function, own)

    off = traced()
    if WAYS[way] is None:
        return off, traced(), None
    logs = None if way == "was on" else tempfile.mkdtemp()
    monitor = GradientMonitor(logs, image=False, on_problem=None, **WAYS[way])
    callbacks = keras.callbacks.CallbackList([monitor], add_history=True, model=model)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    on = counted(model.train_function, callbacks)
    if way == "was on":
        callbacks.on_epoch_end(0, {})
        callbacks.on_train_end()
        return off, traced(), None

    def end():
        start = time.perf_counter()
        callbacks.on_epoch_end(0, {})
        return time.perf_counter() - start

    return off, on, end


def block(step, steps=STEPS):
    start = time.perf_counter()
    for _ in range(steps):
        result = step()
    float(result["loss"])
    return time.perf_counter() - start


def race(make, jit, way, seconds, title):
    off, on, end = prepared(make, jit, way)
    both = [off, on]
    for step in both:
        block(step, 3)
    times, stop = [], time.perf_counter() + seconds
    while time.perf_counter() < stop or len(times) < 3:
        times.append([0.0, 0.0])
        for _ in range(TURNS):
            for which in random.sample((0, 1), 2):
                both[which]()  # brings its program into the cache
                times[-1][which] += block(both[which])
    without, with_it = np.array(times).T
    per_step = np.median(without) / STEPS / TURNS * 1e3
    low, middle, high = np.percentile(with_it / without - 1, (25, 50, 75))
    at_end = "" if end is None else f"{end() * 1e3:6.1f} ms"
    print(
        f"{title} {way:22} {per_step:6.2f} ms {middle:+9.1%}  "
        f"{low:+6.1%} .. {high:+6.1%}  {at_end}",
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
            for way in WAYS:
                race(make, jit, way, seconds, f"{name:5} {jit!s:5}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30, set(sys.argv[2:]))
