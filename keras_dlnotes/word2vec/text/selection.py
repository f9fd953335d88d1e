"""Which of the counted words make the vocabulary, and in which order."""

import numpy as np

from keras_dlnotes import _checks


def named(specials, unknown):
    """Special words as a tuple which holds the unknown word too."""
    if isinstance(specials, str):
        _checks.fail("specials", "be several words", specials)
    specials = tuple(specials)
    if unknown is not None and unknown not in specials:
        specials += (unknown,)
    if len(set(specials)) < len(specials) or not all(isinstance(w, str) for w in specials):
        _checks.fail("specials", "be different words", specials)
    return specials, unknown


def rule(name, value):
    """A rule as a function of word and count, whether it came as one or as a set of words."""
    if callable(value):
        return value
    if isinstance(value, str):
        _checks.fail(name, "be words or a function of word and count", value)
    words = frozenset(value)
    return (lambda word, count: word in words) if words else None


def checked(min_count=5, max_size=None, keep=(), drop=(), specials=(), unknown=None, **others):
    """The arguments that say which words to take, each checked."""
    for name, value in others.items():
        raise TypeError(
            f"There is no argument `{name}`. Which words to take is said by `min_count`, "
            f"`max_size`, `keep`, `drop`, `specials` and `unknown`. Received: {name}={value!r}"
        )
    _checks.integer("min_count", min_count, 1)
    specials, unknown = named(specials, unknown)
    if max_size is not None:
        _checks.integer("max_size", max_size, len(specials) + 1)
    return min_count, max_size, rule("keep", keep), rule("drop", drop), specials, unknown


def selected(words, counts, **rules):
    """What a vocabulary is made of, and for each number of a word its index in it (-1: none)."""
    min_count, max_size, keep, drop, specials, unknown = checked(**rules)
    if not len(words):
        raise ValueError("The text is empty: there is no word in it")

    chosen = counts >= min_count
    if keep or drop:
        for number, pair in enumerate(zip(words, counts.tolist(), strict=True)):
            chosen[number] |= bool(keep and keep(*pair))
            chosen[number] &= not (drop and drop(*pair))
    numbers = {words[n]: n for n in np.flatnonzero(counts >= 0)} if specials else {}
    of_specials = [numbers.get(word) for word in specials]
    for number in of_specials:
        if number is not None:
            chosen[number] = False  # It has its place already.
    ids = np.flatnonzero(chosen)
    ids = ids[np.lexsort((-ids, -counts[ids]))]
    if max_size is not None:
        ids = ids[: max_size - len(specials)]
    if not len(ids):
        most = int(np.argmax(counts))
        raise ValueError(
            f"No word is left of {len(words)}. The most frequent, {words[most]!r}, occurs "
            f"{counts[most]} times. Received: min_count={min_count}"
        )

    index = np.full(len(words), -1, np.int32)
    index[ids] = np.arange(len(specials), len(specials) + len(ids), dtype=np.int32)
    own = np.zeros(len(specials), np.int64)
    for place, number in enumerate(of_specials):
        if number is not None:
            index[number], own[place] = place, counts[number]
    if unknown is not None:
        place = specials.index(unknown)
        own[place] += counts[index < 0].sum()
        index[index < 0] = place
    chosen_words = [*specials, *(words[i] for i in ids)]
    chosen = (chosen_words, np.append(own, counts[ids]), specials, unknown)
    return chosen, index
