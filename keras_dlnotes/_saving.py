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
        thing.from_config = classmethod(_in_words(thing, "from_config"))
    for name in ("build_from_config", "compile_from_config"):
        if hasattr(thing, name):
            setattr(thing, name, _in_words(thing, name))
    return _register(thing)


def _in_words(thing, name):
    """The method by which a class reads a config, with another kind of error."""
    own, inherited = vars(thing).get(name), getattr(thing, name)

    @functools.wraps(getattr(inherited, "__func__", inherited))
    def read_or_refuse(reader, config, *args, **kwargs):
        kind, instance = type(reader), reader
        if isinstance(reader, type):
            kind, instance = reader, None
        read = getattr(super(thing, reader), name) if own is None else own.__get__(instance, kind)
        try:
            made = read(config, *args, **kwargs)
            if isinstance(made, keras.layers.Layer):
                _ = made.compute_dtype  # What is no dtype policy is found out now, not in a call.
            return made
        except (AttributeError, IndexError) as error:
            raise ValueError(
                f"This config of a {kind.__name__} cannot be read, it may be damaged "
                f"({type(error).__name__}: {error}). Received: {config}"
            ) from error

    return read_or_refuse
