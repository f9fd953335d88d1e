"""How many inputs feed a unit, and how many units an input feeds."""

import math

from keras_dlnotes._checks import one_of

KERNELS = ("conv", "depthwise", "transposed")


def compute_fans(shape, kernel="conv", input_axes=None, output_axes=None):
    """`(fan_in, fan_out)` of a kernel.

    A shape alone does not tell a convolution's kernel `(height, width, in, out)` from a depthwise
    one `(height, width, in, multiplier)` or a transposed one `(height, width, out, in)`. Keras
    reads them all as the first, and so starts depthwise layers far too small.

    Args:
        shape: Tuple of integers.
        kernel: `"conv"` for convolutions and Dense, `"depthwise"` (each output sees one channel),
            or `"transposed"`. Defaults to `"conv"`.
        input_axes: Axes of the inputs. With `output_axes` they decide instead of `kernel`.
        output_axes: Axes of the outputs.

    Example:
        >>> compute_fans((3, 3, 16, 32)), compute_fans((3, 3, 16, 1), "depthwise")
        ((144, 288), (9, 9))
        >>> compute_fans((3, 3, 32, 16), "transposed")
        (144, 288)
    """
    one_of("kernel", kernel, KERNELS)
    if input_axes is not None and output_axes is not None:
        return (
            math.prod(shape[axis] for axis in input_axes),
            math.prod(shape[axis] for axis in output_axes),
        )
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = math.prod(shape[:-2])
    if kernel == "depthwise":
        return field, field * shape[-1]
    if kernel == "transposed":
        return field * shape[-1], field * shape[-2]
    return field * shape[-2], field * shape[-1]
