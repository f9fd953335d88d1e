"""The stacked autoencoder, trained greedily from the outside in."""

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.models.autoencoders.base import Autoencoder


@serializable
class StackedAutoencoder(Autoencoder):
    """A deep autoencoder that can be pre-trained layer by layer, then fine-tuned as a whole.

    `pretrain` takes the outermost pair of encoding and decoding layer, trains it to give back the
    data, encodes the data with it, goes on with the next pair on those codes, and so on to the
    middle. `fit` afterwards trains all layers together. With `corruption` each stage is a denoising
    autoencoder.

    Args:
        code_size: Integer. Units of the innermost code.
        hidden: Integers. Units of the layers outside it, the outermost first.
        activation, code_activation, output_activation, tied, corruption, code_regularizer, seed: as
            in `DenoisingAutoencoder`.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(64, 10)).astype("float32")
        >>> autoencoder = StackedAutoencoder(4, hidden=(8, 6), seed=0)
        >>> [round(len(stage.epoch)) for stage in autoencoder.pretrain(x, epochs=2)]
        [2, 2, 2]
        >>> autoencoder.compile("adam", "mse")
        >>> history = autoencoder.fit(x, epochs=1, verbose=0)  # fine-tuning

    Reference: [Bengio et al., 2006](https://papers.nips.cc/paper/3048)
    """

    def __init__(self, code_size, hidden, activation="relu", **kwargs):
        if kwargs.get("convolutional"):
            _checks.fail("convolutional", "be False for a stacked autoencoder", True)
        if not hidden:
            _checks.fail("hidden", "name at least one layer to stack on", hidden)
        super().__init__(code_size, hidden, activation, **kwargs)

    def pretrain(self, x, epochs=10, batch_size=32, optimizer="adam", loss="mse", verbose=0):
        """Trains the pairs of layers one after the other; returns a Keras history for each.

        Args:
            x: Array of inputs.
            epochs: Integer. Epochs for each stage. Defaults to 10.
            batch_size: Integer. Defaults to 32.
            optimizer: Optimizer config, name or object; each stage gets a fresh copy.
            loss: Loss of each stage's reconstruction. Defaults to "mse".
            verbose: As in `fit`. Defaults to 0.
        """
        _checks.integer("epochs", epochs, 1)
        x = np.asarray(x)
        self._parts(x)

        def trained(part):
            return [layer for layer in part.layers if layer.weights]

        pairs = zip(trained(self.encoder), reversed(trained(self.decoder)), strict=True)
        optimizer = keras.optimizers.get(optimizer)
        data, histories = x.reshape(len(x), -1), []
        for down, up in pairs:
            inputs = keras.Input(data.shape[1:])
            shown = inputs
            if self.corruption is not None:
                # A copy: the model's own is built for its inputs, a stage's are codes.
                shown = type(self.corruption).from_config(self.corruption.get_config())(inputs)
            code = down(shown)
            stage = keras.Model(inputs, up(code))
            stage.compile(type(optimizer).from_config(optimizer.get_config()), loss)
            histories.append(
                stage.fit(data, data, epochs=epochs, batch_size=batch_size, verbose=verbose)
            )
            data = keras.Model(inputs, down(inputs)).predict(data, verbose=0)
        return histories
