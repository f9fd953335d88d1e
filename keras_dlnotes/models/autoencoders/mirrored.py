"""The layers of an encoder and of the decoder that mirrors it."""

import itertools
import math

import keras
import numpy as np

from keras_dlnotes.models.activation import for_one_block
from keras_dlnotes.models.autoencoders.tied_dense import TiedDense


def connections(model, shape):
    """How many the encoder has; the decoder has about as many."""
    widths, each = [math.prod(shape), *model.hidden], 1
    if model.convolutional:
        widths[0], each = shape[-1], 3 * 3
    total = each * sum(a * b for a, b in itertools.pairwise(widths))
    if model.code_size is not None:
        places = math.prod(_halved(shape[:-1], model)) if model.convolutional else 1
        total += places * widths[-1] * model.code_size
    return total


def _halved(sides, model):
    """Height and width after all convolutions: halving rounds up."""
    return tuple(-(-side // 2 ** len(model.hidden)) for side in sides)


def initializer(model, index):
    """Glorot's, each layer with a seed of its own so that no two start alike."""
    seed = model.seed + index if isinstance(model.seed, int) else model.seed
    return keras.initializers.GlorotUniform(seed=seed)


def code(model, index):
    return keras.layers.Dense(
        model.code_size,
        model.code_activation,
        kernel_initializer=initializer(model, index),
        activity_regularizer=model.code_regularizer,
        name="code",
    )


def dense(model, shape):
    """Dense layers down to the code, and the same widths back up."""
    encoder = [
        keras.layers.Dense(
            units,
            for_one_block(model.activation),
            kernel_initializer=initializer(model, i),
            name=f"encode_{i + 1}",
        )
        for i, units in enumerate(model.hidden)
    ]
    encoder.append(code(model, len(encoder)))
    sizes = [*reversed(model.hidden), int(np.prod(shape))]
    decoder = []
    for i, (units, source) in enumerate(zip(sizes, reversed(encoder), strict=True)):
        last = i == len(sizes) - 1
        activation = model.output_activation if last else for_one_block(model.activation)
        name = "reconstruction" if last else f"decode_{i + 1}"
        if model.tied:
            decoder.append(TiedDense(source, activation, name=name))
        else:
            start = initializer(model, len(encoder) + i)
            decoder.append(
                keras.layers.Dense(units, activation, kernel_initializer=start, name=name)
            )
    if len(shape) > 1:
        encoder.insert(0, keras.layers.Flatten(name="flatten"))
        decoder.append(keras.layers.Reshape(shape, name="unflatten"))
    return encoder, decoder


def convolutions(model, shape):
    """Convolutions that halve the picture, and transposed ones that double it again."""

    def convolution(kind, filters, activation, index, name, **more):
        start = initializer(model, index)
        return kind(
            filters,
            3,
            padding="same",
            activation=for_one_block(activation),
            kernel_initializer=start,
            name=name,
            **more,
        )

    depth, (height, width, channels) = len(model.hidden), shape
    encoder = [
        convolution(keras.layers.Conv2D, filters, model.activation, i, f"encode_{i + 1}", strides=2)
        for i, filters in enumerate(model.hidden)
    ]
    # Since halving rounds up, doubling back may overshoot; the surplus is cropped at the end.
    small = _halved((height, width), model)
    decoder = []
    if model.code_size is not None:
        volume = (*small, model.hidden[-1])
        encoder += [keras.layers.Flatten(name="flatten"), code(model, depth)]
        start = initializer(model, depth + 1)
        units = int(np.prod(volume))
        decoder += [
            keras.layers.Dense(
                units,
                for_one_block(model.activation),
                kernel_initializer=start,
                name="decode_code",
            ),
            keras.layers.Reshape(volume, name="unflatten"),
        ]
    else:
        encoder[-1].activity_regularizer = model.code_regularizer
    for i, filters in enumerate(reversed(model.hidden)):
        name = f"decode_{i + 1}"
        index = depth + 2 + i
        kind = keras.layers.Conv2DTranspose
        decoder.append(convolution(kind, filters, model.activation, index, name, strides=2))
    surplus = [side * 2**depth - size for side, size in zip(small, (height, width), strict=True)]
    if any(surplus):
        crop = tuple((0, extra) for extra in surplus)
        decoder.append(keras.layers.Cropping2D(crop, name="crop"))
    output = convolution(
        keras.layers.Conv2D, channels, model.output_activation, 2 * depth + 2, "reconstruction"
    )
    return encoder, [*decoder, output]
