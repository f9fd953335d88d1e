"""Activations as a model's blocks take them: functions, or layers with weights of their own."""

import keras


def for_one_block(activation, name=None):
    """A copy of an activation that is a layer, since its weights fit one width; else itself.

    Example:
        >>> for_one_block("relu")
        'relu'
        >>> for_one_block(keras.layers.PReLU(), "activation_1").name
        'activation_1'
    """
    if not isinstance(activation, keras.layers.Layer):
        return activation
    config = activation.get_config()
    return type(activation).from_config({**config, "name": name or config["name"]})


def layer_for_one_block(activation, name):
    """The same as a layer.

    Example:
        >>> layer_for_one_block("relu", "activation_1")
        <Activation name=activation_1, built=True>
    """
    if isinstance(activation, keras.layers.Layer):
        return for_one_block(activation, name)
    return keras.layers.Activation(activation, name=name)


def build_inside(layer):
    """Builds a layer's activation, if it is a layer: Keras leaves that to the first batch.

    Example:
        >>> model = keras.Sequential(
        ...     [keras.Input((2,)), keras.layers.Dense(3, keras.layers.PReLU())]
        ... )
        >>> build_inside(model.layers[0])
        >>> [tuple(variable.shape) for variable in model.trainable_variables]
        [(2, 3), (3,), (3,)]
    """
    activation = getattr(layer, "activation", None)
    if isinstance(activation, keras.layers.Layer) and not activation.built:
        activation.build(layer.output.shape)


def plain_name(activation):
    """What an activation is called, be it a name, a function or a layer.

    Example:
        >>> plain_name("relu"), plain_name(keras.activations.relu), plain_name(keras.layers.ReLU())
        ('relu', 'relu', 'ReLU')
    """
    if isinstance(activation, keras.layers.Layer):
        return type(activation).__name__  # Its name may be "re_lu_3".
    return getattr(activation, "__name__", str(activation))
