"""Statistics of gradients on the device, in few passes over the numbers.

Every function takes lists of tensors, one a variable, and returns small vectors, one number a
variable. Nothing here keeps state.
"""

import math

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _xla

#: From how many numbers on a variable is worth a place in a program that XLA compiles.
LARGE = 2**16
#: Sums under XLA: so many rows are added up in one loop, and so many numbers are a row.
FOLD, WIDTH = 8, 512

#: Histogram bins are powers of two: bin 0 holds everything under 2**LOWEST (zeros too), the last
#: bin everything from 2**HIGHEST on (infinities and NaN too), the others one power each.
LOWEST, HIGHEST = -40, 10
BINS = HIGHEST - LOWEST + 2

#: What is measured at each step.
NORMS = ("gradient_norm", "clipped_norm")
#: What is measured now and then.
DETAILS = (
    "gradient_mean",
    "gradient_std",
    "gradient_max",
    "gradient_zeros",
    "weight_norm",
    "update_ratio",
)
#: Numbers a variable in one row of the buffer: norms, the count of infinities and NaN, and what
#: ``details`` returns, which has the norms of update and old weights in place of their ratio.
ROW = len(NORMS) + 1 + len(DETAILS) + 1
HISTOGRAMS = ("gradient", "weight", "update")


class Values:
    """A gradient's numbers in float32, and how many exact zeros are not among them.

    The gradient of a lookup holds only the rows that were looked up, one for each *occurrence*.
    Rows that occur twice are summed first: the gradient of a table is what its rows sum to. Known
    are TensorFlow's ``IndexedSlices`` and anything like it with ``ids``, ``values``, ``merged``
    and ``first`` (1 where a repeated row counts and 0 where not), as our optimizers hand on.
    """

    def __init__(self, gradient, size, shape, xla):
        self.size, self.missing = size, 0.0
        if not is_rows(gradient):
            self.numbers = ops.cast(gradient, "float32")
            return
        rows = ops.cast(gradient.values, "float32")
        if getattr(gradient, "merged", False):
            if gradient.first is not None:
                rows = rows * ops.cast(gradient.first, "float32")
        else:
            ids = gradient.ids if hasattr(gradient, "ids") else gradient.indices
            rows = merged(rows, ids, shape[0], xla)
        self.numbers = rows
        self.missing = size - ops.cast(ops.size(rows), "float32")


def is_rows(gradient):
    # PyTorch's tensors have methods of these names.
    return not callable(getattr(gradient, "values", print)) and (
        hasattr(gradient, "indices") or hasattr(gradient, "ids")
    )


def merged(rows, ids, length, xla):
    import tensorflow as tf

    if xla:  # which cannot know beforehand how many different rows there will be
        return tf.math.unsorted_segment_sum(rows, ids, length)
    different, place = tf.unique(ids)
    return tf.math.unsorted_segment_sum(rows, place, tf.size(different))


def total(x):
    """The sum of all numbers."""
    if keras.backend.backend() == "tensorflow" and not _xla.inside():
        return ops.sum(x)
    if None in x.shape:
        return ops.sum(sums_by_unit(x, len(x.shape) - 1))
    n = math.prod(x.shape)
    if n < FOLD * WIDTH:
        return ops.sum(x)
    # XLA on a CPU adds up one number after another. In a product with ones it takes several at
    # once, 18 times as fast; but what goes into a product it writes down first: an eighth of it, if
    # eight rows are added up before.
    x, whole = ops.reshape(x, (-1,)), n - n % (FOLD * WIDTH)
    rows, folded = ops.reshape(x[:whole], (-1, FOLD, WIDTH)), 0.0
    for i in range(FOLD):
        folded = folded + rows[:, i]
    return ops.sum(ops.matmul(folded, ops.ones((WIDTH,), x.dtype))) + ops.sum(x[whole:])


def sums_by_unit(x, axis):
    """The sums over all axes but one; under XLA as a product with ones, see ``total``."""
    last = len(x.shape) - 1
    if axis == last and _xla.inside():
        rows = ops.reshape(x, (-1, ops.shape(x)[axis]))
        return ops.matmul(ops.ones_like(rows[:, 0]), rows)
    return ops.sum(x, axis=[other for other in range(last + 1) if other != axis])


def sums_of_squares(numbers):
    if keras.backend.backend() == "tensorflow" and not _xla.inside():
        import tensorflow as tf

        # One pass, no copy.
        return 2.0 * tf.stack([tf.nn.l2_loss(x) for x in numbers])
    return ops.stack([total(ops.square(x)) for x in numbers])


def sums_of_squares_at_once(numbers):
    """The same for each step of a training: what is large by one program, which XLA compiles.

    TensorFlow's operation reads memory more slowly, and is one call a variable. Each variable in
    the program makes it longer to compile, though, and those whose size only a step knows (so many
    rows were looked up) cannot be in it.
    """
    if not _xla.can_fuse():
        return sums_of_squares(numbers)
    import tensorflow as tf

    def is_large(x):
        return None not in x.shape and math.prod(x.shape) >= LARGE

    large = [x for x in numbers if is_large(x)]
    if not large or tf.executing_eagerly():
        return sums_of_squares(numbers)
    # A function of its own for each training, which goes when that training goes.
    compiled = tf.function(sums_of_squares, jit_compile=True, autograph=False)
    found = iter(tf.unstack(compiled(large)))
    return tf.stack([next(found) if is_large(x) else 2.0 * tf.nn.l2_loss(x) for x in numbers])


def spreads_of(values, means, scales):
    """The sums of squares of (x - mean) / scale; divisions only where one of them is needed."""
    usual = ops.all(ops.logical_and(scales > 1e-12, scales < 1e12))
    means = ops.unstack(means)

    def around():  # made where it is used up, variable by variable
        return [each.numbers - mean for each, mean in zip(values, means, strict=True)]

    return ops.cond(
        usual,
        lambda: sums_of_squares(around()) / ops.square(scales),
        lambda: sums_of_squares(divided(around(), scales)),
    )


def largest_of(numbers):
    """The largest magnitude of each."""
    highest, lowest = (ops.stack([find(x) for x in numbers]) for find in (ops.max, ops.min))
    return ops.maximum(highest, -lowest)


def scales_of(largest):
    """What to divide numbers by, so that their squares stay within float32's range."""
    return ops.where(ops.logical_and(largest > 0, ops.isfinite(largest)), largest, 1.0)


def divided(numbers, scales):
    return [x / scale for x, scale in zip(numbers, ops.unstack(scales), strict=True)]


def norms(values):
    """L2 norms, and counts of infinities and NaN.

    Squares of numbers under 1e-19 vanish in float32, and vanishing gradients are what we are here
    to see. The plain sum of squares is taken every time; only if one of them is suspiciously
    small, or not finite, are all computed again the slow and safe way.
    """
    numbers = [each.numbers for each in values]
    squares = sums_of_squares_at_once(numbers)
    usual = ops.all(ops.logical_and(squares > 1e-30, squares < float("inf")))

    def safe():
        bad = ops.stack([ops.sum(ops.cast(~ops.isfinite(x), "float32")) for x in numbers])
        scales = scales_of(largest_of(numbers))
        found = ops.sqrt(sums_of_squares(divided(numbers, scales))) * scales
        # NaN is kept for "no such gradient".
        return ops.where(ops.isnan(found), float("inf"), found), bad

    return ops.cond(usual, lambda: (ops.sqrt(squares), ops.zeros_like(squares)), safe)


def details(values, before, after):
    """The rows of ``DETAILS`` but the last two, then the norms of weights and updates.

    What can be is done for all variables at once: each operation more takes its time to trace.
    """
    sizes = ops.convert_to_tensor([each.size for each in values], "float32")
    missing = ops.stack([ops.convert_to_tensor(each.missing, "float32") for each in values])
    numbers = [each.numbers for each in values]
    old = [ops.cast(x, "float32") for x in before]
    new = [ops.reshape(ops.cast(x, "float32"), (-1,)) for x in after]
    means = ops.stack([total(x) for x in numbers]) / sizes
    most = largest_of(numbers)
    scales = scales_of(most)
    spreads = spreads_of(values, means, scales) + missing * ops.square(means / scales)
    nonzero = ops.stack([total(ops.cast(ops.not_equal(x, 0.0), "float32")) for x in numbers])
    # Nothing smaller than a rounding error of the weights is left of an update.
    updates = [b - a for a, b in zip(old, new, strict=True)]
    norms = ops.sqrt(sums_of_squares([*new, *updates, *old]))
    stds = ops.sqrt(spreads / sizes) * scales
    zeros = ops.maximum(sizes - nonzero, 0.0) / sizes  # Rounded, there might be fewer than none.
    return ops.concatenate(
        [ops.stack([means, stds, most, zeros]), ops.reshape(norms, (3, len(values)))]
    )


def histogram(x):
    """Counts of the magnitudes of ``x`` in ``BINS`` bins, one for each power of two."""
    x = ops.reshape(ops.cast(x, "float32"), (-1,))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # A float's sign and exponent are its first nine bits: count those, then put the 512 counts
        # into bins. The exponent field is the floor of the binary logarithm, plus 127.
        codes = tf.bitwise.right_shift(tf.bitcast(x, tf.uint32), tf.constant(23, tf.uint32))
        codes = tf.bitcast(codes, tf.int32)
        if _xla.inside():
            counts = tf.math.unsorted_segment_sum(tf.ones_like(x), codes, 512)
        else:  # on several threads
            counts = tf.raw_ops.Bincount(arr=codes, size=512, weights=tf.zeros((0,)))
        power = np.arange(512) % 256 - 127
        return tf.math.unsorted_segment_sum(counts, bin_of(power), BINS)
    magnitude = ops.abs(x)
    power = ops.floor(ops.log2(ops.where(magnitude > 0, magnitude, 1e-38)))
    power = ops.where(ops.isfinite(x), power, HIGHEST + 1.0)
    bins = ops.cast(ops.clip(power - LOWEST + 1, 0, BINS - 1), "int32")
    return ops.segment_sum(ops.ones_like(x), bins, num_segments=BINS)


def bin_of(power):
    return np.clip(power - LOWEST + 1, 0, BINS - 1).astype("int32")
