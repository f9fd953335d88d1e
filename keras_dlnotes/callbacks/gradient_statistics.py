"""Statistics of gradients on the device, in few passes over the numbers.

Every function takes lists of tensors, one a variable, and returns small vectors, one number a
variable. Nothing here keeps state.
"""

import keras
from keras import ops

#: Histogram bins are powers of two: bin 0 holds everything under 2**LOWEST (zeros too), the last
#: bin everything from 2**HIGHEST on (infinities and NaN too), the others one power each.
LOWEST, HIGHEST = -40, 10
BINS = HIGHEST - LOWEST + 2

DETAILS = (
    "gradient_mean",
    "gradient_std",
    "gradient_max",
    "gradient_zeros",
    "weight_norm",
    "update_ratio",
)


class Values:
    """A gradient's numbers in float32, and how many exact zeros are not among them.

    The gradient of a lookup holds only the rows that were looked up, one for each *occurrence*.
    Rows that occur twice are summed first: the gradient of a table is what its rows sum to.
    """

    def __init__(self, gradient, xla):
        self.missing = 0
        if hasattr(gradient, "indices") and hasattr(gradient, "dense_shape"):
            gradient = self._merged(gradient, xla)
        self.numbers = ops.cast(gradient, "float32")

    def _merged(self, slices, xla):
        import tensorflow as tf

        if xla:  # which cannot know how many different rows there will be
            return tf.convert_to_tensor(slices)
        rows, position = tf.unique(slices.indices)
        merged = tf.math.unsorted_segment_sum(slices.values, position, tf.size(rows))
        size = tf.reduce_prod(tf.cast(slices.dense_shape, tf.float32))
        self.missing = size - tf.cast(tf.size(merged), tf.float32)
        return merged


def sum_of_squares(x):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return 2.0 * tf.nn.l2_loss(x)  # one pass, no copy
    return ops.sum(ops.square(x))


def largest(x):
    return ops.maximum(ops.max(x), -ops.min(x))


def safe_norm(x):
    """The L2 norm where squares would leave float32's range at either end."""
    size = largest(x)
    size = ops.where(ops.logical_and(size > 0, ops.isfinite(size)), size, 1.0)
    return ops.sqrt(sum_of_squares(x / size)) * size


def norms(values):
    """L2 norms, and counts of infinities and NaN.

    Squares of numbers under 1e-19 vanish in float32, and vanishing gradients are what we are here
    to see. The plain sum of squares is taken every time; only if one of them is suspiciously
    small, or not finite, are all computed again the slow and safe way.
    """
    squares = ops.stack([sum_of_squares(each.numbers) for each in values])
    usual = ops.all(ops.logical_and(squares > 1e-30, squares < float("inf")))

    def safe():
        bad = [ops.sum(ops.cast(~ops.isfinite(each.numbers), "float32")) for each in values]
        found = ops.stack([safe_norm(each.numbers) for each in values])
        # NaN is kept for "no such gradient".
        return ops.where(ops.isnan(found), float("inf"), found), ops.stack(bad)

    return ops.cond(usual, lambda: (ops.sqrt(squares), ops.zeros_like(squares)), safe)


def details(values, before, after, sizes):
    """The rows of ``DETAILS`` but the last two, then the norms of weights and updates."""
    rows = []
    for each, old, new, size in zip(values, before, after, sizes, strict=True):
        x, new = each.numbers, ops.reshape(ops.cast(new, "float32"), (-1,))
        mean = ops.sum(x) / size
        most = largest(x)
        scale = ops.where(ops.logical_and(most > 0, ops.isfinite(most)), most, 1.0)
        spread = sum_of_squares((x - mean) / scale) + each.missing * ops.square(mean / scale)
        zeros = ops.sum(ops.cast(ops.equal(x, 0.0), "float32")) + each.missing
        update = safe_norm(new - ops.cast(old, "float32"))
        old_norm = ops.sqrt(sum_of_squares(ops.cast(old, "float32")))
        rows.append(
            ops.stack(
                [
                    mean,
                    ops.sqrt(spread / size) * scale,
                    most,
                    zeros / size,
                    ops.sqrt(sum_of_squares(new)),
                    update,
                    old_norm,
                ]
            )
        )
    return ops.stack(rows, axis=1)


def histogram(x):
    """Counts of the magnitudes of ``x`` in ``BINS`` bins, one for each power of two."""
    x = ops.reshape(ops.cast(x, "float32"), (-1,))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # The exponent field of a float is the floor of its binary logarithm.
        power = tf.bitwise.right_shift(tf.bitcast(x, tf.int32), 23)
        power = tf.bitwise.bitwise_and(power, 0xFF) - 127
        bins = tf.clip_by_value(power - LOWEST + 1, 0, BINS - 1)
        ones = tf.ones_like(x)
        return tf.math.unsorted_segment_sum(ones, bins, BINS)
    magnitude = ops.abs(x)
    power = ops.floor(ops.log2(ops.where(magnitude > 0, magnitude, 1e-38)))
    power = ops.where(ops.isfinite(x), power, HIGHEST + 1.0)
    bins = ops.cast(ops.clip(power - LOWEST + 1, 0, BINS - 1), "int32")
    return ops.segment_sum(ops.ones_like(x), bins, num_segments=BINS)
