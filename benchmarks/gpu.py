"""On a machine with a GPU: the same numbers as on the CPU, and how fast.

    python benchmarks/gpu.py                         # TensorFlow
    KERAS_BACKEND=jax python benchmarks/gpu.py       # JAX

Trains the same small nets on both devices and compares their weights; then ratios of the time of a
step (below 1: less than the peer): BatchNormalization and optimizers against Keras', a net with
GradientMonitor against the same without; and Word2Vec's words a second. On TensorFlow it first
lists operations of these steps for which no GPU kernel is registered, which needs no GPU. Without a
GPU it says so and ends.
"""

import datetime
import os
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from keras_dlnotes import layers, optimizers
from keras_dlnotes.callbacks import GradientMonitor
from keras_dlnotes.word2vec import Corpus, Vocabulary, Word2Vec

ROUNDS, STEPS = 7, 30
BACKEND = keras.backend.backend()
OPTIMIZERS = {
    "SGD": (optimizers.SGD, keras.optimizers.SGD),
    "Adam": (optimizers.Adam, keras.optimizers.Adam),
    "RMSProp": (optimizers.RMSProp, keras.optimizers.RMSprop),
    "Adagrad": (optimizers.Adagrad, keras.optimizers.Adagrad),
}

WRAPPERS = (optimizers.AdaptiveClip, optimizers.Lookahead, optimizers.SWA)


def gpu():
    """The first GPU's name as it is shown to people, or None."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        devices = tf.config.list_physical_devices("GPU")
        details = [tf.config.experimental.get_device_details(device) for device in devices]
        return details[0].get("device_name", "GPU") if devices else None
    if BACKEND == "jax":
        import jax

        found = [device for device in jax.devices() if device.platform == "gpu"]
        return found[0].device_kind if found else None
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def net(optimizer, normalization=None, width=512, depth=8, image=False):
    keras.utils.set_random_seed(0)
    parts = [keras.Input((28, 28, 32) if image else (width,))]
    for _ in range(2 if image else depth):
        parts.append(
            keras.layers.Conv2D(32, 3, padding="same") if image else keras.layers.Dense(width)
        )
        if normalization is not None:
            parts.append(normalization())
        parts.append(layers.LeakyReLU(0.1))
    if image:
        parts.append(keras.layers.GlobalAveragePooling2D())
    model = keras.Sequential([*parts, keras.layers.Dense(10)])
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def data(model, rows=128):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, *model.input_shape[1:])).astype("float32")
    return x, rng.integers(0, 10, rows)


def timed(models, callbacks=None):
    """Median seconds of a step of each, in turn, through `fit`."""
    callbacks, times = callbacks or {}, {name: [] for name in models}
    x, y = data(next(iter(models.values())))
    x, y = np.tile(x, (STEPS, *[1] * (x.ndim - 1))), np.tile(y, STEPS)
    for number in range(ROUNDS + 1):
        for name, model in models.items():
            begin = []

            class Clock(keras.callbacks.Callback):
                """From the second epoch on, for the first one traces."""

                def on_epoch_begin(self, epoch, logs=None, begin=begin):
                    begin.append(time.perf_counter())

            own = [callbacks[name]] if name in callbacks else []
            model.fit(
                x, y, batch_size=128, epochs=3, verbose=0, shuffle=False, callbacks=[Clock(), *own]
            )
            if number:
                times[name].append((begin[2] - begin[1]) / STEPS)
    return {name: statistics.median(values) for name, values in times.items()}


def agree():
    """The same training on the CPU and on the GPU."""
    results = {}
    for device in ("cpu:0", "gpu:0"):
        with keras.device(device):
            found = []
            for make in [pair[0] for pair in OPTIMIZERS.values()]:
                model = net(make(0.001), layers.BatchNormalization, width=32, depth=2)
                x, y = data(model)
                model.fit(x, y, batch_size=32, epochs=2, verbose=0, shuffle=False)
                found.append(model.predict(x, verbose=0))
            words = word2vec(20_000, 64)
            words[0].fit(words[1], epochs=1, verbose=0)
            found.append(keras.ops.convert_to_numpy(words[0].embeddings))
            results[device] = found
    labels = [*OPTIMIZERS, "Word2Vec"]
    for label, a, b in zip(labels, results["cpu:0"], results["gpu:0"], strict=True):
        error = float(np.abs(a - b).max() / np.abs(a).max())
        print(f"{label:24} largest difference, of the largest number: {error:.1e}")
        # Word2Vec draws other noise where the generator is another, so only its size is compared.
        assert error < (2 if label == "Word2Vec" else 0.02), label


def word2vec(tokens, vector_size, words=20_000, **mode):
    rng = np.random.default_rng(0)
    counts = (1e6 / np.arange(1, words + 1)).astype("int64")
    vocabulary = Vocabulary([f"w{i}" for i in range(words)], counts)
    text = rng.choice(words, tokens, p=counts / counts.sum()).astype("int32")
    corpus = Corpus(vocabulary, text, np.arange(0, tokens, 1000), sample=None)
    model = Word2Vec(vocabulary, vector_size, 5, seed=1, **mode)
    model.compile()
    return model, corpus.dataset(16_384, seed=1)


def speeds():
    for image in (True, False):
        kinds = {"ours": layers.BatchNormalization, "keras": keras.layers.BatchNormalization}
        found = timed({k: net("sgd", kind, image=image) for k, kind in kinds.items()})
        show(f"BatchNormalization, {'images' if image else 'dense'}", found)
    for name, (ours, peer) in OPTIMIZERS.items():
        show(name, timed({"ours": net(ours(1e-3)), "keras": net(peer(1e-3))}))
    models = {"ours": net("sgd"), "keras": net("sgd")}
    show(
        "GradientMonitor, with / without", timed(models, {"ours": GradientMonitor(on_problem=None)})
    )
    model, dataset = word2vec(2_000_000, 100)
    model.fit(dataset.take(3), epochs=1, verbose=0)
    begin = time.perf_counter()
    model.fit(dataset, epochs=2, verbose=0)
    print(f"{'Word2Vec':40} {4e6 / (time.perf_counter() - begin):12,.0f} words/s")


def show(label, found):
    ours, peer = found["ours"], found["keras"]
    print(
        f"{label:40} {ours * 1e3:8.3f} ms {peer * 1e3:8.3f} ms   ratio {ours / peer:.2f}",
        flush=True,
    )


def every_step():
    """(what it is, a model, a batch) of each optimizer, of the monitor, and of Word2Vec's modes."""
    for make in optimizers.__dict__.values():
        if isinstance(make, type) and issubclass(make, keras.optimizers.Optimizer):
            wraps = [optimizers.SGD()] if make in WRAPPERS else []
            model = net(make(*wraps), layers.BatchNormalization, width=16, depth=2)
            yield make.__name__, model, data(model)
    model = net(optimizers.Adam(clipnorm=1.0), layers.BatchNormalization, width=16, depth=2)
    callbacks = keras.callbacks.CallbackList([GradientMonitor(histograms=10)], model=model)
    callbacks.on_train_begin()
    yield "GradientMonitor", model, data(model)
    callbacks.on_train_end()
    for architecture in ("skip_gram", "cbow"):
        for output in ("negative_sampling", "hierarchical_softmax", "softmax"):
            model, batches = word2vec(2000, 8, 100, architecture=architecture, output=output)
            yield f"{architecture}, {output}", model, next(iter(batches))


def without_kernel():
    """Operations of our training steps that TensorFlow can only run on the host."""
    import tensorflow as tf
    from tensorflow.python.framework import kernels

    def types(graph):
        for function in [
            graph,
            *(f.graph for f in graph._functions.values() if hasattr(f, "graph")),
        ]:
            yield from ((op.type, op.name) for op in function.get_operations())

    known, found, steps = {}, {}, 0
    for label, model, batch in every_step():
        steps += 1
        model.optimizer.build(model.trainable_variables)
        step = tf.function(lambda *batch, model=model: model.train_step(*batch), autograph=False)
        for kind, name in types(step.get_concrete_function(batch).graph):
            if kind not in known:
                registered = kernels.get_registered_kernels_for_op(kind).kernel
                known[kind] = {kernel.device_type for kernel in registered}
            # An operation with no kernel at all is a symbol, which runs nowhere.
            if known[kind] and not known[kind] & {"GPU", "DEFAULT"}:
                found.setdefault(label, {})[kind] = name
    return steps, found


def main():
    if BACKEND == "tensorflow":
        steps, hosted = without_kernel()
        print(f"Operations without a GPU kernel, in {steps} training steps:", hosted or "none")
    device = gpu()
    if device is None:
        print(f"No GPU is visible to {BACKEND}: nothing is measured.")
        return 0
    print(f"{device}, {BACKEND}, Keras {keras.__version__}, {datetime.date.today()}")
    if BACKEND == "tensorflow":
        import tensorflow as tf

        tf.config.set_soft_device_placement(False)
        try:
            with tf.device("/GPU:0"):
                model = net(optimizers.Adam(1e-3), layers.BatchNormalization, width=16, depth=2)
                x, y = data(model)
                model.train_on_batch(x, y)
            print("A step runs with soft placement off.")
        except Exception as error:
            print(f"A step with soft placement off: {type(error).__name__}: {str(error)[:300]}")
        tf.config.set_soft_device_placement(True)
    agree()
    speeds()
    return 0


if __name__ == "__main__":
    sys.exit(main())
