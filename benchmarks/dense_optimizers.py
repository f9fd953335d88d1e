"""One optimizer step on dense gradients, ours against Keras', in turn in one process.

    python benchmarks/dense_optimizers.py [part of a name ...] [--rounds 5]

Two nets, an MLP of 8 layers of 512 and one of 150 small variables, each without and with XLA.
Printed are the medians over the rounds and the ratio, ours over Keras'.
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

PAIRS = [
    ("SGD", optimizers.SGD, keras.optimizers.SGD),
    ("Momentum", optimizers.Momentum, lambda: keras.optimizers.SGD(momentum=0.9)),
    ("Adagrad", optimizers.Adagrad, keras.optimizers.Adagrad),
    ("Adadelta", optimizers.Adadelta, keras.optimizers.Adadelta),
    ("RMSProp", optimizers.RMSProp, keras.optimizers.RMSprop),
    ("Adam", optimizers.Adam, keras.optimizers.Adam),
    ("AdamW", optimizers.AdamW, keras.optimizers.AdamW),
    ("Adamax", optimizers.Adamax, keras.optimizers.Adamax),
    ("Nadam", optimizers.Nadam, keras.optimizers.Nadam),
]
NETS = {
    "8 x 512": [(512, 512), (512,)] * 8,
    "150 small": [(16, 16), (16,), (8, 4)] * 50,
}


def step_of(optimizer, shapes, gradients, jit_compile):
    variables = [keras.Variable(np.ones(shape, "float32")) for shape in shapes]
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def step():
        optimizer.apply(gradients, variables)

    return step


def seconds(step, repeats=10):
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    generator = np.random.default_rng(0)
    for net, shapes in NETS.items():
        gradients = [tf.Variable(generator.normal(size=s).astype("float32")) for s in shapes]
        for jit_compile in (False, True):
            for name, ours, theirs in PAIRS:
                if arguments.names and name not in arguments.names:
                    continue
                steps = [step_of(make(), shapes, gradients, jit_compile) for make in (ours, theirs)]
                for step in steps:
                    step()
                times = [[], []]
                for _ in range(arguments.rounds):
                    for index, step in enumerate(steps):
                        times[index].append(seconds(step))
                mine, keras_ = (1000 * statistics.median(column) for column in times)
                print(
                    f"{net:10s} {'XLA' if jit_compile else '':4s} {name:10s} {mine:7.2f} ms  "
                    f"Keras {keras_:7.2f} ms  ratio {mine / keras_:5.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
