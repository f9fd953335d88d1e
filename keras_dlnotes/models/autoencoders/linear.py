"""The linear autoencoder, which is principal component analysis by gradient descent."""

import numpy as np

from keras_dlnotes._saving import serializable
from keras_dlnotes.models.autoencoders.base import Autoencoder


@serializable
class LinearAutoencoder(Autoencoder):
    """One hidden layer without activation: its best reconstruction is that of PCA.

    Trained on squared error, the decoder's columns span the subspace of the first `code_size`
    principal components (Baldi and Hornik), though the axes within it are arbitrary;
    `to_components` turns them into the principal axes.

    Args:
        code_size: Integer. Number of components.
        tied: Boolean. Whether decoder and encoder share one kernel. Defaults to False.
        seed: Integer seed for the initial weights, or None.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(64, 2)) @ [[3.0, 0, 0], [0, 1, 0]]
        >>> autoencoder = LinearAutoencoder(2, seed=0)
        >>> autoencoder.compile("adam", "mse")
        >>> history = autoencoder.fit(x, epochs=1, verbose=0)
        >>> autoencoder.to_components().shape
        (2, 3)

    Reference: [Baldi & Hornik, 1989](https://doi.org/10.1016/0893-6080(89)90014-2)
    """

    def __init__(self, code_size, *, tied=False, seed=None, **kwargs):
        for fixed in ("hidden", "activation", "code_activation", "output_activation"):
            kwargs.pop(fixed, None)
        super().__init__(code_size, (), None, tied=tied, seed=seed, **kwargs)

    def to_components(self, x=None):
        """Orthonormal rows that span what the decoder can produce.

        Args:
            x: Data to order the axes by: the rows then are the principal axes of `x` within the
                subspace, the widest first. Without it, the right singular vectors of the decoder.

        Returns:
            Array of shape (code_size, inputs). Signs are such that the largest entry is positive.
        """
        if not self.built:
            raise ValueError("No components yet: fit the autoencoder first.")
        inputs = int(np.prod(self.encoder.input_shape[1:]))
        zero, unit = np.zeros((1, self.code_size), "float32"), np.eye(self.code_size)
        offset = self.decode(zero).reshape(1, inputs).astype("float64")
        kernel = self.decode(unit.astype("float32")).reshape(-1, inputs) - offset
        components = np.linalg.svd(kernel, full_matrices=False)[2]
        if x is not None:
            data = np.asarray(x, "float64").reshape(len(x), inputs)
            inside = (data - data.mean(0)) @ components.T
            components = np.linalg.svd(inside, full_matrices=False)[2] @ components
        largest = np.take_along_axis(components, np.abs(components).argmax(1)[:, None], 1)
        return components * np.sign(largest)
