"""BatchNormalization against keras.layers.BatchNormalization: time and saved tensors.

    python benchmarks/batch_normalization.py [--rounds 20] [--json results.json]

One forward and one backward pass in training mode, both layers in turn in one process, with and
without XLA; prints the medians and the ratio. "Saved" counts the tensors that the backward pass
reads and the forward pass has to keep for it, in multiples of the input.
"""

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from keras_dlnotes.layers import BatchNormalization

SHAPES = [(256, 512), (64, 28, 28, 32), (32, 56, 56, 64)]
PEERS = {"ours": BatchNormalization, "keras": keras.layers.BatchNormalization}
TARGETS = {True: 0.6, False: 0.85}


def train(layer, x, upstream):
    """Output and all gradients."""
    variables = [v.value for v in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    return y, tape.gradient(y, [x, *variables], upstream)


def saved(layer, shape, dtype):
    """Bytes of all tensors made or read forward that the backward pass reads again."""
    forward, keep = set(), {}

    @tf.function(input_signature=[tf.TensorSpec(shape, dtype)])
    def step(x):
        variables = [v.value for v in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
        forward.update(op.name for op in x.graph.get_operations())
        return tape.gradient(y, [x, *variables])

    graph = step.get_concrete_function().graph
    wanted = [tensor.op for tensor in graph.outputs]
    seen = set()
    while wanted:  # Only what the gradients need: a trace also holds operations nobody reads.
        op = wanted.pop()
        if op.name in seen or op.name in forward:
            continue
        seen.add(op.name)
        for tensor in op.inputs:
            wanted.append(tensor.op)
            if tensor.op.name in forward:
                tensor = origin(tensor)
                keep[tensor.name] = np.prod(tensor.shape.as_list()) * tensor.dtype.size
    return float(sum(keep.values()))


def origin(tensor):
    """The tensor whose memory this one shares: these operations copy nothing."""
    while tensor.op.type in ("Identity", "IdentityN", "Reshape"):
        tensor = tensor.op.inputs[tensor.value_index if tensor.op.type == "IdentityN" else 0]
    return tensor


def measure(shape, jit, rounds):
    generator = np.random.default_rng(0)
    x, upstream = (tf.constant(generator.normal(size=shape).astype("float32")) for _ in range(2))
    functions, times = {}, {}
    for name, kind in PEERS.items():
        layer = kind()
        layer.build(shape)
        functions[name] = tf.function(lambda x, u, layer=layer: train(layer, x, u), jit_compile=jit)
        functions[name](x, upstream)
        times[name] = []
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            for _ in range(3):
                _, gradients = function(x, upstream)
            gradients[0].numpy()
            times[name].append((time.perf_counter() - start) / 3 * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", help="also write the numbers to this file")
    arguments = parser.parse_args()
    rows = []
    print(f"{'shape':>18} {'':>8} {'ours ms':>8} {'keras ms':>8} {'ratio':>6}  target")
    for shape in SHAPES:
        for jit in (False, True):
            found = measure(shape, jit, arguments.rounds)
            ratio = found["ours"] / found["keras"]
            target = TARGETS[jit] if len(shape) == 4 else None
            way = "XLA" if jit else "no XLA"
            print(
                f"{shape!s:>18} {way:>8} {found['ours']:8.2f} {found['keras']:8.2f} {ratio:6.2f}  "
                + (f"<= {target}" if target else "-"),
                flush=True,
            )
            rows.append({"shape": shape, "xla": jit, "ratio": ratio, **found})
    print(f"\n{'shape':>18} {'dtype':>8} {'ours':>8} {'keras':>8}  kept for backward, in inputs")
    for shape in SHAPES:
        for dtype in ("float32", "float16"):
            policy = "mixed_float16" if dtype == "float16" else dtype
            size = np.prod(shape) * tf.as_dtype(dtype).size
            kept = {}
            for name, kind in PEERS.items():
                layer = kind(dtype=policy)
                layer.build(shape)
                kept[name] = saved(layer, shape, dtype) / size
            print(f"{shape!s:>18} {dtype:>8} {kept['ours']:8.2f} {kept['keras']:8.2f}")
            rows.append({"shape": shape, "dtype": dtype, "saved": kept})
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
