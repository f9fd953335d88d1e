"""What Word2Vec may expect of several machines: a model on paper, and two processes beside it.

    python benchmarks/workers.py [--measure]

The model: a worker computes a step of its own words, then all workers exchange the rows they have
touched, and each applies the rows of all. `--measure` trains one process, and two over loopback,
on the same words, and prints words/s of both. On one machine the two share its cores, so that what
is seen is the cost of the exchange, not a gain.
"""

import argparse
import json
import multiprocessing
import os
import socket
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WORKERS = (1, 2, 4, 8, 16, 32, 64)
#: Bits a second between machines.
NETWORKS = {"1 Gb/s": 1e9, "10 Gb/s": 1e10, "100 Gb/s": 1e11, "400 Gb/s": 4e11}


def step(words=4096, vector_size=100, noise_each=64, noise=32, speed=1.1e6, row_time=5e-8):
    """Seconds and bytes of one worker's step.

    Args:
        words: Centre words a step.
        noise, noise_each: Noise words drawn for how many centre words.
        speed: Centre words a second that one worker computes.
        row_time: Seconds to add one row to a table.
    """
    rows = words + words + words * noise // noise_each  # of the input, the output, and noise
    return {
        "compute": words / speed,
        "rows": rows,
        "bytes": rows * (4 * vector_size + 4),
        "apply": rows * row_time,
    }


def speed_up(workers, bandwidth, **how):
    """Words/s of so many workers over those of one, and seconds of each part.

    Rows are gathered: every worker receives those of all others.
    """
    one = step(**how)
    exchange = (workers - 1) * one["bytes"] * 8 / bandwidth
    apply = (workers - 1) * one["apply"]  # its own rows are part of `compute`
    return workers * one["compute"] / (one["compute"] + exchange + apply), exchange, apply


def table():
    one = step()
    print(
        f"A step of 4096 words: {one['compute'] * 1e3:.1f} ms, {one['rows']} rows, "
        f"{one['bytes'] / 1e6:.1f} MB to send\n"
    )
    print("| workers | received a step | " + " | ".join(NETWORKS) + " |")
    print("|---|---|" + "---|" * len(NETWORKS))
    for workers in WORKERS:
        received = (workers - 1) * one["bytes"] / 1e6
        gains = [f"{speed_up(workers, bits)[0]:.2f}" for bits in NETWORKS.values()]
        print(f"| {workers} | {received:.1f} MB | " + " | ".join(gains) + " |")


# ------------------------------------------------------------------------------- measured


def train(index, ports, folder, queue):
    """One process; without ports it is alone."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if ports:
        cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
        task = {"type": "worker", "index": index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
    import numpy as np
    import tensorflow as tf

    from keras_dlnotes import distribute
    from keras_dlnotes.word2vec import Corpus, Vocabulary, Word2Vec

    kind = tf.distribute.MultiWorkerMirroredStrategy if ports else tf.distribute.get_strategy
    strategy = kind()
    rng = np.random.default_rng(0)
    counts = (1e6 / np.arange(1, 20_001)).astype("int64")
    vocabulary = Vocabulary([f"w{i}" for i in range(20_000)], counts)
    tokens = rng.choice(20_000, 1_000_000, p=counts / counts.sum()).astype("int32")
    corpus = Corpus(vocabulary, tokens, np.arange(0, len(tokens), 1000), sample=None)
    with strategy.scope():
        model = Word2Vec(vocabulary, 100, 5, seed=1)
        model.compile()
    distribute.multi_worker(model)
    data = distribute.shards(
        lambda n, i: corpus.dataset(seed=1, num_shards=n, shard_index=i), strategy
    )
    model.fit(data, steps_per_epoch=3, epochs=1, verbose=0)  # traced, and warm
    begin = time.perf_counter()
    model.fit(data, steps_per_epoch=data.steps, epochs=1, verbose=0)
    queue.put(data.total_words / (time.perf_counter() - begin))


def measure():
    context = multiprocessing.get_context("spawn")
    found = {}
    for count in (1, 2):
        probes = [socket.socket() for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in probes] if count > 1 else []
        for probe in probes:
            probe.close()
        queue = context.Queue()
        processes = [
            context.Process(target=train, args=(i, ports, "", queue)) for i in range(count)
        ]
        for process in processes:
            process.start()
        found[count] = min(queue.get(timeout=280) for _ in processes)
        for process in processes:
            process.join()
        print(f"{count} process(es), {os.cpu_count()} cores in all: {found[count]:,.0f} words/s")
    print(f"ratio: {found[2] / found[1]:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true")
    if parser.parse_args().measure:
        measure()
    else:
        table()
