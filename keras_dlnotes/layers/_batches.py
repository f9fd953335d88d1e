"""Whatever `adapt` is given, as arrays of rows."""

import keras
import numpy as np
from keras import ops


def batches(data, batch_size):
    """Arrays of rows, whatever the data are."""
    if isinstance(data, keras.utils.PyDataset):
        for index in range(data.num_batches):
            yield first(data[index])
    elif hasattr(data, "shape") or (isinstance(data, list) and not of_batches(data)):
        data = data if hasattr(data, "shape") else np.asarray(data)
        for start in range(0, len(data), batch_size):
            yield data[start : start + batch_size]
    elif hasattr(data, "element_spec"):
        spec = first(data.element_spec)
        # Single examples: taken together, as Keras' own layers take them.
        for batch in data.batch(128) if len(spec.shape) == 1 else data:
            yield first(batch)
    elif hasattr(data, "__iter__") and not isinstance(data, (str, bytes, dict)):
        for batch in data:
            yield first(batch)
    else:
        raise ValueError(
            "Argument `data` must be an array, a dataset or an iterable of batches. "
            f"Received: {type(data)}"
        )


def of_batches(data):
    """Whether a list holds batches, arrays of rank 2 or more, rather than the rows themselves."""
    return not data or len(getattr(first(data[0]), "shape", ())) > 1


def array(batch):
    return ops.convert_to_numpy(batch) if ops.is_tensor(batch) else np.asarray(batch)


def first(batch):
    return batch[0] if isinstance(batch, (tuple, list)) and len(batch) else batch
