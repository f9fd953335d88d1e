from samples import TestedIn

SAMPLES = {
    "AutoencoderHyperModel": TestedIn("tuning/test_spaces.py"),
    "HopelessGradients": TestedIn("tuning/test_search.py"),
    "MLPHyperModel": TestedIn("tuning/test_spaces.py"),
    "TuningResult": TestedIn("tuning/test_search.py"),
    "Word2VecHyperModel": TestedIn("tuning/test_word2vec.py"),
    "tune": TestedIn("tuning/test_search.py"),
}
