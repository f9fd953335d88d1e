"""Word vectors for others: Keras' Embedding, TensorBoard's projector, gensim."""

import os
import pathlib

import numpy as np

from keras_dlnotes.word2vec.files import writing


def to_embedding(vectors, trainable=False, mask_token=None, name=None):
    """A `StringLookup` and an `Embedding` that together turn words into their vectors.

    Words that are not there get a vector of zeros. With `mask_token` (usually `""`, which pads
    strings) that one is masked in what follows.

    Args:
        vectors: `WordVectors`.
        trainable: Whether the embedding goes on learning. Defaults to `False`: frozen.
        mask_token: String that is padding, or `None`.
        name: Name of the embedding.

    Returns:
        The two layers, lookup first.

    Example:
        >>> from keras_dlnotes.word2vec import WordVectors
        >>> vectors = WordVectors(["a", "b"], [[1.0, 2.0], [3.0, 4.0]])
        >>> lookup, embedding = vectors.to_embedding()
        >>> np.array(embedding(lookup(np.array(["b", "x"]))))
        array([[3., 4.],
               [0., 0.]], dtype=float32)
    """
    import keras

    lookup = keras.layers.StringLookup(
        vocabulary=list(vectors.index_to_key), mask_token=mask_token, num_oov_indices=1
    )
    before = 1 if mask_token is None else 2
    table = np.concatenate([np.zeros((before, vectors.vector_size)), vectors.vectors])
    embedding = keras.layers.Embedding(
        *table.shape, mask_zero=mask_token is not None, trainable=trainable, name=name
    )
    embedding.build(())
    embedding.set_weights([table])
    return lookup, embedding


def to_gensim(vectors):
    """The same as gensim's `KeyedVectors`, counts and other attributes included."""
    try:
        from gensim.models import KeyedVectors
    except ImportError as error:
        raise ImportError("This needs gensim: pip install gensim") from error
    peer = KeyedVectors(vectors.vector_size, dtype=vectors.vectors.dtype)
    peer.add_vectors(list(vectors.index_to_key), np.array(vectors.vectors))
    for name, array in vectors.attributes.arrays.items():
        for word, value in zip(vectors.index_to_key, array.tolist(), strict=True):
            peer.set_vecattr(word, name, value)
    return peer


def save_projector(vectors, log_dir, name="words", limit=10_000):
    """Writes files for the embedding projector of TensorBoard, which shows `log_dir`.

    Args:
        vectors: `WordVectors`.
        log_dir: Directory; embeddings of other names in it stay.
        name: What the projector calls these. Defaults to `"words"`.
        limit: How many of the first words to show, `None` for all. Defaults to 10 000.
    """
    try:
        from google.protobuf import text_format
        from tensorboard.plugins.projector import projector_config_pb2
    except ImportError as error:
        raise ImportError("This needs TensorBoard: pip install tensorboard") from error
    folder = pathlib.Path(log_dir)
    folder.mkdir(parents=True, exist_ok=True)
    count = len(vectors) if limit is None else min(limit, len(vectors))
    words = [visible(word) for word in vectors.index_to_key[:count]]
    if vectors.counts is not None:
        # One column stands alone; of two, the first line gives the names.
        labels = [f"{word}\t{n}" for word, n in zip(words, vectors.counts, strict=False)]
        words = ["Word\tCount", *labels]
    files = {
        f"{name}_vectors.tsv": ["\t".join(map(repr, v.tolist())) for v in vectors.vectors[:count]],
        f"{name}_metadata.tsv": words,
    }
    for file_name, lines in files.items():
        with writing.replacing(folder / file_name, "w", encoding="utf-8", newline="\n") as file:
            file.write("".join(line + "\n" for line in lines))

    path = folder / "projector_config.pbtxt"
    config = projector_config_pb2.ProjectorConfig()
    if path.exists():
        text_format.Parse(path.read_text(encoding="utf-8"), config)
    others = [entry for entry in config.embeddings if entry.tensor_name != name]
    del config.embeddings[:]
    config.embeddings.extend(others)
    config.embeddings.add(
        tensor_name=name,
        tensor_path=f"{name}_vectors.tsv",
        metadata_path=f"{name}_metadata.tsv",
        tensor_shape=[count, vectors.vector_size],
    )
    with writing.replacing(path, "w", encoding="utf-8") as file:
        file.write(text_format.MessageToString(config))
    return os.fspath(path)


def visible(word):
    """A word in one cell of a table: no tab or line end, and not empty."""
    word = word.encode(errors="surrogateescape").decode(errors="replace")
    return " ".join(word.split("\t")).replace("\n", " ").replace("\r", " ") or '""'
