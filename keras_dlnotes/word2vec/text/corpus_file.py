"""An encoded text on disk: one file, written whole or not at all, read as it lies.

    HEAD | tokens, int32 | padding to 8 bytes | sentence starts, int64 | JSON

The JSON holds the vocabulary and what the file was made from. Nothing is believed before the sizes
agree with the file's length and the check sums with its contents.
"""

import contextlib
import json
import os
import pathlib
import struct
import tempfile
import zlib

import numpy as np

from keras_dlnotes.word2vec.files import writing
from keras_dlnotes.word2vec.text.counting import total
from keras_dlnotes.word2vec.vocabulary import Vocabulary

MAGIC = b"KDLCORP1"
#: Magic; numbers of tokens, of sentences and of bytes of JSON; check sums of the three.
HEAD = struct.Struct("<8sQQQIII4x")


class Part:
    """An array written to a file piece by piece."""

    def __init__(self, file, dtype):
        self.file, self.dtype = file, np.dtype(dtype)
        self.count = self.check = 0

    def write(self, array):
        data = np.ascontiguousarray(array, self.dtype)
        self.file.write(data.data)
        self.count += len(data)
        self.check = zlib.crc32(data.data, self.check)


def write(stream, select, path, source):
    """Writes a corpus file in one pass over a text, holding no more than a block of it.

    Args:
        stream: Pairs of (numbers of words, numbers of words up to each sentence's end), a block of
            text each, as `counting` makes them.
        select: Function of the counts of all numbers which returns the vocabulary, and each
            number's index in it (-1: not in it).
        path: The file.
        source: What it is made from, JSON-able, for `read` to compare.
    """
    folder = pathlib.Path(path).parent
    with contextlib.ExitStack() as stack:
        scratch = [stack.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in range(3)]
        numbers, ends, starts = map(Part, scratch, ("<i4", "<i8", "<i8"))
        sizes = []

        def spooled():
            for ids, bounds in stream:
                numbers.write(ids)
                ends.write(bounds)
                sizes.append((len(ids), len(bounds)))
                yield ids

        vocabulary, index = select(total(spooled()))
        for file in scratch[:2]:
            file.seek(0)
        with writing.replacing(path) as file:
            file.write(bytes(HEAD.size))
            tokens = Part(file, "<i4")
            start = 0  # of the sentence that is being written
            for words, sentences in sizes:
                ids = index[np.fromfile(scratch[0], "<i4", words)]
                bounds = np.fromfile(scratch[1], "<i8", sentences)
                before = np.append(0, np.cumsum(ids >= 0))
                bounds = np.unique(tokens.count + before[bounds])
                bounds = bounds[bounds > start]
                if len(bounds):
                    starts.write(np.append(start, bounds[:-1]))
                    start = int(bounds[-1])
                tokens.write(ids[ids >= 0])
            if not tokens.count:
                raise ValueError("The corpus is empty: none of its words is in the vocabulary")
            if start < tokens.count:
                starts.write([start])
            file.write(bytes(-file.tell() % 8))
            scratch[2].seek(0)
            while piece := scratch[2].read(1 << 22):
                file.write(piece)
            text = json.dumps({"source": source, "vocabulary": vocabulary.get_config()}).encode()
            file.write(text)
            file.seek(0)
            file.write(
                HEAD.pack(
                    MAGIC, tokens.count, starts.count, len(text),
                    tokens.check, starts.check, zlib.crc32(text),
                )
            )  # fmt: skip


def read(path, source=None):
    """The vocabulary, tokens and sentence starts of a corpus file, the arrays memory-mapped.

    Returns `None` if the file was made from something else than `source`.
    """
    path = str(path)

    def damaged(what):
        return ValueError(f"The corpus file {path!r} is damaged: {what}")

    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(HEAD.size)
        if len(head) < HEAD.size or not head.startswith(MAGIC):
            raise ValueError(f"{path!r} is not a corpus file")
        _, tokens, sentences, length, *checks = HEAD.unpack(head)
        starts_at = HEAD.size + 4 * tokens + (-(HEAD.size + 4 * tokens) % 8)
        text_at = starts_at + 8 * sentences
        if text_at + length != size or not 1 <= sentences <= tokens:
            raise damaged(f"it has {size} bytes and should have {text_at + length}")
        file.seek(text_at)
        text = file.read(length)
    if zlib.crc32(text) != checks[2]:
        raise damaged("wrong check sum of the vocabulary")
    made = json.loads(text)
    if source is not None and made["source"] != source:
        return None
    vocabulary = Vocabulary.from_config(made["vocabulary"])
    arrays = (
        np.memmap(path, "<i4", "r", HEAD.size, (tokens,)),
        np.memmap(path, "<i8", "r", starts_at, (sentences,)),
    )
    limits = (len(vocabulary), tokens)
    for array, check, limit in zip(arrays, checks, limits, strict=False):
        found, block = 0, 1 << 20
        for begin in range(0, len(array), block):
            piece = array[begin : begin + block]
            found = zlib.crc32(piece.data, found)
            if piece.min() < 0 or piece.max() >= limit:
                raise damaged("an index lies outside")
        if found != check:
            raise damaged("wrong check sum")
    return vocabulary, *arrays
