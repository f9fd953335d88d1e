"""Probabilities of words under a trained model, for either output."""

import numpy as np
from keras import ops


def context(model, ids):
    """Log-probabilities of all words beside, or amid, the words `ids`."""
    embeddings = ops.convert_to_numpy(model.embeddings)[ids]
    mean = model.architecture == "skip_gram" or model.cbow_mean
    hidden = embeddings.mean(axis=0) if mean else embeddings.sum(axis=0)
    return log_probabilities(model, hidden[None])[0]


def sentence(model, words):
    """The sum of the log-probabilities of all pairs in a sentence, windows being whole."""
    ids = model.vocabulary.encode(words)
    embeddings, window = ops.convert_to_numpy(model.embeddings), model.window
    total = 0.0
    for place, word in enumerate(ids):
        around = np.concatenate(
            [ids[max(0, place - window) : place], ids[place + 1 : place + 1 + window]]
        )
        if not len(around):
            continue
        if model.architecture == "skip_gram":
            logs = log_probabilities(model, embeddings[word][None])[0]
            total += float(logs[around].sum())
        else:
            hidden = embeddings[around]
            hidden = hidden.mean(axis=0) if model.cbow_mean else hidden.sum(axis=0)
            total += float(log_probabilities(model, hidden[None])[0, word])
    return total


def log_probabilities(model, hidden):
    """Of every word, for each row of `hidden`."""
    scores = hidden @ ops.convert_to_numpy(model.output_table).T
    if model.tree is None:
        top = scores.max(axis=1, keepdims=True)
        return scores - top - np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
    signs = 1.0 - 2.0 * model.tree.bits
    logs = -np.logaddexp(0, -scores[:, model.tree.nodes] * signs)
    return np.add.reduceat(logs, model.tree.starts[:-1], axis=1)
