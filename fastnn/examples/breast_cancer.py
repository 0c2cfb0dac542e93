"""Chapters 51 to 54: a neural network for classification, from data to predictions.

569 tumours, 30 measurements each. Which are malignant (0), which benign (1)? The network is the guide's, 30-16-8-1:
two hidden layers of ReLUs and one sigmoid, whose output is the probability of class 1.
"""

if __name__ == "__main__":     # python -m fastnn.examples.breast_cancer --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import fastnn
from fastnn import Sequential, datasets, layers, plotting

epochs = 50         # passes over the data
seed = 1            # the same seed gives the same numbers; this one is a usual one

# %% [markdown]
# Standardise: every feature gets mean 0 and deviation 1. Both come from the training rows alone: the test rows stand
# for patients whom nobody has seen yet.

# %%
(x_train, y_train), (x_test, y_test) = datasets.breast_cancer.load_data(seed=42)      # 80 % and 20 %
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation

# %%
fastnn.random.set_seed(seed)
model = Sequential([
    layers.Dense(16, activation="relu", input_shape=(x_train.shape[1],)),
    layers.Dense(8, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=epochs, batch_size=32, validation_data=(x_test, y_test),
                    verbose=fastnn.Every(10))
model.summary()

# %% [markdown]
# Probabilities, cut at 0.5, become classes. Which kind of mistake it was matters more than how many.

# %%
_, accuracy = model.evaluate(x_test, y_test, verbose=0)
probabilities = model.predict(x_test, verbose=0)
counts = plotting.confusion_counts(y_test, probabilities > 0.5, classes=2)
print(f"Test accuracy: {accuracy:.2%} of {counts.sum()} tumours the network had not seen")
print("                  taken for malignant   taken for benign")
for name, row in zip(("is malignant", "is benign"), counts):
    print(f"  {name:<14}{row[0]:>14}{row[1]:>20}")

# %%
for patient, p in enumerate(probabilities[:5, 0]):
    print(f"patient {patient + 1}: {'benign' if p > 0.5 else 'malignant'}, {max(p, 1 - p):.1%} sure")

# %% [markdown]
# Chapter 54: both losses fall together and flatten out. Where the validation loss turns upwards, training has gone on
# for too long.

# %%
figure = plotting.loss_curves(history)
figure
