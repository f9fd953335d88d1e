"""Word vectors from a small text with a planted grammar: neighbours, analogies, a picture.

Every sentence is about a country or about its capital. Countries stand beside one set of words and
capitals beside another; each pair shares a river, a dish and a poet. Nothing tells the model so,
and yet a country and its capital end up the same step apart everywhere.

    python examples/16_word2vec.py
"""

import pathlib

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np

import keras_dlnotes as dl

PICTURE = pathlib.Path(__file__).with_suffix(".png").name
SENTENCES, EPOCHS = 20_000, 6

PAIRS = {
    ("france", "paris"): ("seine", "brie", "hugo"),
    ("italy", "rome"): ("tiber", "risotto", "dante"),
    ("spain", "madrid"): ("manzanares", "paella", "cervantes"),
    ("germany", "berlin"): ("spree", "sauerkraut", "goethe"),
    ("greece", "athens"): ("ilissos", "feta", "homer"),
    ("japan", "tokyo"): ("sumida", "sushi", "basho"),
    ("egypt", "cairo"): ("nile", "koshari", "mahfouz"),
    ("poland", "warsaw"): ("vistula", "pierogi", "szymborska"),
}
ABOUT = (
    ("government", "border", "army", "parliament", "nation", "law"),  # Of countries.
    ("mayor", "museum", "street", "metro", "square", "hotel"),  # Of capitals.
)
FRAMES = (
    "the {about} of {name} is known for {mark}",
    "{name} has a {about} and a love of {mark}",
    "they say that {mark} belongs to {name} like its {about}",
)

generator = np.random.default_rng(0)
pairs = list(PAIRS)


def sentence():
    pair, side = pairs[generator.integers(len(pairs))], generator.integers(2)
    frame = FRAMES[generator.integers(len(FRAMES))]
    mark, about = generator.choice(PAIRS[pair]), generator.choice(ABOUT[side])
    return frame.format(name=pair[side], about=about, mark=mark)


texts = [sentence() for _ in range(SENTENCES)]
print(f"For example: {texts[0]}; {texts[1]}")
corpus = dl.word2vec.Corpus.from_texts(texts, sample=1e-2)
training, validation = corpus.split(0.05)
print(f"{corpus.total_words:,} words, {len(corpus.vocabulary)} different ones\n")

model = dl.word2vec.Word2Vec(corpus.vocabulary, vector_size=24, window=5, seed=1)
model.compile()
history = model.fit(
    training.dataset(256, seed=0),
    validation_data=validation.dataset(256, seed=0, shuffle=False),
    epochs=EPOCHS,
    verbose=2,
).history

vectors = model.vectors
print("\nNearest words")
for word in ("france", "cairo", "sushi", "mayor"):
    near = ", ".join(f"{other} {score:.2f}" for other, score in vectors.most_similar(word, topn=4))
    print(f"  {word:8} {near}")

print("\nAnalogies: the capital of a country, from another country and its capital")
right, asked = 0, 0
for country, capital in pairs:
    for other, answer in pairs:
        if other == country:
            continue
        (found, _), *_ = vectors.most_similar([capital, other], [country], topn=1)
        right, asked = right + (found == answer), asked + 1
        if country == "france":
            print(f"  france : paris = {other} : {found}")
print(f"  {right} of {asked} right")

figure, axes = plt.subplots(1, 2, figsize=(13, 5.2), layout="constrained", width_ratios=[1.6, 1])
names = [name for pair in pairs for name in pair]
dl.plots.embedding(vectors[names], names, ax=axes[0])
points = axes[0].collections[0].get_offsets()
for k in range(0, len(names), 2):
    axes[0].plot(*points[k : k + 2].T, color="0.6", linewidth=0.8, zorder=0)
axes[0].set_title("Countries and their capitals")
dl.plots.training_curves(history, ax=axes[1])
axes[1].set(ylabel="loss of a pair of words", title="Loss, also on sentences left out")
figure.savefig(PICTURE, dpi=110)
print(f"\nThe picture is in {PICTURE}")
