from samples import TestedIn

SAMPLES = {
    "Batches": TestedIn("word2vec/test_batches.py"),
    "Corpus": TestedIn("word2vec/test_corpus.py"),
    "HierarchicalSoftmax": TestedIn("word2vec/test_heads.py"),
    "HuffmanTree": TestedIn("word2vec/test_huffman.py"),
    "NegativeSampling": TestedIn("word2vec/test_heads.py"),
    "NoiseDistribution": TestedIn("word2vec/test_noise.py"),
    "Phrases": TestedIn("word2vec/test_phrases.py"),
    "Vocabulary": TestedIn("word2vec/test_vocabulary.py"),
    "Word2Vec": TestedIn("word2vec/test_model.py"),
    "WordVectors": TestedIn("word2vec/test_vectors.py"),
}
