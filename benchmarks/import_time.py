"""What ``import keras_dlnotes`` adds to ``import keras``: at most 0.2 s is the promise.

Each round starts a fresh process that imports Keras, then this package, and times both; so the two
are always measured in turn, under the same load.

    python benchmarks/import_time.py [--rounds 5]
"""

import argparse
import statistics
import subprocess
import sys

PROGRAM = """
import time
start = time.perf_counter()
import keras
middle = time.perf_counter()
import keras_dlnotes
print(middle - start, time.perf_counter() - middle)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    times = []
    for _ in range(rounds):
        command = [sys.executable, "-c", PROGRAM]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        times.append([float(word) for word in output.split()])
    keras_time, ours = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"import keras                   {keras_time:6.3f} s")
    print(f"import keras_dlnotes on top    {ours:6.3f} s   ({ours / keras_time:.1%} of it)")


if __name__ == "__main__":
    main()
