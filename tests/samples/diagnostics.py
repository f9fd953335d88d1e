from samples import TestedIn

SAMPLES = {
    "BackpropTrace": TestedIn("diagnostics/test_backprop.py"),
    "Fit": TestedIn("diagnostics/test_fitting.py"),
    "GradientCheck": TestedIn("diagnostics/test_gradient_check.py"),
    "backprop_trace": TestedIn("diagnostics/test_backprop.py"),
    "gradient_check": TestedIn("diagnostics/test_gradient_check.py"),
    "judge_fit": TestedIn("diagnostics/test_fitting.py"),
}
