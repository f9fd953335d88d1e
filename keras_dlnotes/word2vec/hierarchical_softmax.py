"""Hierarchical softmax as a layer."""

import numpy as np
from keras import ops

from keras_dlnotes._saving import serializable
from keras_dlnotes.word2vec.class_head import ClassHead
from keras_dlnotes.word2vec.huffman import HuffmanTree


@serializable
class HierarchicalSoftmax(ClassHead):
    """Probabilities of many classes at the cost of a path in a Huffman tree.

    For models with very many classes: a step costs O(log classes) an example instead of
    O(classes), and unlike with negative sampling the probabilities are exact and sum to 1.

        P(class | h) = product over the nodes n on the class' path of sigmoid(+-h . v_n)

    Args:
        counts: How often each class occurs: frequent classes get short paths.

    Example:
        >>> import keras, numpy as np
        >>> hidden, label = keras.Input((4,)), keras.Input((), dtype="int32")
        >>> head = HierarchicalSoftmax([50, 30, 15, 5])
        >>> model = keras.Model([hidden, label], head(hidden, label))
        >>> model.compile("sgd")
        >>> history = model.fit([np.ones((8, 4)), np.zeros(8, int)], verbose=0)
        >>> keras.ops.sum(head.probabilities(np.ones((1, 4), "float32"))).numpy().item()
        1.0

    Reference: [Morin & Bengio, 2005](https://proceedings.mlr.press/r5/morin05a.html)
    """

    def __init__(self, counts, **kwargs):
        super().__init__(counts, **kwargs)
        self.tree = HuffmanTree(self.counts)
        longest = int(self.tree.lengths.max())
        inside = np.arange(longest) < self.tree.lengths[:, None]
        place = np.where(inside, self.tree.starts[:-1, None] + np.arange(longest), 0)
        self._nodes = np.where(inside, self.tree.nodes[place], 0).astype("int32")
        self._signs = np.where(inside, 1 - 2 * self.tree.bits[place], 0).astype("float32")

    def build(self, hidden_shape, labels_shape=None):
        self.nodes = self.add_weight(
            (self.classes - 1, hidden_shape[-1]), "zeros", autocast=False, name="nodes"
        )
        self.built = True

    def losses_of(self, hidden, labels):
        """-log P(label) of each example, at the cost of its path."""
        hidden = ops.cast(hidden, self.variable_dtype)
        nodes = ops.take(ops.convert_to_tensor(self._nodes), labels, axis=0)
        signs = ops.cast(ops.take(ops.convert_to_tensor(self._signs), labels, axis=0), hidden.dtype)
        scores = ops.sum(hidden[:, None, :] * ops.take(self.nodes, nodes, axis=0), axis=-1)
        return ops.sum(ops.softplus(-signs * scores) * ops.abs(signs), axis=-1)

    def log_probabilities(self, hidden):
        """Of all classes, (batch, classes)."""
        hidden = ops.cast(hidden, self.variable_dtype)
        scores = ops.matmul(hidden, ops.transpose(self.nodes))
        right, left = ops.log_sigmoid(scores), ops.log_sigmoid(-scores)
        logs = 0.0
        for level in range(self._nodes.shape[1]):
            nodes, signs = self._nodes[:, level], self._signs[:, level]
            logs = logs + ops.take(right, nodes, axis=1) * ops.cast(signs > 0, right.dtype)
            logs = logs + ops.take(left, nodes, axis=1) * ops.cast(signs < 0, right.dtype)
        return logs
