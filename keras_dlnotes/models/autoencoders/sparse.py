"""The sparse autoencoder."""

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.models.autoencoders.base import Autoencoder
from keras_dlnotes.regularizers import L1, KLSparsity


@serializable
class SparseAutoencoder(Autoencoder):
    """Keeps its code mostly silent, so that each unit has to stand for something.

    Two penalties on the code, of shape (batch, code_size):

        "kl":  weight * sum over units of KL(target || mean activation over the batch)
        "l1":  weight * mean over the batch of sum |code|

    The first wants codes in (0, 1), hence the sigmoid; the second goes with any activation.

    Args:
        code_size: Integer. Units of the code, often more than there are inputs.
        hidden: Integers. Units of the layers between. Defaults to none.
        penalty: "kl" or "l1". Defaults to "kl".
        target: Float in (0, 1). Mean activation wanted of a unit, for "kl". Defaults to 0.05.
        weight: Float in [0, inf). Weight of the penalty beside the loss. Defaults to 1e-3.
        activation, output_activation, tied, convolutional, corruption, seed: as in
            `DenoisingAutoencoder`.
        code_activation: Defaults to "sigmoid" for "kl" and "relu" for "l1".

    Example:
        >>> autoencoder = SparseAutoencoder(32, target=0.1, seed=0)
        >>> autoencoder.compile("adam", "mse")
        >>> x = np.random.default_rng(0).normal(size=(64, 10)).astype("float32")
        >>> history = autoencoder.fit(x, epochs=1, verbose=0)
        >>> autoencoder.mean_activations(x).shape
        (32,)

    Reference: Ng, "Sparse autoencoder", CS294A lecture notes, 2011.
    """

    def __init__(
        self,
        code_size,
        hidden=(),
        penalty="kl",
        target=0.05,
        weight=1e-3,
        activation="relu",
        code_activation="auto",
        output_activation=None,
        **kwargs,
    ):
        self.penalty = _checks.one_of("penalty", penalty, ("kl", "l1"))
        self.target = _checks.number("target", target, "(0, 1)")
        self.weight = _checks.number("weight", weight, "[0, inf)")
        if isinstance(code_activation, str) and code_activation == "auto":
            code_activation = "sigmoid" if penalty == "kl" else "relu"
        if penalty == "kl":
            regularizer = KLSparsity(self.target, self.weight)
        else:
            regularizer = L1(self.weight)
        # Rebuilt from penalty, target and weight, so a config need not carry it.
        kwargs.pop("code_regularizer", None)
        super().__init__(
            code_size,
            hidden,
            activation,
            code_activation,
            output_activation,
            code_regularizer=regularizer,
            **kwargs,
        )

    def mean_activations(self, x, batch_size=256):
        """Mean activation of each code unit over `x`: what the penalty holds near `target`."""
        codes = self.encode(x, batch_size)
        return codes.reshape(-1, codes.shape[-1]).mean(0)

    def get_config(self):
        config = super().get_config()
        del config["code_regularizer"]
        return {**config, "penalty": self.penalty, "target": self.target, "weight": self.weight}
