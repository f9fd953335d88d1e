"""What the processes do that tests start and kill. Imported by them before they part."""

import gc
import json
import os
import signal
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from keras_dlnotes import distribute
from keras_dlnotes.callbacks import BackupAndRestore
from keras_dlnotes.initializers import GlorotUniform
from keras_dlnotes.layers import BatchNormalization
from keras_dlnotes.optimizers import Adam
from keras_dlnotes.word2vec import Corpus, Word2Vec


def data(rows=256):
    x = np.random.default_rng(0).normal(size=(rows, 5)).astype("float32")
    return x, np.tanh(x @ np.ones((5, 1), "float32"))


def mlp():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(8, use_bias=False, kernel_initializer=GlorotUniform(seed=1)),
            BatchNormalization(synchronized=keras.backend.backend() == "tensorflow"),
            keras.layers.Activation("tanh"),
            keras.layers.Dense(1, kernel_initializer=GlorotUniform(seed=2)),
        ]
    )
    model.compile(Adam(0.01), "mse", metrics=["mae"])
    return model


def corpus(sentences=1200):
    """Words of two topics, which never meet."""
    rng = np.random.default_rng(0)
    topics = [[f"{name}{i}" for i in range(10)] for name in ("cat", "car")]
    texts = [rng.choice(topics[i % 2], 8).tolist() for i in range(sentences)]
    return Corpus.from_texts(texts, min_count=1, sample=None)


def word2vec(vocabulary, learning_rate=0.1):
    keras.utils.set_random_seed(0)
    model = Word2Vec(vocabulary, 8, 3, seed=1)
    model.compile(learning_rate=learning_rate)
    return model


def separation(vectors):
    """Mean cosine within topics less that between them, about the centre of all vectors."""
    words = sorted(vectors.words)
    table = np.stack([vectors[word] for word in words])
    table -= table.mean(axis=0)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    cosines = table @ table.T
    same = np.array([[a[:3] == b[:3] for a in words] for b in words])
    other = ~np.eye(len(words), dtype=bool)
    return float(cosines[same & other].mean() - cosines[~same].mean())


# ------------------------------------------------------------------------- several workers


def worker(task, index, ports, folder):
    """Process `index` of a job; what it has to say goes to a file."""
    gc.freeze()  # What was imported stays; looking through it again and again takes seconds.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    os.environ["TF_CONFIG"] = json.dumps(
        {"cluster": cluster, "task": {"type": "worker", "index": index}}
    )
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    results = task(strategy, index, folder)
    np.savez(os.path.join(folder, f"results-{index}.npz"), **results)


def weights(model, prefix=""):
    return {f"{prefix}{i}": np.array(w) for i, w in enumerate(model.get_weights())}


def all_sorts(strategy, index, folder):
    """Keras' own fit, ours on an MLP, evaluate, predict, and Word2Vec."""
    x, y = data()
    results = {}
    with strategy.scope():
        model = mlp()
    try:
        model.fit(x, y, batch_size=64, epochs=1, verbose=0)
        results["plain"] = "works"
    except Exception as error:
        results["plain"] = type(error).__name__
    with strategy.scope():
        model = mlp()
    assert distribute.multi_worker(model, x, y) is model
    fitted = model.fit(
        x, y, batch_size=64, epochs=3, verbose=0, shuffle=False, validation_data=(x, y)
    )
    results |= weights(model, "mlp_")
    results["loss"] = fitted.history["loss"]
    results["val_loss"] = fitted.history["val_loss"]
    results["evaluated"] = model.evaluate(x, y, batch_size=64, verbose=0, return_dict=True)["loss"]
    results["predicted"] = model.predict(x[:64], batch_size=64, verbose=0)

    text = corpus()
    shards = distribute.shards(
        lambda n, i: text.dataset(128, seed=1, num_shards=n, shard_index=i), strategy
    )
    with strategy.scope():
        model = word2vec(text.vocabulary)
    distribute.multi_worker(model)
    begin = time.perf_counter()
    model.fit(shards, steps_per_epoch=shards.steps, epochs=8, verbose=0)
    results["seconds"] = time.perf_counter() - begin
    results["total_words"], results["steps"] = shards.total_words, shards.steps
    results["words_seen"] = float(keras.ops.convert_to_numpy(model.words_seen))
    results["embeddings"] = np.array(model.embeddings)
    return results


def backed_up(strategy, index, folder, kill=None):
    """An MLP with a backup; `kill` (worker, epoch, batch) ends that worker without a word."""
    x, y = data()
    with strategy.scope():
        model = mlp()
    distribute.multi_worker(model, x, y)
    callbacks = [BackupAndRestore(os.path.join(folder, "backup"))]
    if kill is not None and kill[0] == index:
        callbacks.append(KillAt(*kill[1:]))
    results = {}
    begin = time.monotonic()
    try:
        fitted = model.fit(
            x, y, batch_size=64, epochs=4, verbose=0, shuffle=False, callbacks=callbacks
        )
        results["epochs"] = fitted.epoch
    except distribute.WorkerLostError as error:
        results |= {"error": str(error), "waited": time.monotonic() - begin}
    return results | weights(model, "mlp_")


def backed_up_and_killed(strategy, index, folder):
    return backed_up(strategy, index, folder, kill=(1, 2, 1))


def backed_up_and_first_killed(strategy, index, folder):
    return backed_up(strategy, index, folder, kill=(0, 2, 1))


class KillAt(keras.callbacks.Callback):
    """Ends this process at a batch, by a signal nobody can catch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at, self.epoch = (epoch, batch), None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


# ------------------------------------------------------------------ trainings that are killed


class Progress(keras.callbacks.Callback):
    """Says in files that training has begun, and which epochs are done and backed up."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_epoch_begin(self, epoch, logs=None):
        path = os.path.join(self.folder, "begun")
        if not os.path.exists(path):
            with open(path, "w") as file:
                file.write(str(epoch))

    def on_epoch_end(self, epoch, logs=None):
        with open(os.path.join(self.folder, "done"), "w") as file:
            file.write(str(epoch))
        time.sleep(0.02)  # So few epochs pass before a kill that it always comes in time.


def interruptible():
    """Ctrl-C arrives even where the tests run in the background."""
    gc.freeze()
    signal.signal(signal.SIGINT, signal.default_int_handler)


def leave(folder, **arrays):
    np.savez(os.path.join(folder, "draft.npz"), **arrays)
    os.replace(os.path.join(folder, "draft.npz"), os.path.join(folder, "final.npz"))


def train_mlp(folder, epochs, backup=True):
    interruptible()
    x, y = data(64)
    model = mlp()
    callbacks = [BackupAndRestore(os.path.join(folder, "backup")), Progress(folder)]
    model.fit(
        x, y, batch_size=16, epochs=epochs, verbose=0, shuffle=False,
        callbacks=callbacks if backup else None,
    )  # fmt: skip
    leave(folder, **weights(model))


class Sweeping(keras.callbacks.Callback):
    """Says in a file that a sweep over learning rates has begun, and makes it last."""

    def __init__(self, folder):
        super().__init__()
        self.path = os.path.join(folder, "sweeping")

    def on_train_batch_end(self, batch, logs=None):
        open(self.path, "w").close()
        time.sleep(0.02)


def train_after_finding_the_rate(folder, epochs, backup=True):
    """Each start finds the rate anew, and trains with what it found."""
    interruptible()
    from keras_dlnotes.callbacks import LearningRateFinder

    x, y = data(64)
    model = mlp()
    finder = LearningRateFinder(1e-4, 1.0, steps=40, divergence=None)
    found = finder.find(model, x, y, batch_size=16, callbacks=[Sweeping(folder)])
    model.optimizer.learning_rate = found.valley
    callbacks = [BackupAndRestore(os.path.join(folder, "backup")), Progress(folder)]
    model.fit(
        x, y, batch_size=16, epochs=epochs, verbose=0, shuffle=False,
        callbacks=callbacks if backup else None,
    )  # fmt: skip
    leave(folder, losses=found.losses, valley=found.valley, **weights(model))


def train_word2vec(folder, epochs, backup=True):
    interruptible()
    text = corpus(60)
    text.sample = 1e-1
    model = word2vec(text.vocabulary)
    callbacks = [BackupAndRestore(os.path.join(folder, "backup")), Progress(folder)]
    model.fit(
        text.dataset(128, seed=1), epochs=epochs, verbose=0, callbacks=callbacks if backup else None
    )
    leave(folder, embeddings=np.array(model.embeddings), output=np.array(model.output_table))


def encode(folder, *_):
    """Encodes a text again and again, each time after removing what was encoded."""
    interruptible()
    path = os.path.join(folder, "text")
    while True:
        open(os.path.join(folder, "begun"), "w").close()
        Corpus.from_file(path, min_count=1, verbose=0)
        for name in os.listdir(folder):
            if name.endswith(".corpus"):
                os.remove(os.path.join(folder, name))


def save_vectors(folder, *_):
    """Writes vectors over vectors, all numbers of a version being the same."""
    interruptible()
    from keras_dlnotes.word2vec import WordVectors

    words, version = [f"w{i}" for i in range(2000)], 0
    while True:
        version += 1
        vectors = WordVectors(words, np.full((2000, 50), version, "float32"), np.ones(2000))
        vectors.save(os.path.join(folder, "vectors.npz"))
        vectors.save_word2vec_format(os.path.join(folder, "vectors.bin"), binary=True)
        vectors.save_word2vec_format(os.path.join(folder, "vectors.txt"))
        open(os.path.join(folder, "begun"), "w").close()
