"""Text as steps of fixed shape, so that training is one compiled graph."""

import numpy as np

from keras_dlnotes import _checks

#: The centres of a segment. Its halo is moved in vain, which at this length is 2 % of it.
SEGMENT = 512
#: A shorter segment is rounded up to whole chunks of the training step.
CHUNK = 32
#: Words read, thinned out and shuffled at once.
BLOCK = 1 << 20


class Batches:
    """Segments of text with their surroundings, thinned out anew in each epoch.

    A step is a dictionary of `int32` arrays:

    - `"tokens"` (segments, length + 2 window): word indices; the `length` in the middle are centre
      words, the `window` on both sides only context;
    - `"sentences"`, of the same shape: which sentence each token belongs to, -1 for padding;
    - `"words"` (segments, length): how many words of the text, before thinning out, each centre
      word stands for; 0 for padding.

    Blocks of a million words, cut between sentences, come in a new order in each epoch, and so do
    the segments within them. The same seed gives the same steps.

    Args:
        tokens: Array of word indices, possibly memory-mapped.
        sentence_starts: Where each sentence starts.
        keep_probability: With which probability an occurrence of each word is kept; `None`: 1.
        batch_tokens: Centre words a step. Rounded up to whole segments. Defaults to 4096.
        window: The widest window a model may use. Defaults to 16.
        shuffle: Bool. Defaults to True.
        seed: Integer or `None`.
        num_shards: Among how many workers the blocks are divided. Defaults to 1.
        shard_index: Which of them this one is. Defaults to 0.
        block_words: Words in a block, about. Defaults to 2 ** 20.

    Example:
        >>> batches = Batches(
        ...     np.arange(6), np.array([0, 4]), batch_tokens=4, window=1, shuffle=False
        ... )
        >>> step = next(iter(batches.epoch(0)))
        >>> step["tokens"][:, 0]
        array([[0, 0, 1, 2, 3, 4],
               [3, 4, 5, 0, 0, 0]], dtype=int32)
        >>> step["sentences"][:, 0]
        array([[-1,  1,  1,  1,  1,  2],
               [ 1,  2,  2, -1, -1, -1]], dtype=int32)
        >>> step["words"][:, 0]
        array([[1, 1, 1, 1],
               [1, 1, 0, 0]], dtype=int32)
    """

    def __init__(
        self,
        tokens,
        sentence_starts,
        keep_probability=None,
        *,
        batch_tokens=4096,
        window=16,
        shuffle=True,
        seed=None,
        num_shards=1,
        shard_index=0,
        block_words=BLOCK,
    ):
        batch_tokens = _checks.size("batch_tokens", batch_tokens)
        self.window = _checks.size("window", window)
        self.shuffle = _checks.boolean("shuffle", shuffle)
        self.seed = np.random.SeedSequence().entropy if seed is None else _checks.seed("seed", seed)
        self.num_shards = _checks.integer("num_shards", num_shards, 1)
        self.shard_index = _checks.integer("shard_index", shard_index, 0)
        if self.shard_index >= self.num_shards:
            _checks.fail("shard_index", f"be below num_shards={num_shards}", shard_index)
        if not len(tokens):
            raise ValueError("There is no text to train on: `tokens` is empty")
        self.tokens, self.starts = tokens, np.asarray(sentence_starts, np.int64)
        self.keep_probability = keep_probability
        whole = batch_tokens if batch_tokens < CHUNK else -(-batch_tokens // CHUNK) * CHUNK
        self.length = min(SEGMENT, whole)
        self.segments = -(-batch_tokens // self.length)
        self.bounds = _blocks(len(tokens), self.starts, block_words)
        self.own = np.arange(len(self.bounds) - 1)[self.shard_index :: self.num_shards]
        if len(self.bounds) - 1 < self.num_shards:
            # A small text has fewer blocks than there are workers: cut it finer.
            wanted = max(1, len(tokens) // (4 * self.num_shards))
            self.bounds = _blocks(len(tokens), self.starts, wanted)
            self.own = np.arange(len(self.bounds) - 1)[self.shard_index :: self.num_shards]
        #: Words of the text in an epoch of this shard.
        self.total_words = int(np.diff(self.bounds)[self.own].sum())
        self.steps = self._steps()
        #: Which epoch the next pass over the dataset draws.
        self.next_epoch = 0

    def epoch(self, number):
        """The steps of an epoch, as many at once as a block gives, stacked."""
        rng = np.random.default_rng([*np.atleast_1d(self.seed), number, self.shard_index])
        blocks = rng.permutation(self.own) if self.shuffle else self.own
        rows, left = self._nothing(0), self.steps
        for block in blocks:
            fresh = self._segments(*self.bounds[block : block + 2], rng)
            rows = [np.concatenate(pair) for pair in zip(rows, fresh, strict=True)]
            whole = min(len(rows[0]) // self.segments, left)
            if whole:
                yield self._step([row[: whole * self.segments] for row in rows])
            rows, left = [row[whole * self.segments :] for row in rows], left - whole
        while left:
            fill = self._nothing(max(0, self.segments - len(rows[0])))
            rows = [np.concatenate(pair)[: self.segments] for pair in zip(rows, fill, strict=True)]
            yield self._step(rows)
            rows, left = self._nothing(0), left - 1

    def dataset(self):
        """A `tf.data.Dataset`, a new epoch each pass; knows its `total_words` and `batches`."""
        import tensorflow as tf

        def blocks():
            self.next_epoch += 1
            yield from self.epoch(self.next_epoch - 1)

        width = self.length + 2 * self.window
        spec = {
            "tokens": tf.TensorSpec((None, self.segments, width), tf.int32),
            "sentences": tf.TensorSpec((None, self.segments, width), tf.int32),
            "words": tf.TensorSpec((None, self.segments, self.length), tf.int32),
        }
        dataset = tf.data.Dataset.from_generator(blocks, output_signature=spec)
        dataset = dataset.prefetch(1).unbatch()
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(self.steps)).prefetch(8)
        dataset.total_words = self.total_words
        dataset.batches = self
        return dataset

    def _steps(self):
        """How many steps an epoch has: always the same, for Keras wants to know.

        With six standard deviations to spare what is thinned out never leaves too much; steps that
        are not needed are empty.
        """
        sizes = np.diff(self.bounds)[self.own]
        if self.keep_probability is None:
            segments = int(np.sum(-(-sizes // self.length)))
        else:
            bounds = [self.bounds[block : block + 2] for block in self.own]
            mean = variance = 0.0
            for begin, end in bounds:
                share = self.keep_probability[self.tokens[begin:end]]
                mean += float(share.sum(dtype=np.float64))
                variance += float((share * (1 - share)).sum(dtype=np.float64))
            most = min(mean + 6 * np.sqrt(variance), sizes.sum())
            segments = int(most // self.length) + len(sizes)
        return -(-segments // self.segments)

    def left(self):
        """What thinning out leaves of the text, in words."""
        if self.keep_probability is None:
            return "Every sentence is a single word."
        kept = np.mean(self.keep_probability[self.tokens])
        return (
            f"Thinning out frequent words leaves {kept:.2g} of this small text; a Corpus with "
            "sample=None keeps all of it."
        )

    def _nothing(self, count):
        """So many segments of padding."""
        width = self.length + 2 * self.window
        shapes = ((count, width), 0), ((count, width), -1), ((count, self.length), 0)
        return [np.full(shape, value, np.int32) for shape, value in shapes]

    def _step(self, rows):
        rows = [row.reshape(-1, self.segments, *row.shape[1:]) for row in rows]
        return dict(zip(("tokens", "sentences", "words"), rows, strict=True))

    def _segments(self, begin, end, rng):
        """The block's text in segments: tokens, sentences, words of the text."""
        tokens = np.asarray(self.tokens[begin:end], np.int32)
        low, high = np.searchsorted(self.starts, [begin, end])
        sentences = np.zeros(len(tokens), np.int32)
        np.add.at(sentences, self.starts[low:high] - begin, 1)
        sentences = np.cumsum(sentences, dtype=np.int32)
        kept = np.arange(len(tokens))
        if self.keep_probability is not None:
            kept = kept[rng.random(len(tokens), np.float32) < self.keep_probability[tokens]]
            tokens, sentences = tokens[kept], sentences[kept]
        words = np.diff(kept, prepend=-1).astype(np.int32)
        if len(words):
            words[-1] += end - begin - 1 - kept[-1]
        count = -(-len(tokens) // self.length)
        words = np.pad(words, (0, count * self.length - len(words))).reshape(-1, self.length)
        padding = (self.window, self.window + count * self.length - len(tokens))
        width = self.length + 2 * self.window
        tokens = _windows(np.pad(tokens, padding), count, width, self.length)
        sentences = _windows(
            np.pad(sentences, padding, constant_values=-1), count, width, self.length
        )
        order = rng.permutation(count) if self.shuffle else slice(None)
        return [tokens[order], sentences[order], words[order]]


def _windows(stream, count, width, stride):
    if not count:
        return np.zeros((0, width), stream.dtype)
    return np.lib.stride_tricks.sliding_window_view(stream, width)[: count * stride : stride]


def _blocks(size, starts, words):
    """Bounds of blocks of about `words` words, between sentences where those are short enough."""
    bounds = [0]
    while size - bounds[-1] > words:
        wanted = bounds[-1] + words
        at = np.searchsorted(starts, wanted, side="right") - 1
        last = int(starts[at])
        bounds.append(last if last > wanted - words // 2 else wanted)
    return np.array([*bounds, size], np.int64)
