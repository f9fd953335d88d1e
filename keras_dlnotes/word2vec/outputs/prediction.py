"""Probabilities of words under a trained model, for either output."""

import numpy as np
from keras import ops

#: How many numbers are held at once.
BLOCK = 1 << 22


def context(model, ids):
    """Log-probabilities of all words beside, or amid, the words `ids`."""
    rows = ops.convert_to_numpy(model.embeddings)[ids]
    mean = model.architecture == "skip_gram" or model.cbow_mean
    hidden = rows.mean(axis=0) if mean else rows.sum(axis=0)
    scores = ops.convert_to_numpy(model.output_table) @ hidden
    return of_leaves(model.tree, scores) if model.tree is not None else of_classes(scores)


def score(model, sentences):
    """The sum of the log-probabilities of all pairs in each sentence, windows being whole."""
    tables = [ops.convert_to_numpy(t) for t in (model.embeddings, model.output_table)]
    return np.array([of_sentence(model, model.vocabulary.encode(s), *tables) for s in sentences])


def of_sentence(model, ids, embeddings, output):
    steps = np.r_[-model.window : 0, 1 : model.window + 1]
    # What a block needs most of: a row for each node of each pair, or a number for each word.
    each = len(output) if model.tree is None else len(steps) * 16 * output.shape[1]
    size, total = max(1, BLOCK // each), 0.0
    for begin in range(0, len(ids), size):
        places = np.arange(begin, min(begin + size, len(ids)))
        around = places[:, None] + steps
        there = (around >= 0) & (around < len(ids))
        centres = np.nonzero(there)[0]
        context = ids[around[there]]
        if model.architecture == "skip_gram":
            hidden, rows, targets = embeddings[ids[places]], centres, context
        else:
            hidden = np.zeros((len(places), embeddings.shape[1]), embeddings.dtype)
            np.add.at(hidden, centres, embeddings[context])
            counts = there.sum(axis=1)
            if model.cbow_mean:
                hidden /= np.maximum(counts, 1)[:, None]
            rows = np.flatnonzero(counts)
            targets = ids[places[rows]]
        if model.tree is None:
            logs = of_classes(hidden @ output.T)[rows, targets]
        else:
            logs = of_paths(model.tree, output, hidden, rows, targets)
        total += float(logs.sum(dtype=float))
    return total


def of_classes(scores):
    """Logarithms of the softmax over the last axis."""
    scores = scores - scores.max(axis=-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))


def of_leaves(tree, scores):
    """Log-probabilities of all words from the scores of all inner nodes."""
    branches = -np.logaddexp(0, np.multiply.outer([-1.0, 1.0], scores))
    return np.add.reduceat(branches[tree.bits, tree.nodes], tree.starts[:-1])


def of_paths(tree, output, hidden, rows, targets):
    """Log-probabilities of all branches on the way to each target, from its row of `hidden`."""
    lengths = tree.lengths[targets]
    ends = np.cumsum(lengths)
    at = np.arange(lengths.sum()) + np.repeat(tree.starts[targets] - ends + lengths, lengths)
    scores = np.einsum("ij,ij->i", output[tree.nodes[at]], hidden[np.repeat(rows, lengths)])
    return -np.logaddexp(0, np.where(tree.bits[at], scores, -scores).astype(float))
