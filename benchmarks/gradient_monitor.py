"""What GradientMonitor costs a train step.

    python benchmarks/gradient_monitor.py [rounds] [mlp | conv] [plain | xla]

Method. Two models with the same weights and data live in one process, one with the monitor and one
without. They run in turn, a block of steps each, and the order within a pair changes from round to
round (off on, on off, ...), so that drifts of the machine hit both. A pair's number is the ratio of
its two times. A block has 20 steps; it has 100, with a quarter of the rounds, where something
happens only every 50 or 100 steps, so that each block holds its share of that. Printed are the
median of the ratios and the quartiles. A step is one call of the train function that ``fit`` itself
calls. "was on" is a model after its training with the monitor. The machine has to be quiet: what
the monitor adds runs beside the step, if there is a core to run on.
"""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from keras_dlnotes.callbacks import GradientMonitor

WAYS = {
    "norms every step": lambda: GradientMonitor(details=10**6),
    "defaults": lambda: GradientMonitor(),
    "histograms every 100": lambda: GradientMonitor(histograms=100),
    "all details every step": lambda: GradientMonitor(details=1),
    "was on": None,
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


def prepared(make, jit, monitor, was_on=False):
    keras.utils.set_random_seed(0)
    model, shape = make()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-4), loss, jit_compile=jit)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    y = np.random.default_rng(1).integers(0, 10, shape[0])
    batches = iter(tf.data.Dataset.from_tensors((x, y)).cache().repeat())
    model.make_train_function()
    if monitor is not None:
        callbacks = keras.callbacks.CallbackList([monitor], model=model)
        callbacks.on_train_begin()
        callbacks.on_epoch_begin(0)
        model.train_function(batches)
        if was_on:
            callbacks.on_epoch_end(0, {})
            callbacks.on_train_end()
            model.make_train_function()
    return lambda: model.train_function(batches)


def block(step, steps):
    start = time.perf_counter()
    for _ in range(steps):
        result = step()
    float(result["loss"])
    return time.perf_counter() - start


def main(rounds, only):
    print(f"{'net':5} {'XLA':5} {'way':24} {'step':>9} {'overhead':>9}  quartiles")
    for name, make in (("mlp", mlp), ("conv", conv)):
        for jit in (False, True):
            if ({"mlp", "conv"} & only or {name}) != {name}:
                continue
            if ({"plain", "xla"} & only or {("plain", "xla")[jit]}) != {("plain", "xla")[jit]}:
                continue
            off = prepared(make, jit, None)
            for way, make_monitor in WAYS.items():
                monitor = GradientMonitor() if make_monitor is None else make_monitor()
                on = prepared(make, jit, monitor, was_on=make_monitor is None)
                for _ in range(2):
                    block(on, 5), block(off, 5)
                ratios, times = [], []
                rare = way in ("defaults", "histograms every 100")
                steps, pairs = (100, max(rounds // 4, 4)) if rare else (20, rounds)
                for i in range(pairs):
                    if i % 2:
                        b, a = block(on, steps), block(off, steps)
                    else:
                        a, b = block(off, steps), block(on, steps)
                    ratios.append(b / a - 1)
                    times.append(a / steps)
                low, middle, high = np.percentile(ratios, (25, 50, 75))
                print(
                    f"{name:5} {jit!s:5} {way:24} {np.median(times) * 1e3:6.2f} ms {middle:+9.1%}"
                    f"  {low:+.1%} .. {high:+.1%}",
                    flush=True,
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30, set(sys.argv[2:]))
