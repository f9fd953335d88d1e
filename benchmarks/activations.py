"""Activations and losses against Keras' of the same name.

    python benchmarks/activations.py [--rounds 30]

One forward and one backward pass over 1 024 x 512 numbers (losses: as many classes), ours and
Keras' in turn in one process, in an order drawn anew for each round, with and without XLA. Printed
are the medians and the median of each round's ratio.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from keras_dlnotes import activations, losses

SHAPE = (1024, 512)
ACTIVATIONS = (
    *("relu", "leaky_relu", "elu", "selu", "softplus", "gelu", "silu", "mish"),
    *("sigmoid", "tanh", "tanh_shrink", "softmax"),
)
LOSSES = (
    *("MeanSquaredError", "MeanAbsoluteError", "Huber", "BinaryCrossentropy"),
    *("CategoricalCrossentropy", "SparseCategoricalCrossentropy"),
)


def cases():
    """Name, and for us and for Keras a function of one tensor, and that tensor."""
    generator = np.random.default_rng(0)
    x = tf.constant(generator.normal(size=SHAPE).astype("float32"))
    for name in ACTIVATIONS:
        yield name, [getattr(module, name) for module in (activations, keras.activations)], x
    labels = generator.integers(0, SHAPE[1], SHAPE[0])
    numbers = tf.constant(generator.integers(0, 2, SHAPE).astype("float32"))
    for name in LOSSES:
        true = {"S": tf.constant(labels), "C": tf.one_hot(labels, SHAPE[1])}.get(name[0], numbers)
        ways = [{}]
        if name.endswith("entropy"):
            ways.append({"from_logits": True})
        for way in ways:
            pair = [getattr(module, name)(**way) for module in (losses, keras.losses)]
            given = x
            if name.endswith("entropy") and not way:
                given = tf.sigmoid(x) if name.startswith("B") else tf.nn.softmax(x)
            calls = [lambda p, loss=loss, true=true: loss(true, p) for loss in pair]
            yield name + (" of logits" if way else ""), calls, given


def both_ways(function, jit_compile):
    """The function's gradient: a pass there and back."""

    @tf.function(jit_compile=jit_compile, autograph=False)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    return step


def milliseconds(step, x, repeats=5):
    start = time.perf_counter()
    for _ in range(repeats):
        result = step(x)
    result.numpy()
    return (time.perf_counter() - start) / repeats * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    order = np.random.default_rng(1)
    print(f"{'':40} {'ours ms':>8} {'keras ms':>8} {'ratio':>6}")
    for jit_compile in (False, True):
        for name, pair, x in cases():
            steps = [both_ways(function, jit_compile) for function in pair]
            for step in steps:
                milliseconds(step, x)
            times = np.zeros((rounds, 2))
            for turn in range(rounds):
                for which in order.permutation(2):
                    times[turn, which] = milliseconds(steps[which], x)
            ours, theirs = np.median(times, 0)
            ratio = np.median(times[:, 0] / times[:, 1])
            name += ", XLA" if jit_compile else ""
            print(f"{name:40} {ours:8.2f} {theirs:8.2f} {ratio:6.2f}", flush=True)


if __name__ == "__main__":
    main()
