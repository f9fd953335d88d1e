"""Files of vectors as other tools write and read them: word2vec's text and binary, and GloVe's.

A header is believed only as far as the file is long enough for it, so that no lie costs memory.
"""

import os
import warnings

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.word2vec.files import store, writing
from keras_dlnotes.word2vec.text import reading

#: How many lines of text are turned into numbers at once.
LINES = 1000
#: What separates words in these files.
BLANKS = set(" \n\t\r\v\f")
#: No word of any known tool is as long.
LONGEST_WORD = 1 << 16


class CutShortError(EOFError, ValueError):
    """A file ends before what its header promises."""


# ------------------------------------------------------------------------------------- writing


def write(vectors, fname, fvocab=None, binary=False, write_header=True, prefix=""):
    """Writes word2vec's format, the most frequent words first."""
    if fvocab is not None and vectors.counts is None:
        raise ValueError("There are no counts to write. Received: fvocab=" + repr(fvocab))
    order = np.arange(len(vectors))
    if vectors.counts is not None:
        order = np.argsort(-vectors.counts, kind="stable")
    names = [prefix + vectors.index_to_key[row] for row in order]
    for name in names:
        if not name or set(name) & BLANKS:
            raise ValueError(
                f"The word {name!r} cannot stand in this format, which separates by blanks. `save` "
                "keeps all words"
            )
    encoded = [name.encode(errors="surrogateescape") for name in names]
    with writing.replacing(fname) as file:
        if write_header:
            file.write(b"%d %d\n" % vectors.vectors.shape)
        # Nine digits are enough to get the same 32-bit float back, 17 for 64 bits.
        digits = " %.17g" if vectors.vectors.dtype == np.float64 else " %.9g"
        line = digits * vectors.vector_size + "\n"
        for name, row in zip(encoded, order, strict=True):
            vector = vectors.vectors[row]
            if binary:
                file.write(name + b" " + vector.astype("<f4").tobytes() + b"\n")
            else:
                file.write(name + (line % tuple(vector.tolist())).encode())
        if fvocab is not None:
            with writing.replacing(fvocab) as counts:
                for name, row in zip(encoded, order, strict=True):
                    counts.write(name + b" %d\n" % vectors.counts[row])


# ------------------------------------------------------------------------------------- reading


def guess(path):
    """Which format a file has, as keyword arguments of `read`."""
    try:
        with reading.opened(path) as (_, stream):
            head = stream.readline(1 << 16)
            if len(head.split()) != 2 or not all(part.isdigit() for part in head.split()):
                return {"binary": False, "header": False}
            size = min(int(head.split()[1][:16]), 1 << 20)
            line = stream.readline(LONGEST_WORD + 32 * size)
    except reading.DAMAGE as error:
        complain(path, error)
    try:
        numbers = [float(part) for part in line.split()[1:]]
    except ValueError:
        return {"binary": True, "header": True}
    return {"binary": not numbers, "header": True}


def read(
    path,
    binary=False,
    header=True,
    encoding="utf8",
    errors="strict",
    limit=None,
    dtype=np.float32,
):
    """Words, vectors and None, of word2vec's formats and (without `header`) GloVe's."""
    reading.error_handler(errors)
    if limit is not None:
        _checks.integer("limit", limit, 0)
    if binary and not header:
        raise NotImplementedError("A binary file has a header. Received: no_header=True")
    try:
        with reading.opened(path) as (raw, stream):
            rows = size = None
            if header:
                rows, size = sizes(path, stream.readline(1 << 10))
                if raw is stream:
                    left = os.path.getsize(path) - raw.tell()
                    # A word's least: a letter, a blank and its numbers, of two bytes each as text.
                    needed = rows * (2 + (4 if binary else 2) * size - (0 if binary else 1))
                    if needed > left and limit is None:
                        raise CutShortError(
                            f"{str(path)!r} is too short: {rows} vectors of {size} numbers cannot "
                            f"be in {left} bytes. The header lies, or the file was cut"
                        )
            rows = rows if limit is None else min(limit, limit if rows is None else rows)
            reader = read_binary if binary else read_text
            names, vectors, rest = reader(path, stream, rows, size, np.dtype(dtype))
            rest += stream.read(1 << 10)
            if limit is None and rest.strip():
                raise ValueError(f"{str(path)!r} goes on after its {rows} vectors: {rest[:40]!r}")
    except reading.DAMAGE as error:
        complain(path, error)
    words = []
    for name in names:
        try:
            words.append(name.decode(encoding, errors))
        except UnicodeDecodeError as error:
            raise reading.not_utf8(error, f"the word {name!r} of {path}") from None
    store.finite(path, words, vectors)
    return *unique(path, words, vectors), None


def complain(path, error):
    """Raises the error itself if it says what is wrong (no such file, say), or one that does."""
    if isinstance(error, CutShortError) or getattr(error, "errno", None):
        raise error
    raise ValueError(f"{str(path)!r} is damaged: {error}") from error


def sizes(path, line):
    """The two numbers of a header."""
    parts = line.split()
    if len(parts) != 2 or not all(part.isdigit() and len(part) < 16 for part in parts):
        raise ValueError(f"{str(path)!r} begins with no header of two numbers: {line[:40]!r}")
    rows, size = map(int, parts)
    if size < 1:
        raise ValueError(f"{str(path)!r} promises vectors of {size} numbers")
    return rows, size


def unique(path, words, vectors):
    """Without words that are there again."""
    first = {}
    for row, word in enumerate(words):
        first.setdefault(word, row)
    if len(first) < len(words):
        warnings.warn(
            f"{len(words) - len(first)} words of {str(path)!r} are there again; the first counts",
            stacklevel=5,
        )
        vectors = vectors[list(first.values())]
    return list(first), vectors


def read_binary(path, stream, rows, size, dtype):
    """Words, and their numbers behind each: a blank lies between, a line end may follow."""
    names, blocks, waiting, width = [], [np.zeros((0, size), dtype)], [], 4 * size
    data, position = b"", 0
    while len(names) < rows:
        blank = data.find(b" ", position, position + LONGEST_WORD)
        if blank >= 0 and len(data) > blank + width:
            names.append(data[position:blank].lstrip(b"\n"))
            waiting.append(np.frombuffer(data, "<f4", size, blank + 1).astype(dtype))
            position = blank + 1 + width
        else:
            more = stream.read(min(max(1 << 20, width), 1 << 26))
            if not more or (blank < 0 and len(data) - position > LONGEST_WORD):
                raise CutShortError(
                    f"{str(path)!r} ends, or makes no sense, in vector {len(names) + 1} of {rows}. "
                    "The header lies, or the file was cut"
                )
            data, position = data[position:] + more, 0
        if len(waiting) == LINES or (waiting and len(names) == rows):
            blocks.append(np.stack(waiting))
            waiting = []
    return names, np.concatenate(blocks), data[position:]


def read_text(path, stream, rows, size, dtype):
    """Lines of a word and its numbers; without a header the first line says how many."""
    names, blocks, waiting = [], [np.zeros((0, size or 0), dtype)], []

    def convert():
        parts = b" ".join(numbers for _, numbers in waiting).split()
        try:
            block = np.fromiter(map(float, parts), float, len(parts))
        except ValueError:
            block = None
        if block is None or len(block) != len(waiting) * size:
            for number, (name, numbers) in enumerate(waiting, len(names) + 1):
                try:
                    found = len([float(part) for part in numbers.split()])
                except ValueError as error:
                    found = f"not only numbers ({error})"
                if found != size:
                    raise ValueError(
                        f"{str(path)!r}: vector {number}, of {name[:40]!r}, has {found} instead "
                        f"of {size} numbers"
                    )
        names.extend(name for name, _ in waiting)
        with np.errstate(over="ignore"):
            blocks.append(block.reshape(-1, size).astype(dtype))
        waiting.clear()

    header = size is not None
    while rows is None or len(names) + len(waiting) < rows:
        line = stream.readline()
        if not line.strip():
            if line and not header:
                continue
            if header:
                done = len(names) + len(waiting)
                raise CutShortError(
                    f"{str(path)!r} ends after {done} of {rows} vectors. The header lies, or the "
                    "file was cut"
                )
            break
        line = line.rstrip()
        if size is None:
            size = line.count(b" ")
            blocks[0] = np.zeros((0, size), dtype)
            if not size:
                raise ValueError(f"{str(path)!r} begins with no word and numbers: {line[:40]!r}")
        name, _, numbers = line.partition(b" ")
        if not header and numbers.count(b" ") >= size:
            # GloVe's largest files have words with blanks in them.
            name, *numbers = line.rsplit(b" ", size)
            numbers = b" ".join(numbers)
        waiting.append((name, numbers))
        if len(waiting) == LINES:
            convert()
    if waiting:
        convert()
    if size is None:
        raise ValueError(f"{str(path)!r} is empty")
    return names, np.concatenate(blocks), b""


def read_counts(path, words, encoding="utf8", errors="strict"):
    """Counts of words from a vocabulary file, 0 where it has none."""
    counts = {}
    for number, line in enumerate(reading.lines(path), 1):
        try:
            word, count = line.rsplit(None, 1)
            counts[word.decode(encoding, errors)] = int(count)
        except UnicodeDecodeError as error:
            raise reading.not_utf8(error, f"line {number} of {path}") from None
        except ValueError as error:
            raise ValueError(f"{str(path)!r}, line {number} is no word and count") from error
    return [counts.get(word, 0) for word in words]
