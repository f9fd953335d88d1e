"""`python -m keras_dlnotes.word2vec`: word2vec.c's command line, and questions to its vectors.

python -m keras_dlnotes.word2vec -train text8 -output vectors.bin -cbow 0 -binary 1
python -m keras_dlnotes.word2vec similar vectors.bin king queen
python -m keras_dlnotes.word2vec analogy vectors.bin man king woman
python -m keras_dlnotes.word2vec evaluate vectors.bin questions-words.txt wordsim353.tsv
"""

import argparse
import sys
import time
import warnings

from keras_dlnotes import _checks
from keras_dlnotes.word2vec.asking.clusters import classes
from keras_dlnotes.word2vec.corpus import Corpus
from keras_dlnotes.word2vec.files import writing
from keras_dlnotes.word2vec.text import reading
from keras_dlnotes.word2vec.vectors import WordVectors
from keras_dlnotes.word2vec.vocabulary import Vocabulary


def training_flags():
    """The flags of word2vec.c, with its defaults."""
    parser = argparse.ArgumentParser(
        prog="python -m keras_dlnotes.word2vec",
        description="Trains word vectors. Further commands: similar, analogy, evaluate.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-train", metavar="FILE", required=True, help="text, plain or compressed, or a directory")
    add("-output", metavar="FILE", help="where vectors (or classes) go")
    add("-size", type=int, default=100, help="numbers in a vector (100)")
    add("-window", type=int, default=5, help="words to each side, at most (5)")
    add("-sample", type=float, default=1e-3, help="thin out words more frequent than this (1e-3)")
    add("-hs", type=int, default=0, choices=(0, 1), help="hierarchical softmax (0)")
    add("-negative", type=int, help="negative samples (5, or 0 with -hs 1)")
    add("-iter", type=int, default=5, help="epochs (5)")
    add("-min-count", type=int, default=5, help="leave out rarer words (5)")
    add("-alpha", type=float, help="first learning rate (0.05 for CBOW, else 0.025)")
    add("-classes", type=int, default=0, help="write so many classes instead of vectors (0)")
    add("-binary", type=int, default=0, choices=(0, 1), help="write the binary format (0)")
    add("-cbow", type=int, default=1, choices=(0, 1), help="CBOW (1) or skip-gram (0)")
    add("-save-vocab", metavar="FILE", help="write words and counts")
    add("-read-vocab", metavar="FILE", help="read words and counts instead of counting")
    add("-threads", type=int, default=12, help="taken and not needed: all cores are used")
    add("-debug", type=int, default=2, help="0 for silence (2)")
    add("-seed", type=int, default=1, help="for the same vectors again (1)")
    return parser


def question_flags():
    """The commands that ask."""
    parser = argparse.ArgumentParser(prog="python -m keras_dlnotes.word2vec")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what, words in (
        ("similar", "words nearest to each word", "+"),
        ("analogy", "first is to second as third is to what", 3),
        ("evaluate", "files of analogies (questions-words.txt) or of word pairs", "+"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("vectors", help="file of vectors, of any format")
        command.add_argument("words" if name != "evaluate" else "files", nargs=words)
        if name != "evaluate":
            command.add_argument("-n", type=int, default=10, help="answers (10)")
        command.add_argument("-limit", type=int, help="look at so many words only")
    return parser


def train(flags):
    """What word2vec.c's TrainModel does."""
    output = "hierarchical_softmax" if flags.hs else "negative_sampling"
    negative = flags.negative
    if negative is None:
        negative = 0 if flags.hs else 5
    if bool(flags.hs) == bool(negative):
        raise ValueError("Choose one output: -hs 1 with -negative 0, or -hs 0 with -negative N")
    # What is wrong is said before the hours of work, not after.
    for name, least in (("size", 1), ("window", 1), ("iter", 1), ("min_count", 1), ("classes", 0)):
        _checks.integer("-" + name.replace("_", "-"), getattr(flags, name), least)
    alpha = flags.alpha
    if alpha is None:
        alpha = 0.05 if flags.cbow else 0.025
    _checks.number("-alpha", alpha, "(0, inf)")
    for path in (flags.output, flags.save_vocab):
        if path is not None:
            writing.possible(path)
    verbose = int(flags.debug > 0)
    vocabulary = None
    if flags.read_vocab:
        read = Vocabulary.load(flags.read_vocab, errors="surrogateescape")
        # word2vec.c counts line ends as the word </s>, which is none.
        counts = zip(read.words, read.counts.tolist(), strict=True)
        counts = {word: count for word, count in counts if word != "</s>"}
        vocabulary = Vocabulary.from_counts(counts, min_count=flags.min_count)
    if flags.output is None and flags.save_vocab:
        if vocabulary is None:
            vocabulary = Vocabulary.from_file(
                flags.train, "surrogateescape", min_count=flags.min_count
            )
        vocabulary.save(flags.save_vocab)
        return
    from keras_dlnotes.word2vec.model import Word2Vec

    corpus = Corpus.from_file(
        flags.train,
        min_count=flags.min_count,
        sample=flags.sample,
        vocabulary=vocabulary,
        errors="surrogateescape",
        verbose=verbose,
    )
    if verbose:
        print(f"Vocab size: {len(corpus.vocabulary)}", file=sys.stderr)
        print(f"Words in train file: {corpus.total_words}", file=sys.stderr)
    if flags.save_vocab:
        corpus.vocabulary.save(flags.save_vocab)
    if flags.output is None:
        return
    model = Word2Vec(
        corpus.vocabulary,
        vector_size=flags.size,
        window=flags.window,
        architecture="cbow" if flags.cbow else "skip_gram",
        output=output,
        negative=negative or 5,
        seed=flags.seed,
    )
    model.compile(learning_rate=alpha)
    # CBOW is a sixth faster with larger steps, which a small text has too few of.
    step = 8192 if flags.cbow and corpus.total_words > 1_000_000 else 4096
    dataset = corpus.dataset(step, flags.window, seed=flags.seed)
    words = flags.iter * corpus.total_words
    callbacks = [progress(words)] if verbose else []
    model.fit(dataset, epochs=flags.iter, verbose=0, shuffle=False, callbacks=callbacks)
    if flags.classes:
        write_classes(model.vectors, flags.classes, flags.output)
    else:
        model.vectors.save_word2vec_format(flags.output, binary=bool(flags.binary))


def progress(words):
    """A callback that says how far training is, how fast, and how long it will take."""
    import keras

    def report(model):
        seconds = max(time.monotonic() - started[0], 1e-9)
        seen = int(model.words_seen)
        left = seconds * (words - seen) / max(seen, 1)
        print(
            f"\rProgress: {min(1, seen / words):6.2%}  Words/s: {seen / seconds / 1e3:.1f}k  "
            f"Left: {int(left) // 60}:{int(left) % 60:02d} ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        started[1] = time.monotonic()

    started = [time.monotonic(), 0.0]

    class Progress(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            started[0] = time.monotonic()

        def on_train_batch_end(self, batch, logs=None):
            if time.monotonic() - started[1] > 0.5:
                report(self.model)

        def on_train_end(self, logs=None):
            report(self.model)
            print(file=sys.stderr)

    return Progress()


def write_classes(vectors, number, path):
    """Words with their class, a line each."""
    chosen = classes(vectors.vectors, number)
    with writing.replacing(path) as file:
        for word, label in zip(vectors.words, chosen.tolist(), strict=True):
            file.write(f"{word} {label}\n".encode(errors="surrogateescape"))


def ask(flags):
    """The answers of one of the commands, as lines."""
    vectors = WordVectors.load(flags.vectors, unicode_errors="surrogateescape")
    if flags.command == "evaluate":
        for path in flags.files:
            yield from evaluated(vectors, path, flags.limit or 300_000)
    elif flags.command == "analogy":
        a, b, c = flags.words
        for word, score in vectors.most_similar([b, c], [a], flags.n, restrict_vocab=flags.limit):
            yield f"{word}\t{score:.4f}"
    else:
        answers = vectors.most_similar_batch(flags.words, None, flags.n, restrict_vocab=flags.limit)
        for word, answer in zip(flags.words, answers, strict=True):
            for other, score in answer:
                yield f"{word}\t{other}\t{score:.4f}"


def evaluated(vectors, path, limit):
    """Analogies or word pairs, whichever the file holds."""
    if next(iter(reading.lines(path)), b"").startswith(b":"):
        _, sections = vectors.evaluate_word_analogies(path, limit)
        for section in sections:
            right, all_ = len(section["correct"]), len(section["correct"] + section["incorrect"])
            yield f"{section['section']}\t{right / max(1, all_):.3f}\t{right}/{all_}"
    else:
        pearson, spearman, unknown = vectors.evaluate_word_pairs(path, restrict_vocab=limit)
        scores = f"spearman {spearman[0]:.3f}\tpearson {pearson[0]:.3f}"
        yield f"{path}\t{scores}\tunknown {unknown:.1f}%"


def warn(message, *where):
    """A warning in one line; the place in the code says nothing to who reads it here."""
    print(f"\nWarning: {message}", file=sys.stderr)


def main(arguments=None):
    """Runs the command line; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        with warnings.catch_warnings():
            warnings.showwarning = warn
            if arguments and arguments[0] in ("similar", "analogy", "evaluate"):
                for line in ask(question_flags().parse_args(arguments)):
                    print(line)
            else:
                train(training_flags().parse_args(arguments))
    except (ValueError, KeyError, OSError, EOFError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"Error: {message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="surrogateescape")
    sys.exit(main())
