"""Vectors in an .npz file whose arrays can be mapped into memory.

`np.savez` writes arrays where they happen to fall; here each begins at a multiple of 64 bytes, so
that products can use the file as it lies. Members are `vectors`, `words` (UTF-8, one after the
other), `ends` (of each word in it), `counts` where they are known, and what else is known of words
as `attribute <name>`. There is no pickle.
"""

import math
import os
import struct
import zipfile

import numpy as np

from keras_dlnotes.word2vec.files import writing

ALIGNMENT = 64
#: What a damaged archive makes `zipfile` and NumPy raise.
DAMAGE = (
    zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, OSError, NotImplementedError,
    RuntimeError, OverflowError, struct.error, SyntaxError,
)  # fmt: skip
#: Zip's fields are tagged; this is the tag in use for padding.
PADDING = 0xD935
#: Sizes of a member's header, and of the field that `force_zip64` adds to it.
HEADER, LONG_SIZES = 30, 20
#: Flags of members that are encrypted, patches, or encrypted strongly.
ENCODED = 0x1 | 0x20 | 0x40
#: Before the names of words' attributes; their counts have a name of their own.
PREFIX = "attribute "


def write(path, words, vectors, attributes):
    encoded = [word.encode(errors="surrogateescape") for word in words]
    arrays = {
        "words": np.frombuffer(b"".join(encoded), np.uint8),
        "ends": np.cumsum([len(word) for word in encoded], dtype=np.int64),
        "vectors": vectors,
    }
    for name, array in attributes.items():
        arrays["counts" if name == "count" else PREFIX + name] = array
    with writing.replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            begin = file.tell() + HEADER + len(member.filename) + LONG_SIZES + 4
            padding = -begin % ALIGNMENT
            member.extra = struct.pack("<HH", PADDING, padding) + bytes(padding)
            with archive.open(member, "w", force_zip64=True) as part:
                np.lib.format.write_array(part, np.ascontiguousarray(array), allow_pickle=False)


def is_store(path):
    with open(path, "rb") as file:
        return file.read(4) == b"PK\3\4"


def read(path, mmap=False):
    """Words, vectors and a dict of attributes, after checks."""
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            arrays = {}
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                arrays[name] = member_array(path, archive, member, mmap and name == "vectors")
        text, ends = arrays["words"].tobytes(), arrays["ends"]
        vectors = arrays["vectors"]
        attributes = {
            name.removeprefix(PREFIX): np.array(array)  # To be written into.
            for name, array in arrays.items()
            if name.startswith(PREFIX)
        }
        if "counts" in arrays:
            attributes["count"] = arrays["counts"].astype(np.int64)
        sizes = np.diff(ends, prepend=0)
        if ends.ndim != 1 or (sizes < 0).any() or int(sizes.sum()) != len(text):
            raise ValueError("the words' ends are wrong")
        if vectors.ndim != 2 or len(vectors) != len(ends):
            raise ValueError(f"{len(ends)} words have vectors of shape {vectors.shape}")
        for name, array in attributes.items():
            if array.shape != ends.shape or array.dtype.kind not in "biufU":
                raise ValueError(f"{len(ends)} words have {name}s of {array.dtype}, {array.shape}")
        ends = ends.tolist()
        words = [
            text[begin:end].decode(errors="surrogateescape")
            for begin, end in zip([0, *ends], ends, strict=False)
        ]
    except DAMAGE as error:
        raise ValueError(f"{str(path)!r} holds no word vectors, or is damaged: {error}") from error
    finite(path, words, vectors)
    return words, vectors, attributes


def member_array(path, archive, member, mmap):
    """One array, whose header must agree with its size before anything is believed."""
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & ENCODED:
        raise ValueError(f"{member.filename} is compressed or encrypted")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{member.filename} has the unknown version {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        begin = file.tell()
        size = dtype.itemsize * math.prod(shape)
        if dtype.hasobject or fortran or min(shape, default=0) < 0:
            raise ValueError(f"{member.filename} is no plain array")
        if begin + size != member.file_size or size > os.path.getsize(path):
            raise ValueError(f"{member.filename} should have {size} bytes of numbers")
        if not mmap or not size:
            return np.frombuffer(file.read(), dtype).reshape(shape)
    with open(path, "rb") as file:
        # Behind the member's header come its name and padding, whose lengths end the header.
        file.seek(member.header_offset + HEADER - 4)
        lengths = struct.unpack("<HH", file.read(4))
    return np.memmap(path, dtype, "r", member.header_offset + HEADER + sum(lengths) + begin, shape)


def finite(path, words, vectors):
    """Refuses what is no number, a block at a time."""
    if not np.issubdtype(vectors.dtype, np.floating):
        raise ValueError(f"{str(path)!r} holds {vectors.dtype} instead of floats")
    for begin in range(0, len(vectors), 1 << 14):
        bad = ~np.isfinite(vectors[begin : begin + (1 << 14)]).all(axis=1)
        if bad.any():
            word = words[begin + int(np.argmax(bad))]
            raise ValueError(f"{str(path)!r} holds NaN or infinity in the vector of {word!r}")
