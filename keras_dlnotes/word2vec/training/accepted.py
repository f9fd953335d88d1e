"""What `Word2Vec` takes as data, and what it says of anything else."""

from keras_dlnotes import _checks
from keras_dlnotes.word2vec.corpus import Corpus


def check_data(name, data, vocabulary):
    """Refuses what is no batches, and batches of other words than the model's."""
    if isinstance(data, (Corpus, str, list)):
        _checks.fail(name, "be batches, such as `corpus.dataset()` gives", data)
    words = getattr(data, "vocabulary", vocabulary).words
    if words != vocabulary.words:
        raise ValueError(
            f"Argument `{name}` must have the words of the model: give its Corpus "
            f"vocabulary=model.vocabulary. Received: a vocabulary of {len(words)} words, "
            f"where the model has another of {len(vocabulary)}"
        )


def one_batch(data):
    """The batch in what Keras hands to a step."""
    batch = data[0] if isinstance(data, (tuple, list)) else data
    if not isinstance(batch, dict) or not {"tokens", "sentences", "words"} <= batch.keys():
        raise ValueError("Word2Vec trains on batches from Corpus.dataset")
    return batch
