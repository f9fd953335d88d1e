from keras_dlnotes import schedules
from samples import Schedule

SAMPLES = {
    "CosineDecay": Schedule(
        lambda: schedules.CosineDecay(0.01, 50, alpha=0.1, warmup_target=0.1, warmup_steps=5)
    ),
    "CosineDecayRestarts": Schedule(
        lambda: schedules.CosineDecayRestarts(
            0.01, 10, t_mul=1.5, m_mul=0.8, alpha=0.1, warmup_target=0.1, warmup_steps=5
        )
    ),
    "Cyclical": Schedule(
        lambda: schedules.Cyclical(0.01, 0.1, 10, "exp_range", 0.999, step_size_down=5)
    ),
    "ExponentialDecay": Schedule(lambda: schedules.ExponentialDecay(0.1, 10, 0.9, staircase=True)),
    "InverseTimeDecay": Schedule(lambda: schedules.InverseTimeDecay(0.1, 10, 0.5, staircase=True)),
    "OneCycle": Schedule(lambda: schedules.OneCycle(0.1, 100, 0.25, "linear", three_phase=True)),
    "OneCycleMomentum": Schedule(lambda: schedules.OneCycleMomentum(100, 0.8, 0.9, 0.25)),
    "PiecewiseConstantDecay": Schedule(
        lambda: schedules.PiecewiseConstantDecay([5, 10], [0.1, 0.05, 0.01])
    ),
    "PolynomialDecay": Schedule(lambda: schedules.PolynomialDecay(0.1, 10, 0.01, 2.0, cycle=True)),
    "StepDecay": Schedule(lambda: schedules.StepDecay(0.1, 10, 0.5)),
}
