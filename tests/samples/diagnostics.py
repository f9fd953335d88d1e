from samples import TestedIn

SAMPLES = {
    "Fit": TestedIn("diagnostics/test_fitting.py"),
    "judge_fit": TestedIn("diagnostics/test_fitting.py"),
}
