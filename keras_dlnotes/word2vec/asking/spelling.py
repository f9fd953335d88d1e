"""The error for a word that is not there, with the words one may have meant."""

import difflib
import itertools
import unicodedata

#: How many of the (frequent) words are compared letter by letter: a fraction of a second.
COMPARED = 20_000


def plain(word):
    """Without case and accents."""
    letters = unicodedata.normalize("NFKD", word)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def near(word, words, count=3):
    """Up to ``count`` of ``words`` that look like ``word``, the likeliest first."""
    lower = word.lower()
    alike = list(itertools.islice((w for w in words if w.lower() == lower), count))
    frequent = words[:COMPARED]
    alike += [w for w in frequent if abs(len(w) - len(word)) < 3 and plain(w) == plain(word)]
    similar = [w for w in frequent if abs(len(w) - len(word)) < 3]
    similar = difflib.get_close_matches(word, similar, count, 0.7)
    return list(dict.fromkeys(alike + similar))[:count]


def unknown_word(word, words):
    """The ``KeyError`` to raise."""
    message = f"{word!r} is not among the {len(words)} words"
    if isinstance(word, str) and (similar := near(word, words)):
        message += "; similar ones are " + ", ".join(map(repr, similar))
    return KeyError(message)
