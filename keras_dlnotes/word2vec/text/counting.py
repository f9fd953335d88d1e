"""Words to numbers, in the order in which they first appear.

``ByteWords`` reads blocks of text. A dictionary lookup a word would take longer than everything
else together, so NumPy does it for whole blocks: the first 24 bytes of a word are three unsigned
integers, their hash names one slot of a table, and the slot's word is compared with them. Only what
is not in the table goes through a dictionary: first occurrences, words which share their slot with
an earlier one, and words over 24 bytes. The comparison is of all bytes, so the result is exact.
"""

import collections.abc

import numpy as np

#: What ``str.split()`` splits at, in UTF-8: blanks of one byte, and by the number that their bytes
#: are together those of two and of three, such as the no-break and the ideographic space.
BLANKS = [chr(number).encode() for number in range(0x3001) if chr(number).isspace()]
SEPARATES = np.zeros(256, bool)
SEPARATES[[blank[0] for blank in BLANKS if len(blank) == 1]] = True
BEGINS = np.zeros(256, bool)
BEGINS[[blank[0] for blank in BLANKS if len(blank) > 1]] = True
WIDE = {
    size: [int.from_bytes(blank, "big") for blank in BLANKS if len(blank) == size]
    for size in (2, 3)
}
#: The lowest n bytes of a little-endian integer.
LOWEST = np.array([(1 << 8 * n) - 1 for n in range(9)], "<u8")
#: Odd multipliers with well mixed bits; any such do.
MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], "<u8")
LONGEST = 24
#: Slots of the table to begin with, and at most.
SLOTS, MOST_SLOTS = 1 << 16, 1 << 26
#: How many tokens of an iterable are numbered at once.
TOKENS = 100_000


class Numbers(dict):
    """Gives each new key the next number."""

    def __missing__(self, key):
        number = self[key] = len(self)
        return number


class TokenWords:
    """Words to numbers for sentences that are lists of tokens, or strings to be split."""

    def __init__(self):
        self.numbers = Numbers()

    def blocks(self, sentences):
        """The same for an iterable of any length, some 100 000 words at a time."""
        if isinstance(sentences, (str, bytes)):
            raise ValueError("Sentences must be several. Received one string")
        if not isinstance(sentences, collections.abc.Iterable):
            raise ValueError(f"Sentences must be lists of strings. Received: {sentences!r}")
        flat, ends = [], []
        for sentence in sentences:
            if isinstance(sentence, bytes) or not isinstance(sentence, collections.abc.Iterable):
                raise ValueError(f"Sentences must be lists of strings. Received: {sentence!r}")
            flat.extend(sentence.split() if isinstance(sentence, str) else sentence)
            ends.append(len(flat))
            if len(flat) >= TOKENS:
                yield self.encode(flat, ends)
                flat, ends = [], []
        yield self.encode(flat, ends)

    def encode(self, flat, ends):
        """Numbers of all words, and how many words there are up to each sentence's end."""
        known = len(self.numbers)
        ids = np.fromiter(map(self.numbers.__getitem__, flat), np.int32, len(flat))
        if len(self.numbers) > known:
            for word in list(self.numbers)[known:]:
                if not isinstance(word, str):
                    raise ValueError(f"Sentences must be lists of strings. Received: {word!r}")
        return ids, np.array(ends, np.int64)

    def words(self, errors="strict"):
        return list(self.numbers)


class ByteWords:
    """Words to numbers for blocks of text."""

    def __init__(self):
        self.numbers = Numbers({b"": 0})  # Number 0 is an empty slot, and no word.
        self.slots = np.zeros(SLOTS, np.int32)
        self.keys = np.zeros((3, 1 << 15), "<u8")

    def words(self, errors="strict"):
        return [word.decode(errors=errors) for word in list(self.numbers)[1:]]

    def encode(self, block):
        """Numbers of all words, and how many words there are up to each line's end."""
        padded = block + bytes(LONGEST + 8)
        data = np.frombuffer(padded, np.uint8, len(block))
        inside = np.zeros(len(block) + 2, bool)
        np.logical_not(SEPARATES[data], out=inside[1:-1])
        if not block.isascii():
            _part_at_wide_blanks(padded, BEGINS[data], inside[1:])
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        starts, ends = edges[0::2], edges[1::2]
        ids = self._lookup(block, padded, starts, ends)
        return ids - 1, np.searchsorted(starts, np.flatnonzero(data == 10))

    def _lookup(self, block, padded, starts, ends):
        lengths = ends - starts
        eight = np.ndarray((len(block) + LONGEST,), "<u8", buffer=padded, strides=(1,))
        first = eight[starts] & LOWEST[np.minimum(lengths, 8)]
        # Most words have up to eight letters; the other two integers are for the few others.
        long = np.flatnonzero(lengths > 8)
        at, rest = starts[long], lengths[long] - 8
        second = eight[at + 8] & LOWEST[np.minimum(rest, 8)]
        third = eight[at + 16] & LOWEST[np.clip(rest - 8, 0, 8)]
        hashes = first * MIX[0]
        hashes[long] ^= (second * MIX[1]) ^ (third * MIX[2])
        hashes *= MIX[0]

        found = self.slots[self._slot(hashes)]
        same = (self.keys[0, found] == first) & ((self.keys[1, found] == 0) | (lengths > 8))
        their = found[long]
        same[long] &= (self.keys[1, their] == second) & (self.keys[2, their] == third)
        same[long[rest > LONGEST - 8]] = False
        if b"\0" in block:  # which no integer can tell from the end of a word
            same[:] = False
        missed = np.flatnonzero(~same)
        spans = zip(starts[missed].tolist(), ends[missed].tolist(), strict=True)
        numbers, known = self.numbers, len(self.numbers)
        found[missed] = [numbers[block[start:end]] for start, end in spans]
        if len(numbers) > known and b"\0" not in block:
            keys = np.zeros((3, len(starts)), "<u8")
            keys[0], keys[1, long], keys[2, long] = first, second, third
            usable = missed[lengths[missed] <= LONGEST]
            self._remember(found[usable], keys[:, usable], hashes[usable], known)
        return found

    def _slot(self, hashes):
        return (hashes >> np.uint64(64 - (len(self.slots) - 1).bit_length())).astype(np.intp)

    def _remember(self, ids, keys, hashes, known):
        """Puts the new words into the table, an earlier word before a later one."""
        while len(self.numbers) > self.keys.shape[1]:
            self.keys = np.concatenate([self.keys, np.zeros_like(self.keys)], axis=1)
        fresh = ids >= known
        self.keys[:, ids[fresh]] = keys[:, fresh]
        if 4 * len(self.numbers) > len(self.slots) and len(self.slots) < MOST_SLOTS:
            self.slots = np.zeros(4 * len(self.slots), np.int32)
            hashes = self.keys[0] * MIX[0]
            hashes ^= (self.keys[1] * MIX[1]) ^ (self.keys[2] * MIX[2])
            hashes *= MIX[0]
            ids = np.arange(1, len(self.numbers), dtype=np.int32)
            ids = ids[self.keys[0, ids] != 0]
            hashes = hashes[ids]
        slots = self._slot(hashes)[::-1]
        empty = self.slots[slots] == 0
        # Of several words for one slot the last assignment counts, hence the reversal.
        self.slots[slots[empty]] = ids[::-1][empty]


def _part_at_wide_blanks(padded, begins, inside):
    """Marks the bytes of blanks that have several as outside of any word."""
    at = np.flatnonzero(begins)
    first, second, third = (np.frombuffer(padded, np.uint8)[at + k].astype(int) for k in range(3))
    two = first << 8 | second
    for size, number in ((2, two), (3, two << 8 | third)):
        blanks = at[np.isin(number, WIDE[size])]
        for k in range(size):
            inside[blanks + k] = False


def total(blocks):
    """Sums the counts of numbered words over blocks of numbers."""
    counts, waiting = np.zeros(0, np.int64), []
    for ids in blocks:
        waiting.append(ids)
        if sum(map(len, waiting)) >= len(counts):  # so the sum costs no more than the words do
            counts, waiting = added(counts, waiting), []
    return added(counts, waiting)


def added(counts, blocks):
    ids = np.concatenate([np.zeros(0, np.int32), *blocks])
    more = np.bincount(ids, minlength=len(counts))
    more[: len(counts)] += counts
    return more
