from samples import TestedIn

SAMPLES = {
    "backprop_trace": TestedIn("diagnostics/test_diagnostics_plots.py"),
    "gradient_check": TestedIn("diagnostics/test_diagnostics_plots.py"),
    "gradient_profile": TestedIn("callbacks/test_gradient_monitor.py"),
    "gradients": TestedIn("callbacks/test_gradient_monitor.py"),
}
