"""The one name under which everything of this package is saved, and how it is read again."""

import functools

import keras

_register = keras.saving.register_keras_serializable(package="keras_dlnotes")


def serializable(thing):
    """Decorator for every class and function that can stand in a saved model.

    The package name is part of the file format: a model saved today holds ``keras_dlnotes>Name``,
    so it never changes. What Keras trips over in a damaged config is told like what we find in it.
    """
    if hasattr(thing, "from_config"):
        thing.from_config = classmethod(_in_words(thing.from_config.__func__))
    for name in ("build_from_config", "compile_from_config"):
        if hasattr(thing, name):
            setattr(thing, name, _in_words(getattr(thing, name)))
    return _register(thing)


def _in_words(read):
    @functools.wraps(read)
    def read_or_refuse(reader, config, *args, **kwargs):
        try:
            made = read(reader, config, *args, **kwargs)
            if isinstance(made, keras.layers.Layer):
                _ = made.compute_dtype  # What is no dtype policy is found out now, not in a call.
            return made
        except (AttributeError, IndexError) as error:
            kind = reader if isinstance(reader, type) else type(reader)
            raise ValueError(
                f"This config of a {kind.__name__} cannot be read, it may be damaged "
                f"({type(error).__name__}: {error}). Received: {config}"
            ) from error

    return read_or_refuse
