"""A dense layer on another layer's kernel, transposed: the decoder of a tied autoencoder."""

import keras
from keras import ops

from keras_dlnotes._saving import serializable


@serializable
class TiedDense(keras.layers.Layer):
    """Dense layer that borrows its kernel, transposed, from another; only the bias is its own.

        outputs = activation(inputs . transpose(kernel of source) + bias)

    It maps from the source's outputs back to the source's inputs. The kernel is trained once, with
    the gradients of both places added, and saved with its owner.

    Args:
        source: A `keras.layers.Dense`.
        activation: Activation function. Defaults to None, which is linear.
        use_bias: Boolean. Defaults to True.
        bias_initializer: Defaults to "zeros".

    Example:
        >>> encoder = keras.layers.Dense(2, use_bias=False)
        >>> decoder = TiedDense(encoder)
        >>> decoder(encoder(np.ones((1, 3)))).shape[-1]
        3
        >>> len(decoder.trainable_weights)
        1
    """

    def __init__(self, source, activation=None, use_bias=True, bias_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        if not isinstance(source, keras.layers.Dense):
            raise ValueError(f"Argument `source` must be a Dense layer. Received: source={source}")
        # In a closure, since an attribute would make the source a sublayer and save it twice.
        self._source = lambda: source
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, input_shape):
        source = self._source()
        if not source.built:
            raise ValueError(f"The source layer '{source.name}' must be built before `TiedDense`.")
        if self.use_bias:
            shape = (source.kernel.shape[0],)
            self.bias = self.add_weight(shape, self.bias_initializer, name="bias")
        self.built = True

    def call(self, inputs):
        kernel = ops.cast(self._source().kernel, self.compute_dtype)
        outputs = ops.matmul(inputs, ops.transpose(kernel))
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self._source().kernel.shape[0])

    def get_config(self):
        return {
            **super().get_config(),
            "source": keras.saving.serialize_keras_object(self._source()),
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
