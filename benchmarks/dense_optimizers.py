"""One optimizer step on dense gradients, ours against Keras', in turn in one process.

    python benchmarks/dense_optimizers.py [name ...] [--net mlp | small] [--xla | --no-xla]
                                          [--races 5] [--rounds 20]

Two nets, an MLP of 8 layers of 512 and one of 150 small variables, each without and with XLA. Where
the variables of a step lie in memory makes a difference of some percent for as long as they live,
so each comparison is several races with variables of their own. A race has two copies of Keras'
optimizer and two of ours, made in an order drawn anew; each of its rounds times all four, in an
order drawn anew. Printed are the medians over all rounds, and of each round's ratio, and the lowest
and highest ratio of a race. The ratio of the two copies of Keras is what noise makes of 1.00: only
what lies outside it is a difference.
"""

import argparse
import functools
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


def race(makes, prepare, rounds, order):
    """The milliseconds of a step of each optimizer, taken in turn: (rounds, optimizers)."""
    steps = {index: prepare(makes[index]()) for index in order.permutation(len(makes))}
    for step in steps.values():
        seconds(step, 3)
    repeats = max(1, round(SAMPLE / min(seconds(step, 3) for step in steps.values())))
    times = np.zeros((rounds, len(makes)))
    for turn in range(rounds):
        for index in order.permutation(len(makes)):
            steps[index]()  # Its variables into the cache, whatever ran before.
            times[turn, index] = 1000 * seconds(steps[index], repeats)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--net", choices=NETS)
    parser.add_argument("--xla", action=argparse.BooleanOptionalAction)
    parser.add_argument("--races", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    generator, order = np.random.default_rng(0), np.random.default_rng(1)
    for net in [arguments.net] if arguments.net else NETS:
        shapes = NETS[net]
        gradients = [tf.Variable(generator.normal(size=s).astype("float32")) for s in shapes]
        for jit_compile in [False, True] if arguments.xla is None else [arguments.xla]:
            prepare = functools.partial(
                step_of, shapes=shapes, gradients=gradients, jit_compile=jit_compile
            )
            for name in arguments.names or PAIRS:
                ours, theirs = PAIRS[name]
                makes = [theirs, ours, ours, theirs]
                races = [
                    race(makes, prepare, arguments.rounds, order) for _ in range(arguments.races)
                ]
                peer, mine, second, copy = np.moveaxis(np.array(races), -1, 0)
                ratios = (mine + second) / (peer + copy)
                of_races = np.median(ratios, axis=1)
                print(
                    f"{net:5s} {'XLA' if jit_compile else '':3s} {name:15s} "
                    f"{np.median(mine + second) / 2:7.3f} ms  "
                    f"Keras {np.median(peer + copy) / 2:7.3f} ms  ratio {np.median(ratios):5.3f}  "
                    f"(races {of_races.min():5.3f} to {of_races.max():5.3f}, "
                    f"Keras over Keras {np.median(copy / peer):5.3f})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
