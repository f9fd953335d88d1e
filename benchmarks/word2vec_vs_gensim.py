"""Word2Vec against gensim: speed, memory and quality, in turn on one machine.

    python benchmarks/word2vec_vs_gensim.py --corpus text8 --epochs 5
    python benchmarks/word2vec_vs_gensim.py --corpus text8 --quick

Each run is a process of its own, so that the peak of memory is its own. gensim gets `corpus_file`
and a worker for each core, ours goes through `model.fit`. Prints a Markdown table; a ratio above 1
is in our favour, except for memory.

What was tried, on two cores with 4 096 words a step (milliseconds a step, 100 numbers a vector):

- the whole gradient under XLA: 5.1; the same by TensorFlow's own kernels: 2.5, for XLA repeats what
  several products share and multiplies transposed matrices on one core. So products and gathers of
  rows are TensorFlow's, chains of elementwise steps are compiled (a sigmoid of a million numbers:
  0.04 against 0.4);
- true words and noise in one product a chunk instead of two: 1.2 instead of 3.0 for the gradient;
- random numbers drawn inside XLA: 7.0 instead of 3.9, for they are drawn anew for each use;
- a scatter of 4 096 rows: 0.68 with `ResourceScatterAdd`, 0.20 with XLA;
- merging rows by `tf.unique` and `unsorted_segment_sum`: 0.8; bounding them by the sum of norms:
  0.2;
- overlapping frames cut from gathered rows by `concat`: 0.41; gathered again by their indices:
  0.24;
- sums over a short axis under XLA: 0.30; the same as a product with ones: 0.08;
- a step for each call from Python: 5 to 7; 16 steps an execution: 3.5;
- CBOW's tree with 255 dense nodes and the others one by one: 14; with 31 dense nodes, the words of
  a step sorted along the leaves and every deep node once for 16 words: 6 to 7. Of 4 096 words there
  are 1.6 rows a word to move then instead of 7;
- skip-gram's tree, 255 dense nodes and a band of deep ones: 18; 127 and each chunk's deep nodes
  once: 14; the deep nodes of eight neighbouring words with all that has one of them in its window:
  12.5. The products of the last do half the work of those before, in a thousand small blocks that
  take a microsecond each beside their work: 30 to 80 thousand million operations a second where
  large ones reach 170. With 16 words or pieces of 64 nodes it is no better;
- CBOW's windows as a product of each chunk with a band matrix, true words and noise in another one:
  1.00; as ten shifted copies of the text added up in one loop, where no row is gathered twice, and
  a row with its own word number by number: .85; noise shared by 64 words instead of 32: .81; by
  128: .79 (left, for fewer different words);
- CBOW's steps of 8 192 words: .82 to .87 of the time of those of 4 096, of 16 384: .77 to .83.
  Skip-gram's speed does not change;
- windows, noise and the tree's layout drawn in the input pipeline, beside the training of the step
  before: 1.00 to 1.05, for both cores have work already;
- skip-gram's pairs sorted along the leaves, 16 to 256 of them with 16 to 64 nodes in a block: as
  long as before. Half the operations, but three times the rows to lay out and to add up; the
  product with transposed rows runs at a third of the rate of one with rows as they lie, below 64
  rows a block;
- a reach of 1 or 2 for a row's step instead of .5, for both tables or the tree's alone: the same
  quality; of 4: with 65 536 words a step twice the analogies of negative sampling (the first 33 MB:
  .074 instead of .037), but on a vocabulary of 20 words it swings up and does not come down;
- the tree's top nodes, which every word of a step meets, bounded by their reach alone: CBOW's
  analogies .257; as far as small steps along their curvature would lead: .270. The deep nodes too:
  .272 (left, for they would take a product more). The hidden vectors too: .273, and as much by .15
  of the curvature. In negative sampling the whole curvature takes CBOW's analogies from .283 to
  .236, and .03 of it makes no difference: a trace counts all directions, and where gradients of
  different words meet in a row they do not point the same way.

After one epoch gensim's vectors are better than ours at the same rate: with two workers and
`corpus_file` each worker counts only its own words for the decay, so that the rate falls to half
within an epoch, and starts the next one where it should be.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

#: Architecture, output, and words a step.
MODES = {
    "sg-ns": ("skip_gram", "negative_sampling", 4096),
    "sg-hs": ("skip_gram", "hierarchical_softmax", 4096),
    "cbow-ns": ("cbow", "negative_sampling", 8192),
    "cbow-hs": ("cbow", "hierarchical_softmax", 8192),
}


def train_ours(args, mode):
    """(seconds of preparing, seconds of training, words, vectors by word)."""
    from keras_dlnotes.word2vec import Corpus, Word2Vec

    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus.from_file(args.corpus, sample=1e-3, cache=folder, verbose=0)
        prepared = time.perf_counter()
        architecture, output, step = MODES[mode]
        model = Word2Vec(corpus.vocabulary, args.vector_size, 5, architecture, output, seed=1)
        model.compile()
        model.fit(corpus.dataset(step, seed=1), epochs=args.epochs, verbose=0)
        end = time.perf_counter()
        words = corpus.total_words * args.epochs
    return prepared - begin, end - prepared, words, (corpus.vocabulary.words, model.vectors.vectors)


def train_gensim(args, mode):
    """The same from gensim."""
    from gensim.models import Word2Vec

    skip_gram, tree = mode.startswith("sg"), mode.endswith("hs")
    model = Word2Vec(
        vector_size=args.vector_size,
        window=5,
        min_count=5,
        sample=1e-3,
        sg=int(skip_gram),
        hs=int(tree),
        negative=0 if tree else 5,
        workers=os.cpu_count(),
        epochs=args.epochs,
        seed=1,
    )
    begin = time.perf_counter()
    model.build_vocab(corpus_file=args.corpus)
    prepared = time.perf_counter()
    model.train(
        corpus_file=args.corpus,
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=args.epochs,
    )
    end = time.perf_counter()
    counts = sum(model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key)
    vectors = model.wv.index_to_key, model.wv.vectors
    return prepared - begin, end - prepared, int(counts) * args.epochs, vectors


def quality(words, vectors, args):
    """Analogies over the 30 000 most frequent words, WS-353, SimLex, where files are given."""
    from gensim.models import KeyedVectors

    table = KeyedVectors(vectors.shape[1])
    table.add_vectors(list(words), vectors)
    scores = {}
    if args.analogies:
        scores["analogies"] = table.evaluate_word_analogies(args.analogies, restrict_vocab=30000)[0]
    for name, path in (("WS-353", args.wordsim), ("SimLex", args.simlex)):
        if path:
            scores[name] = float(table.evaluate_word_pairs(path)[1][0])
    return scores


def one(args, who, mode):
    """One run, in this process."""
    train = train_ours if who == "ours" else train_gensim
    importlib.import_module("keras_dlnotes.word2vec" if who == "ours" else "gensim.models")
    imported = peak()
    prepare, seconds, words, vectors = train(args, mode)
    result = {
        "prepare s": prepare,
        "words/s": words / seconds,
        "memory MB": peak(),
        "of which after importing": peak() - imported,
    }
    return {**result, **quality(*vectors, args)}


def peak():
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", required=True, help="text, a sentence a line")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--vector-size", type=int, default=100)
    parser.add_argument("--analogies", help="questions-words.txt")
    parser.add_argument("--wordsim", help="pairs of words and scores, tab-separated")
    parser.add_argument("--simlex", help="the same")
    parser.add_argument("--quick", action="store_true", help="the first 3 million words, 1 epoch")
    parser.add_argument("--run", nargs=2, metavar=("WHO", "MODE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        print(json.dumps(one(args, *args.run)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if args.quick:
            args.epochs, text = 1, os.path.join(folder, "start.txt")
            with (
                open(args.corpus, encoding="utf-8", errors="replace") as source,
                open(text, "w", encoding="utf-8") as out,
            ):
                left = 3_000_000
                for line in source:
                    tokens = line.split()[:left]
                    out.write(" ".join(tokens) + "\n")
                    left -= len(tokens)
                    if not left:
                        break
            args.corpus = text
        table(args)


def table(args):
    """Runs all modes and prints the table."""
    options = [
        "--corpus",
        args.corpus,
        "--epochs",
        str(args.epochs),
        "--vector-size",
        str(args.vector_size),
    ]
    for name in ("analogies", "wordsim", "simlex"):
        if getattr(args, name):
            options += [f"--{name}", getattr(args, name)]
    print("| mode | | gensim | ours | ratio |\n|---|---|---|---|---|")
    for mode in args.modes:
        results = {}
        for who in ("gensim", "ours"):
            command = [sys.executable, os.path.abspath(__file__), *options, "--run", who, mode]
            run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            results[who] = json.loads(run.stdout.splitlines()[-1])
        for what, theirs in results["gensim"].items():
            ours = results["ours"][what]
            ratio = theirs / ours if what == "prepare s" else ours / theirs
            digits = 3 if theirs < 1 else 1 if theirs < 1e4 else 0
            print(
                f"| {mode} | {what} | {theirs:.{digits}f} | {ours:.{digits}f} | {ratio:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
