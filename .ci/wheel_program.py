"""What somebody does after `pip install keras-dlnotes`: a model with parts of every room."""

import keras
import numpy as np

import keras_dlnotes as dl

assert "site-packages" in dl.__file__, dl.__file__

x = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
y = (x.sum(1) > 0).astype("int32")
model = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.Dense(16, kernel_initializer=dl.initializers.HeNormal(seed=1)),
        dl.layers.BatchNormalization(),
        dl.layers.LeakyReLU(0.1),
        keras.layers.Dense(2, kernel_regularizer=dl.regularizers.L2(1e-4)),
    ]
)
loss = dl.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(dl.optimizers.Adam(0.01), loss)
monitor = dl.callbacks.GradientMonitor(log_dir="logs")
model.fit(x, y, epochs=3, verbose=0, callbacks=[monitor])
print(monitor.report())
model.save("model.keras")
again = keras.saving.load_model("model.keras")
np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
print("the wheel works")
