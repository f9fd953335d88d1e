from samples import TestedIn

SAMPLES = {
    "BackpropTrace": TestedIn("diagnostics/test_backprop.py"),
    "Directions": TestedIn("diagnostics/test_directions.py"),
    "Fit": TestedIn("diagnostics/test_fitting.py"),
    "GradientCheck": TestedIn("diagnostics/test_gradient_check.py"),
    "HessianEigenvalues": TestedIn("diagnostics/test_hessian.py"),
    "Landscape": TestedIn("diagnostics/test_landscape.py"),
    "backprop_trace": TestedIn("diagnostics/test_backprop.py"),
    "gradient_check": TestedIn("diagnostics/test_gradient_check.py"),
    "hessian_eigenvalues": TestedIn("diagnostics/test_hessian.py"),
    "judge_fit": TestedIn("diagnostics/test_fitting.py"),
    "line_direction": TestedIn("diagnostics/test_directions.py"),
    "loss_landscape": TestedIn("diagnostics/test_landscape.py"),
    "pca_directions": TestedIn("diagnostics/test_directions.py"),
    "random_directions": TestedIn("diagnostics/test_directions.py"),
}
