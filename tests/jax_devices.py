"""Run by `test_jax_devices.py` in a process of its own: JAX with two host devices."""

import fire_workers
import keras
import numpy as np


def fit(model):
    x, y = fire_workers.data()
    return model.fit(x, y, batch_size=32, epochs=3, verbose=0, shuffle=False).history["loss"]


def vectors(text):
    model = fire_workers.word2vec(text.vocabulary)
    model.fit(text.dataset(1024, seed=1), epochs=6, verbose=0)
    return model.vectors


def main():
    text = fire_workers.corpus()
    plain, words = fire_workers.mlp(), vectors(text)
    losses = fit(plain)

    devices = keras.distribution.list_devices()
    assert len(devices) == 2, devices
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
    parallel = fire_workers.mlp()
    np.testing.assert_allclose(fit(parallel), losses, rtol=1e-4)
    for a, b in zip(parallel.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    kernel = parallel.weights[0].value
    assert len(kernel.sharding.device_set) == 2, kernel.sharding

    both = vectors(text)
    qualities = [fire_workers.separation(each) for each in (words, both)]
    assert qualities[0] > 0.5, qualities
    assert abs(qualities[0] - qualities[1]) < 0.1, qualities
    print("EQUAL")


if __name__ == "__main__":
    main()
