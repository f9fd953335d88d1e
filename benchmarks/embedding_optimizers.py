"""One optimizer step on an embedding's gradient, ours against Keras', in turn in one process.

    python benchmarks/embedding_optimizers.py [part of a name ...] [--rounds 5] [--large]

The table has 71 290 rows of 100 (with ``--large`` 1 000 000 of 64) and a batch looks up 4 096 ids
after Zipf's law. Printed are the medians over the rounds and the ratio, ours over Keras'.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from keras_dlnotes import optimizers

IDS = 4096
# Name, ours, Keras', and the ratio to reach on the small table.
PAIRS = [
    ("SGD", optimizers.SGD, keras.optimizers.SGD, 1.0),
    ("SGD row_clipnorm", lambda: optimizers.SGD(row_clipnorm=0.25), keras.optimizers.SGD, None),
    ("Momentum lazy", lambda: optimizers.Momentum(rows="lazy"), "momentum", 0.5),
    ("Momentum exact", optimizers.Momentum, "momentum", 1.0),
    ("Adagrad", optimizers.Adagrad, keras.optimizers.Adagrad, 0.35),
    ("Adadelta lazy", lambda: optimizers.Adadelta(rows="lazy"), keras.optimizers.Adadelta, None),
    ("Adadelta exact", optimizers.Adadelta, keras.optimizers.Adadelta, 1.0),
    ("RMSProp lazy", lambda: optimizers.RMSProp(rows="lazy"), keras.optimizers.RMSprop, 0.3),
    ("RMSProp exact", optimizers.RMSProp, keras.optimizers.RMSprop, 1.0),
    ("Adam lazy", optimizers.LazyAdam, keras.optimizers.Adam, 0.25),
    ("Adam exact", optimizers.Adam, keras.optimizers.Adam, 1.0),
    ("Adamax exact", optimizers.Adamax, keras.optimizers.Adamax, 1.0),
    ("Nadam exact", optimizers.Nadam, keras.optimizers.Nadam, 1.0),
]


def zipf(generator, rows):
    weights = 1 / np.arange(1, rows + 1)
    return generator.choice(rows, size=IDS, p=weights / weights.sum()).astype("int32")


def step_of(optimizer, shape):
    variable = keras.Variable(np.zeros(shape, "float32"), name="embeddings")
    optimizer.build([variable])

    # As in `fit`, which knows the size of no batch beforehand.
    batches = tf.TensorSpec((None,), "int32"), tf.TensorSpec((None, shape[1]))

    @tf.function(input_signature=batches)
    def step(ids, values):
        optimizer.apply([tf.IndexedSlices(values, ids, tf.constant(shape))], [variable])

    return step


def seconds(step, batches, repeats):
    start = time.perf_counter()
    for index in range(repeats):
        step(*batches[index % len(batches)])
    return (time.perf_counter() - start) / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    shape = (1_000_000, 64) if arguments.large else (71_290, 100)
    repeats = 2 if arguments.large else 8
    generator = np.random.default_rng(0)
    batches = [
        (
            tf.constant(zipf(generator, shape[0])),
            tf.constant(generator.normal(size=(IDS, shape[1])).astype("float32")),
        )
        for _ in range(4)
    ]
    print(f"table {shape[0]} x {shape[1]}, {IDS} ids a step")
    for name, ours, theirs, target in PAIRS:
        if arguments.names and not any(part in name for part in arguments.names):
            continue
        if theirs == "momentum":
            peer = keras.optimizers.SGD(momentum=0.9)
        else:
            peer = theirs()
        steps = [step_of(ours(), shape), step_of(peer, shape)]
        for step in steps:
            step(*batches[0])
        times = [[], []]
        for _ in range(arguments.rounds):
            for index, step in enumerate(steps):
                times[index].append(seconds(step, batches, repeats))
        mine, keras_ = (1000 * statistics.median(column) for column in times)
        goal = "" if target is None else f"  target {target}"
        ratio = f"ratio {mine / keras_:5.2f}{goal}"
        print(f"{name:18s} {mine:8.2f} ms  Keras {keras_:8.2f} ms  {ratio}", flush=True)


if __name__ == "__main__":
    main()
