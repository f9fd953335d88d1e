"""What the recipe has to know of a `tf.data.Dataset` before it trains on it."""

import numpy as np

from keras_dlnotes.models.data import checked_features


def from_dataset(dataset, validation):
    """A dataset, its validation data, one example and all labels, these two as arrays."""
    if not hasattr(dataset, "element_spec"):
        raise ValueError(f"Without `y`, `x` must be a tf.data.Dataset. Received: {type(dataset)}")
    if not hasattr(validation, "element_spec") and not isinstance(validation, (tuple, list)):
        raise ValueError(
            "A dataset that shuffles cannot be split without leaking: pass `validation` as a "
            f"dataset or a pair of arrays. Received: validation={validation!r}"
        )
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2 or not all(hasattr(s, "shape") for s in spec):
        raise ValueError(f"A dataset must give pairs (x, y). Received: elements {spec}")
    if spec[1].shape.rank == 0:
        raise ValueError("A dataset must be batched: call `.batch(32)`. Received: single examples")
    if int(dataset.cardinality()) == -1:  # tf.data.INFINITE_CARDINALITY
        raise ValueError("A dataset must end: leave out `.repeat()`. Received: an infinite dataset")
    labels, example = [], None
    for x, y in dataset.as_numpy_iterator():
        x = checked_features(x)
        example = x[:1] if example is None else example
        labels.append(y)
    if not labels:
        raise ValueError("The dataset is empty.")
    return dataset, validation, example, np.concatenate(labels)
