"""A size that comes from a file is believed only where the file agrees with itself.

One damaged number could ask for all memory of a machine. What is saved therefore says how many
connections its sizes made, and sizes that make far more are refused before anything is built.
"""

import math

import keras

from keras_dlnotes import _checks

#: So few are built whatever was saved: they harm no machine, and small configs stay free to edit.
HARMLESS = 2**20


def believe(connections, saved):
    """Raises ``ValueError`` if sizes make more than twice the connections they were saved with.

    Files of before this was saved, and configs made by hand, have ``None``: they are believed.
    """
    if saved is None:
        return
    if connections > max(2 * _checks.integer("connections", saved, 0), HARMLESS):
        raise ValueError(
            f"The sizes in this config make {connections} connections; it was saved with {saved}, "
            "so one of them is damaged. If they are meant, take `connections` out of the config."
        )


def written(tree):
    """How many connections saved layers have, of whatever kind: the product of each one's numbers.

    A guess from above, to be had before anything is built; it grows with each size.
    """
    if isinstance(tree, dict):
        sizes = math.prod(_numbers(tree)) if "build_config" in tree else 0
        return sizes + sum(written(value) for value in tree.values())
    return sum(written(value) for value in tree) if isinstance(tree, (list, tuple)) else 0


def counted(config, field):
    """The config with a count of the connections of the layers in a field of it."""
    return {**config, "connections": written(config[field])}


def discounted(config, field):
    """The config without this count, if the layers in the field still have so many."""
    config = dict(config)
    saved = config.pop("connections", None)
    believe(written(config.get(field)), saved)
    return config


#: Numbers of a layer that are no sizes.
OTHERS = {"connections", "seed"}


def _numbers(layer):
    """The sizes of one layer, roughly; what has a class of its own in it is another's."""
    inside = layer.items() if isinstance(layer, dict) else enumerate(layer)
    for key, value in inside:
        if isinstance(value, dict) and "class_name" in value:
            continue
        if isinstance(value, (dict, list, tuple)):
            yield from _numbers(value)
        elif isinstance(value, int) and value > 0 and key not in OTHERS:
            yield int(value)


class Sized:
    """A layer or model that keeps, beside the shape it was built for, its count of connections."""

    def _connections(self, input_shape):
        """A number that grows with each size, of input or config, that makes a weight larger."""
        sizes = keras.tree.flatten(input_shape)
        return math.prod(size for size in sizes if isinstance(size, int))

    def get_build_config(self):
        config = super().get_build_config()
        return config and {**config, "connections": self._connections(_shape(config))}

    def build_from_config(self, config):
        config = dict(config)
        saved, shape = config.pop("connections", None), _shape(config)
        for size in keras.tree.flatten(shape):
            if size is not None:
                _checks.size("input_shape", size, 0)
        try:
            if saved is not None:
                believe(self._connections(shape), saved)
            super().build_from_config(config)
        except IndexError:  # One axis too few.
            _checks.fail("input_shape", f"have the axes that '{self.name}' reads", shape)


def _shape(build_config):
    """The input's shape, or the shapes of all inputs by name."""
    return build_config.get("input_shape", build_config.get("shapes_dict"))
