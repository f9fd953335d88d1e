"""Words and their vectors, whatever trained them."""

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.word2vec.asking import evaluation, mover, spelling
from keras_dlnotes.word2vec.asking.queries import Queries
from keras_dlnotes.word2vec.attributes import Attributes
from keras_dlnotes.word2vec.files import exports, formats, store

KEYS = (str, int, np.integer)


class WordVectors(Queries):
    """Words with one vector each, to be asked, saved and handed on.

    It answers what gensim's `KeyedVectors` answers, under the same names and with the same numbers,
    and differs where that hurts: files are checked before they are believed and hold no pickle,
    queries come in batches too, and an unknown word's error names similar ones. Its array is
    read-only, so that the norms kept beside it stay right; `add_vectors` changes it.

    Args:
        words: List of different words; or `vector_size` alone, as gensim has it.
        vectors: Array of shape `(words, vector_size)`. Floats stay what they are, anything else
            becomes `float32`. It is not copied.
        counts: How often each word occurs, or `None` where that is not known.
        vector_size: Integer, for starting without words.

    Example:
        >>> vectors = WordVectors(
        ...     ["king", "man", "woman", "queen", "apple"],
        ...     np.array([[3, 1, 0], [0, 1, 0], [0, 0, 1], [3, 0, 1], [-1, 1, 1]]),
        ... )
        >>> vectors["queen"]
        array([3., 0., 1.], dtype=float32)
        >>> vectors.most_similar(positive=["king", "woman"], negative=["man"], topn=1)
        [('queen', 0.79...)]
        >>> round(float(vectors.similarity("king", "queen")), 2)
        0.9
        >>> vectors.doesnt_match(["king", "queen", "apple"])
        'apple'
    """

    def __init__(self, words=(), vectors=None, counts=None, *, vector_size=None):
        if isinstance(words, (int, np.integer)):
            words, vector_size = (), words
        words = list(words)
        if vectors is None:
            size = _checks.size("vector_size", vector_size)
            vectors = np.zeros((0, size), np.float32)
        vectors = np.asanyarray(vectors)
        if not np.issubdtype(vectors.dtype, np.floating):
            vectors = vectors.astype(np.float32)
        if vectors.ndim != 2 or len(vectors) != len(words):
            raise ValueError(
                f"There must be one vector a word. Received: {len(words)} words and vectors of "
                f"shape {vectors.shape}"
            )
        if vector_size not in (None, vectors.shape[1]):
            _checks.fail("vector_size", f"be that of the vectors, {vectors.shape[1]}", vector_size)
        known = {} if counts is None else {"count": np.array(counts, np.int64)}
        self._put(words, vectors, Attributes(len(words), known))

    def _put(self, words, vectors, attributes):
        indices = {word: index for index, word in enumerate(words)}
        if len(indices) < len(words):
            twice = next(word for index, word in enumerate(words) if indices[word] != index)
            raise ValueError(f"The word {twice!r} is there twice")
        vectors = vectors.view()
        vectors.setflags(write=False)
        self.index_to_key, self.key_to_index = words, indices
        self.vectors, self.attributes = vectors, attributes
        self._norms = self._norms_or_one = None

    # ------------------------------------------------------------------------ words and vectors

    def __len__(self):
        return len(self.index_to_key)

    def __contains__(self, word):
        return self.has_index_for(word)

    def __repr__(self):
        return f"<WordVectors of {len(self)} words, vector_size={self.vector_size}>"

    @property
    def words(self):
        """The words, row by row; gensim's name for them is `index_to_key`."""
        return self.index_to_key

    @property
    def counts(self):
        """How often each word occurs, or None where that is not known."""
        return self.attributes.arrays.get("count")

    @property
    def vector_size(self):
        return self.vectors.shape[1]

    @property
    def norms(self):
        """Euclidean norm of each vector."""
        if self._norms is None:
            self._norms = np.linalg.norm(self.vectors, axis=1)
        return self._norms

    @property
    def _divisors(self):
        """The norms, with 1 for that of a zero vector, whose similarity to all is 0."""
        if self._norms_or_one is None:
            divisors = np.where(self.norms > 0, self.norms, 1).astype(self.vectors.dtype)
            self._norms_or_one = divisors
        return self._norms_or_one

    def get_index(self, key, default=None):
        """The row of a word (or of a row's number), else `default`, else a `KeyError`."""
        index = self.key_to_index.get(key)
        if index is not None:
            return index
        if isinstance(key, (int, np.integer)) and 0 <= key < len(self):
            return int(key)
        if default is not None:
            return default
        raise spelling.unknown_word(key, self.index_to_key)

    def has_index_for(self, key):
        return self.get_index(key, -1) >= 0

    def get_vector(self, key, norm=False):
        """The vector of a word, scaled to length 1 if `norm`."""
        index = self.get_index(key)
        vector = np.asarray(self.vectors[index])
        return vector / self._divisors[index] if norm else vector

    def __getitem__(self, keys):
        """One vector for a word, an array of them for a list of words."""
        if isinstance(keys, KEYS):
            return self.get_vector(keys)
        return np.asarray(self.vectors[[self.get_index(key) for key in keys]])

    def get_normed_vectors(self):
        """All vectors scaled to length 1."""
        return np.asarray(self.vectors / self._divisors[:, None])

    def get_mean_vector(
        self, keys, weights=None, pre_normalize=True, post_normalize=False, ignore_missing=True
    ):
        """The weighted mean of words' vectors, which are scaled to length 1 if `pre_normalize`.

        `keys` may hold vectors too; those are taken as they are.
        """
        if len(keys) == 0:
            raise ValueError("There is no mean of nothing. Received: keys=[]")
        weights = np.ones(len(keys)) if weights is None else np.asarray(weights, float)
        if weights.shape != (len(keys),):
            raise ValueError(f"There must be one weight for each of the {len(keys)} keys")
        mean, total = np.zeros(self.vector_size), 0.0
        for key, weight in zip(keys, weights.tolist(), strict=True):
            if isinstance(key, np.ndarray):
                mean += weight * key
            elif not ignore_missing or key in self:
                mean += weight * self.get_vector(key, norm=pre_normalize)
            else:
                continue
            total += abs(weight)
        if total > 0:
            mean /= total
        if post_normalize:
            mean /= np.linalg.norm(mean) or 1
        return mean.astype(self.vectors.dtype)

    # ------------------------------------------------------------------------------- changing

    def add_vector(self, key, vector):
        """Adds one word at the end and returns its row; of a word that is there, the vector."""
        self.add_vectors([key], [vector], replace=True)
        return self.key_to_index[key]

    def add_vectors(self, keys, vectors, extras=None, replace=False, *, counts=None):
        """Adds words at the end. Of words that are there, `replace` says which vector counts.

        `extras` has values of further attributes, a list for each name; `counts` is the same for
        `"count"`.
        """
        if isinstance(keys, KEYS):
            keys, vectors = [keys], np.reshape(vectors, (1, -1))
        keys, vectors = list(keys), np.asarray(vectors, self.vectors.dtype)
        if vectors.shape != (len(keys), self.vector_size):
            raise ValueError(
                f"{len(keys)} words need vectors of shape {(len(keys), self.vector_size)}. "
                f"Received: {vectors.shape}"
            )
        fresh, places, old = {}, [], len(self)
        for key in keys:
            place = self.key_to_index.get(key)
            places.append(old + fresh.setdefault(key, len(fresh)) if place is None else place)
        table = np.concatenate(
            [self.vectors, np.zeros((len(fresh), self.vector_size), self.vectors.dtype)]
        )
        given = set() if replace else set(range(old))
        for place, vector in zip(places, vectors, strict=True):
            if place not in given:
                table[place] = vector
            if not replace:
                given.add(place)
        attributes = self.attributes.grown(len(fresh))
        extras = dict(extras or {}) if counts is None else {**(extras or {}), "count": counts}
        for name, values in extras.items():
            for place, value in zip(places, values, strict=True):
                attributes.set(name, place, value)
        self._put(self.index_to_key + list(fresh), table, attributes)

    def __setitem__(self, keys, vectors):
        self.add_vectors(keys, vectors, replace=True)

    def unit_normalize_all(self):
        """Scales all vectors to length 1 for good."""
        self._put(self.index_to_key, self.get_normed_vectors(), self.attributes)

    def vectors_for_all(self, keys, allow_inference=True, copy_vecattrs=False):
        """The `WordVectors` of those of `keys` that are there, counts and the like on request.

        `allow_inference` is gensim's: no vector is inferred here.
        """
        keys = [key for key in dict.fromkeys(keys) if key in self]
        rows = [self.get_index(key) for key in keys]
        chosen = WordVectors(keys, self.vectors[rows])
        if copy_vecattrs:
            chosen.attributes = self.attributes.taken(rows)
            for key in keys if self.counts is None else ():
                chosen.set_vecattr(key, "count", self.get_vecattr(key, "count"))
        return chosen

    def set_vecattr(self, key, attr, val):
        """Notes a value of a word beside its vector, under any name; `"count"` is its frequency."""
        self.attributes.set(attr, self.get_index(key), val)

    def get_vecattr(self, key, attr):
        """What `set_vecattr` noted. Counts that are not known are ranks: the last word has 1."""
        index, known = self.get_index(key), self.attributes.arrays
        if attr == "count" and attr not in known:
            return len(self) - index
        if attr not in known:
            raise KeyError(f"There is no {attr!r} of words here. Known: {sorted(known)}")
        value = known[attr][index]
        return value.item() if isinstance(value, np.generic) else value

    # ------------------------------------------------------------------------ files and others

    def save(self, path):
        """Writes an .npz file that `load` can map into memory; it replaces an old one when whole.

        It holds plain arrays, which `np.load` reads too.
        """
        store.write(path, self.index_to_key, self.vectors, self.attributes.plain())

    @classmethod
    def load(cls, path, mmap=False, unicode_errors="strict"):
        """Reads a file of vectors, whichever kind it is.

        `save`'s own, word2vec's text (fastText's .vec is the same) and binary, and GloVe's are told
        apart by content; the last three may be compressed. `mmap` leaves the vectors of a saved
        file on disk until they are used.
        """
        if store.is_store(path):
            words, vectors, attributes = store.read(path, mmap)
            read = cls(words, vectors)
            read.attributes = Attributes(len(words), attributes)
            return read
        if mmap:
            raise ValueError(f"Only what `save` has written can be mapped. Received: {path!r}")
        return cls(*formats.read(path, errors=unicode_errors, **formats.guess(path)))

    def save_word2vec_format(self, fname, fvocab=None, binary=False, write_header=True, prefix=""):
        """Writes word2vec's format, the most frequent words first; GloVe's without the header.

        `fvocab` gets the counts. Words with blanks cannot stand in it, `save` keeps those.
        """
        formats.write(self, fname, fvocab, binary, write_header, prefix)

    @classmethod
    def load_word2vec_format(
        cls,
        fname,
        fvocab=None,
        binary=False,
        encoding="utf8",
        unicode_errors="strict",
        limit=None,
        datatype=np.float32,
        no_header=False,
    ):
        """Reads word2vec's format, GloVe's with `no_header`; arguments as in gensim.

        `fvocab` has the counts, `limit` is how many words to read. A file cut short, a header that
        lies, a number that is not finite are errors; of a word that is there twice the first
        counts.
        """
        words, vectors, _ = formats.read(
            fname, binary, not no_header, encoding, unicode_errors, limit, datatype
        )
        counts = formats.read_counts(fvocab, words, encoding, unicode_errors) if fvocab else None
        return cls(words, vectors, counts)

    wmdistance = mover.distance
    evaluate_word_analogies = evaluation.analogies
    evaluate_word_pairs = evaluation.word_pairs
    to_embedding = exports.to_embedding
    to_gensim = exports.to_gensim
    save_projector = exports.save_projector
