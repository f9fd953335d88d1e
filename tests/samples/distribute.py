from samples import TestedIn

SAMPLES = {
    "WorkerLostError": TestedIn("test_distribute.py"),
    "multi_worker": TestedIn("test_distribute.py"),
    "shards": TestedIn("test_distribute.py"),
}
