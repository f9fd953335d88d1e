from samples import TestedIn

SAMPLES = {
    "backprop_trace": TestedIn("diagnostics/test_diagnostics_plots.py"),
    "gradient_check": TestedIn("diagnostics/test_diagnostics_plots.py"),
    "gradient_profile": TestedIn("callbacks/test_gradient_monitor.py"),
    "gradients": TestedIn("callbacks/test_gradient_monitor.py"),
    "learning_rate_finder": TestedIn("callbacks/test_training_plots.py"),
    "optimizer_comparison": TestedIn("callbacks/test_training_plots.py"),
    "schedule": TestedIn("callbacks/test_training_plots.py"),
    "landscape_contour": TestedIn("diagnostics/test_landscape_plots.py"),
    "landscape_line": TestedIn("diagnostics/test_landscape_plots.py"),
    "landscape_surface": TestedIn("diagnostics/test_landscape_plots.py"),
    "pixels": TestedIn("diagnostics/test_landscape_plots.py"),
}
