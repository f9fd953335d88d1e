from samples import TestedIn

SAMPLES = {
    "Corpus": TestedIn("word2vec/test_corpus.py"),
    "Phrases": TestedIn("word2vec/test_phrases.py"),
    "Vocabulary": TestedIn("word2vec/test_vocabulary.py"),
    "WordVectors": TestedIn("word2vec/test_vectors.py"),
}
