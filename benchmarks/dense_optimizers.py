"""One optimizer step on dense gradients, ours against Keras', in turn in one process.

    python benchmarks/dense_optimizers.py [name ...] [--net mlp | small] [--xla | --no-xla]
                                          [--rounds 60]

Two nets, an MLP of 8 layers of 512 and one of 150 small variables, each without and with XLA. Every
comparison has two copies of Keras' optimizer and two of ours between them. A round times all four,
in an order drawn anew; printed are the medians over the rounds, and of each round's ratio. The
ratio of the two copies of Keras is what noise and the place in memory make of 1.00: only what lies
outside it is a difference.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from keras_dlnotes import optimizers

PAIRS = {
    "GradientDescent": (optimizers.GradientDescent, keras.optimizers.SGD),
    "SGD": (optimizers.SGD, keras.optimizers.SGD),
    "Momentum": (optimizers.Momentum, lambda: keras.optimizers.SGD(momentum=0.9)),
    "Nesterov": (
        optimizers.Nesterov,
        lambda: keras.optimizers.SGD(momentum=0.9, nesterov=True),
    ),
    "Adagrad": (optimizers.Adagrad, keras.optimizers.Adagrad),
    "Adadelta": (optimizers.Adadelta, keras.optimizers.Adadelta),
    "RMSProp": (optimizers.RMSProp, keras.optimizers.RMSprop),
    "Adam": (optimizers.Adam, keras.optimizers.Adam),
    "AdamW": (optimizers.AdamW, keras.optimizers.AdamW),
    "Adamax": (optimizers.Adamax, keras.optimizers.Adamax),
    "Nadam": (optimizers.Nadam, keras.optimizers.Nadam),
}
NETS = {
    "mlp": [(512, 512), (512,)] * 8,
    "small": [(16, 16), (16,), (8, 4)] * 50,
}
SAMPLE = 0.01  # Seconds a measurement lasts at least.


def step_of(optimizer, shapes, gradients, jit_compile):
    variables = [keras.Variable(np.ones(shape, "float32")) for shape in shapes]
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def step():
        optimizer.apply(gradients, variables)

    return step


def seconds(step, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def measured(steps, rounds):
    """The milliseconds of each of the steps, taken in turn: (rounds, steps)."""
    for step in steps:
        seconds(step, 3)
    repeats = max(1, round(SAMPLE / min(seconds(step, 3) for step in steps)))
    times, order = np.zeros((rounds, len(steps))), np.random.default_rng(0)
    for turn in range(rounds):
        for index in order.permutation(len(steps)):
            steps[index]()  # Its variables into the cache, whatever ran before.
            times[turn, index] = 1000 * seconds(steps[index], repeats)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--net", choices=NETS)
    parser.add_argument("--xla", action=argparse.BooleanOptionalAction)
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args()
    generator = np.random.default_rng(0)
    for net in [arguments.net] if arguments.net else NETS:
        shapes = NETS[net]
        gradients = [tf.Variable(generator.normal(size=s).astype("float32")) for s in shapes]
        for jit_compile in [False, True] if arguments.xla is None else [arguments.xla]:
            for name in arguments.names or PAIRS:
                ours, theirs = PAIRS[name]
                steps = [
                    step_of(make(), shapes, gradients, jit_compile)
                    for make in (theirs, ours, ours, theirs)
                ]
                peer, mine, second, copy = measured(steps, arguments.rounds).T
                ratio, noise = np.median((mine + second) / (peer + copy)), np.median(copy / peer)
                print(
                    f"{net:5s} {'XLA' if jit_compile else '':3s} {name:15s} "
                    f"{np.median(mine + second) / 2:7.3f} ms  "
                    f"Keras {np.median(peer + copy) / 2:7.3f} ms  ratio {ratio:5.3f}  "
                    f"(Keras over Keras {noise:5.3f})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
