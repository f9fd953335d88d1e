"""Text as blocks of whole words: plain, gzip, xz or bzip2, in files or directories.

Which compression a file has is read from its first bytes, never from its name.
"""

import bz2
import codecs
import collections.abc
import contextlib
import gzip
import lzma
import os
import pathlib
import zlib

from keras_dlnotes import _checks

#: First bytes of a compressed file -> what opens it.
OPENERS = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\x00": lzma.open, b"BZh": bz2.open}
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError)
WHITESPACE = b" \n\t\r\v\f"
BLOCK = 1 << 20


def text_files(source):
    """All files of ``source``: a path, a directory (its files by name, not deeper) or several."""
    if isinstance(source, (str, os.PathLike)):
        source = [source]
    names = isinstance(source, collections.abc.Iterable) and not hasattr(source, "read")
    source = list(source) if names else source
    if not names or not all(isinstance(path, (str, os.PathLike)) for path in source):
        raise ValueError(
            "Text comes from the path of a file or directory, or from several. Lists of sentences "
            f"go to `from_texts`. Received: {source!r}"
        )
    files = []
    for path in map(pathlib.Path, source):
        if path.is_dir():
            # What a corpus leaves beside its text (see corpus_file.py) is not text.
            files += sorted(
                entry
                for entry in path.iterdir()
                if entry.is_file() and entry.suffix != ".corpus" and entry.name[0] != "."
            )
        elif path.exists():
            files.append(path)
        else:
            raise FileNotFoundError(f"There is no text file {str(path)!r}")
    if not files:
        raise ValueError(f"No text files in {', '.join(map(repr, map(str, source)))}")
    return files


def error_handler(errors):
    """Checks the name of a way to treat invalid UTF-8, as ``bytes.decode`` takes it."""
    try:
        codecs.lookup_error(errors)
    except (LookupError, TypeError):
        _checks.fail("errors", "name what to do with invalid UTF-8, such as 'replace'", errors)
    return errors


@contextlib.contextmanager
def opened(path):
    """The raw file and the stream of its text, decompressed where it has to be."""
    with open(path, "rb") as raw:
        start = raw.read(6)
        raw.seek(0)
        for magic, opener in OPENERS.items():
            if start.startswith(magic):
                yield raw, opener(raw)
                return
        yield raw, raw


def lines(path):
    """Lines of a text file as bytes, whatever its compression."""
    with opened(path) as (_, stream):
        try:
            yield from stream
        except DAMAGE as error:
            raise ValueError(f"{str(path)!r} is damaged: {error}") from error


def blocks(path, errors="strict", size=BLOCK, report=None):
    """Blocks of about ``size`` bytes of valid UTF-8, each of which ends where a word ends.

    ``report`` is called with the number of bytes taken from the file so far.
    """
    position = 0  # of the block in the text, for messages
    with opened(path) as (raw, stream):
        started, more = [], True
        while more:
            try:
                data = stream.read(size)
            except DAMAGE as error:
                raise ValueError(f"{str(path)!r} is damaged: {error}") from error
            more = bool(data)
            if position == 0 and not started:
                data = data.removeprefix(codecs.BOM_UTF8)
            cut = max(data.rfind(bytes([mark])) for mark in WHITESPACE) + 1 if more else 0
            if more and not cut:
                started.append(data)  # A word longer than a block: its end is still to come.
                continue
            block = b"".join([*started, data[:cut]])
            started = [data[cut:]]
            yield valid(block, errors, path, position)
            position += len(block)
            if report is not None:
                report(raw.tell())


def valid(block, errors, path, position):
    """The block itself if it is UTF-8, else what ``errors`` makes of it."""
    try:
        block.decode()
    except UnicodeDecodeError as error:
        if errors == "strict":
            raise not_utf8(error, path, position) from None
        if errors != "surrogateescape":  # which keeps the bytes as they are
            return block.decode(errors=errors).encode()
    return block


def not_utf8(error, path, position=0):
    """The same error, saying where it is and what can be done."""
    error.reason += (
        f" at {position + error.start} of {str(path)!r}, which is not UTF-8. 'replace', 'ignore' "
        "or 'surrogateescape' instead of 'strict' reads it all the same"
    )
    return error
