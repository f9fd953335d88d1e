"""How good vectors are: analogies and judgements of similarity."""

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.word2vec.text import reading

#: How many questions are answered by one product.
QUESTIONS = 256


def allowed(vectors, restrict_vocab, case_insensitive):
    """Rows of the words that take part; of two that differ in case only, the first counts."""
    words = vectors.index_to_key[:restrict_vocab]
    case = str.upper if case_insensitive else str
    rows = {}
    for row, word in enumerate(words):
        rows.setdefault(case(word), row)
    return rows, case


def questions(path, case):
    """Names of sections and the questions (four words) in each."""
    sections = []
    for number, line in enumerate(reading.lines(path), 1):
        line = line.decode()
        if line.startswith(": "):
            sections.append((line[2:].strip(), []))
        elif not sections:
            raise ValueError(f"{str(path)!r} has no section before line {number}")
        elif len(words := tuple(case(line).split())) == 4:
            sections[-1][1].append(words)
    return sections


def analogies(
    vectors,
    analogies,
    restrict_vocab=300000,
    case_insensitive=True,
    dummy4unknown=False,
    similarity_function="most_similar",
):
    """Shares of analogies solved, as gensim counts them and many times as fast.

    Args:
        vectors: `WordVectors`.
        analogies: Path of a file in the form of word2vec's questions-words.txt: four words a line,
            sections begun by lines like `: capitals`. It may be compressed.
        restrict_vocab: Only so many of the first words take part.
        case_insensitive: Whether `Paris` is `paris`. Defaults to True.
        dummy4unknown: Whether questions with unknown words count as wrong, instead of not at all.
        similarity_function: `"most_similar"` (3CosAdd) or `"most_similar_cosmul"` (3CosMul).

    Returns:
        The share of all, and a list of dictionaries with the keys `section`, `correct` and
        `incorrect` (lists of questions), the last for all sections together.
    """
    _checks.one_of(
        "similarity_function", similarity_function, ("most_similar", "most_similar_cosmul")
    )
    rows, case = allowed(vectors, restrict_vocab, case_insensitive)
    sections = []
    for name, asked in questions(analogies, case):
        known = [all(word in rows for word in words) for words in asked]
        answered = [words for words, ok in zip(asked, known, strict=True) if ok]
        right = iter(solved(vectors, answered, rows, case, restrict_vocab, similarity_function))
        section = {"section": name, "correct": [], "incorrect": []}
        for words, ok in zip(asked, known, strict=True):
            if ok and next(right):
                section["correct"].append(words)
            elif ok or dummy4unknown:
                section["incorrect"].append(words)
        sections.append(section)
    sections.append(
        {
            "section": "Total accuracy",
            "correct": [words for section in sections for words in section["correct"]],
            "incorrect": [words for section in sections for words in section["incorrect"]],
        }
    )
    correct, incorrect = (len(sections[-1][key]) for key in ("correct", "incorrect"))
    return correct / max(1, correct + incorrect), sections


def solved(vectors, asked, rows, case, restrict_vocab, similarity_function):
    """Whether each of the questions is answered rightly."""
    normed = vectors.vectors[:restrict_vocab] / vectors._divisors[:restrict_vocab, None]
    folded = np.array([rows[case(word)] for word in vectors.index_to_key[:restrict_vocab]])
    ids = np.array([[rows[word] for word in words] for words in asked], int).reshape(-1, 4)
    right = []
    for begin in range(0, len(ids), QUESTIONS):
        a, b, c, expected = ids[begin : begin + QUESTIONS].T
        if similarity_function == "most_similar":
            scores = (normed[b] + normed[c] - normed[a]) @ normed.T
        else:
            minus, *plus = ((1 + normed[word] @ normed.T) / 2 for word in (a, b, c))
            scores = plus[0] * plus[1] / (minus + 1e-6)
        # The words of the question are no answer, in whichever case they are written.
        for word in (a, b, c):
            scores[np.arange(len(a)), word] = -np.inf
        best = scores.argmax(1)
        for i in np.flatnonzero((folded[best] == np.stack([a, b, c])).any(0)).tolist():
            ranking = np.argsort(-scores[i])[:5]
            free = ~np.isin(folded[ranking], [a[i], b[i], c[i]])
            best[i] = ranking[np.argmax(free)] if free.any() else ranking[-1]
        right += (folded[best] == expected).tolist()
    return right


def word_pairs(
    vectors,
    pairs,
    delimiter="\t",
    encoding="utf8",
    restrict_vocab=300000,
    case_insensitive=True,
    dummy4unknown=False,
):
    """How similarities of word pairs agree with what people said.

    Args:
        vectors: `WordVectors`.
        pairs: Path of a file with two words and a number a line, `#` before comments.
        delimiter: What stands between them. Defaults to a tab.
        encoding: Of the file.
        restrict_vocab: Only so many of the first words take part.
        case_insensitive: Whether `Paris` is `paris`. Defaults to True.
        dummy4unknown: Whether pairs with unknown words have similarity 0, instead of being left
            out.

    Returns:
        Pearson's and Spearman's coefficient, each with its p-value (NaN without SciPy), and the
        percentage of pairs with unknown words.
    """
    rows, case = allowed(vectors, restrict_vocab, case_insensitive)
    people, ours, unknown = [], [], 0
    for line in reading.lines(pairs):
        line = line.decode(encoding)
        try:
            first, second, said = case(line).split(delimiter)
            said = float(said)
        except ValueError:
            continue
        if line.startswith("#"):
            continue
        if first in rows and second in rows:
            ours.append(float(vectors.similarity(rows[first], rows[second])))
        else:
            unknown += 1
            if not dummy4unknown:
                continue
            ours.append(0.0)
        people.append(said)
    if len(people) < 2:
        raise ValueError(
            f"{str(pairs)!r} has {len(people)} pairs of known words, {unknown} of unknown ones"
        )
    share = 100 * unknown / (len(people) if dummy4unknown else len(people) + unknown)
    return correlation(people, ours), correlation(ranks(people), ranks(ours)), share


def ranks(values):
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def correlation(x, y):
    """Pearson's coefficient and its two-sided p-value."""
    x, y = (np.asarray(values, float) - np.mean(values) for values in (x, y))
    scale = np.sqrt((x @ x) * (y @ y))
    r = float(np.clip(x @ y / scale, -1, 1)) if scale else float("nan")
    try:
        from scipy import special
    except ImportError:
        return r, float("nan")
    freedom = len(x) - 2
    # Of Student's t = r sqrt(freedom / (1 - r^2)), written with the incomplete beta function.
    return r, float(special.betainc(freedom / 2, 0.5, 1 - r * r)) if freedom else 1.0
