"""The denoising autoencoder."""

import keras

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.corruption import (
    GaussianCorruption,
    MaskingCorruption,
    SaltAndPepperCorruption,
)
from keras_dlnotes.models.autoencoders.base import Autoencoder

CORRUPTIONS = {
    "gaussian": GaussianCorruption,
    "masking": MaskingCorruption,
    "salt_and_pepper": SaltAndPepperCorruption,
}


@serializable
class DenoisingAutoencoder(Autoencoder):
    """Learns to undo noise that is added to its inputs, while training only.

    With more code units than inputs a plain autoencoder may copy; this one cannot, since what it
    must give back is not what it is shown. `fit(x)` takes clean data and corrupts each batch anew;
    `predict` takes data as they are.

    Args:
        code_size: Integer. Units of the code.
        hidden: Integers. Units (or filters) of the layers between. Defaults to (128,).
        corruption: "gaussian", "masking", "salt_and_pepper" or any layer that is active while
            training only. Defaults to "gaussian".
        noise: Float. Standard deviation of Gaussian noise, or share of the inputs hit by the other
            two. Defaults to 0.5.
        activation, code_activation, output_activation, tied, convolutional, code_regularizer, seed:
            as in every autoencoder here: the decoder mirrors the encoder; `tied` shares kernels;
            `convolutional` reads `hidden` as filters of strided 3 x 3 convolutions.

    Example:
        >>> autoencoder = DenoisingAutoencoder(8, hidden=(16,), noise=0.3, seed=0)
        >>> autoencoder.compile("adam", "mse")
        >>> x = np.random.default_rng(0).normal(size=(32, 10)).astype("float32")
        >>> history = autoencoder.fit(x, epochs=1, verbose=0)
        >>> autoencoder.encode(x).shape, autoencoder.reconstruct(x).shape
        ((32, 8), (32, 10))

    Reference: [Vincent et al., 2010](https://www.jmlr.org/papers/v11/vincent10a.html)
    """

    def __init__(
        self,
        code_size,
        hidden=(128,),
        corruption="gaussian",
        noise=0.5,
        activation="relu",
        code_activation=None,
        output_activation=None,
        **kwargs,
    ):
        if isinstance(corruption, str):
            _checks.one_of("corruption", corruption, tuple(CORRUPTIONS))
            corruption = CORRUPTIONS[corruption](noise, seed=kwargs.get("seed"))
        elif not isinstance(corruption, keras.layers.Layer):
            _checks.fail("corruption", "be a layer or the name of one", corruption)
        self.noise = noise
        super().__init__(
            code_size,
            hidden,
            activation,
            code_activation,
            output_activation,
            corruption=corruption,
            **kwargs,
        )

    def get_config(self):
        return {**super().get_config(), "noise": self.noise}
