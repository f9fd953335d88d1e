"""Backpropagation, number by number, through a deep sigmoid net, and a proof that it is right.

`backprop_trace` walks from the loss back to the inputs, visits each layer once and shows what each
hands back: the gradient falls by the same factor at every sigmoid. `gradient_check` compares the
gradients with central differences; a layer with a wrong hand-written gradient is caught.

    python examples/08_backpropagation.py
"""

import pathlib

import keras
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from keras import ops
from sklearn.datasets import load_digits

import keras_dlnotes as dl

PICTURE = pathlib.Path(__file__).with_suffix(".png").name
DEPTH = 10

x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((64,), name="digits"),
        *(keras.layers.Dense(16, "sigmoid", name=f"dense_{k}") for k in range(1, DEPTH + 1)),
        keras.layers.Dense(10, name="outputs"),
    ],
    name="deep_sigmoid_net",
)
loss = dl.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(dl.optimizers.SGD(0.1), loss)

trace = dl.diagnostics.backprop_trace(model, x[:64], y[:64])
print(trace)

check = dl.diagnostics.gradient_check(model, x[:8], y[:8], samples=8)
print(f"\nAll gradients of this net right? {bool(check)}, largest error {check.error:.1e}")


@ops.custom_gradient
def wrong_tanh(z):
    """A tanh whose author forgot the square in its derivative, 1 - tanh(z)^2."""
    value = ops.tanh(z)

    def gradient(*arguments, upstream=None):
        upstream = arguments[-1] if upstream is None else upstream
        return upstream * (1 - value)

    return value, gradient


class WrongTanh(keras.layers.Layer):
    def call(self, inputs):
        return wrong_tanh(inputs)


faulty = keras.Sequential(
    [
        keras.Input((64,), name="digits"),
        keras.layers.Dense(8, name="first"),
        WrongTanh(name="wrong_tanh"),
        keras.layers.Dense(10, name="outputs"),
    ],
    name="net_with_a_mistake",
)
found = dl.diagnostics.gradient_check(faulty, x[:8], y[:8], loss=loss)
print(f"\n{found}")

figure = plt.figure(figsize=(14, 8.5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 1.3])
trace.plot(ax=left.subplots())
above, below = right.subplots(2, 1)
norms = [trace[f"dense_{k}"].output_norm for k in range(1, DEPTH + 1)]
above.semilogy(range(1, DEPTH + 1), norms, "o-", color="black")
above.set(xlabel="layer, input to output", ylabel="norm of the gradient handed back")
above.set_title("A straight line on a logarithmic axis: a constant factor a layer", fontsize=10)
found.plot(ax=below)
figure.savefig(PICTURE, dpi=110)
print(f"\nThe picture is in {PICTURE}")
