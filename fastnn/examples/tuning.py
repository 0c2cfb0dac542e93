"""Chapter 55: fine-tuning. Which layers, which rate, how much dropout? A table of short trials.

Change one thing at a time, from a start that works. What is compared is the validation part; the test part is looked at
once, for the winner, as a number that was chosen for being high is too good. Two trials that differ by less than the
seeds do are equal.
"""

if __name__ == "__main__":     # python -m fastnn.examples.tuning --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import fastnn
from fastnn import Sequential, datasets, layers, plotting

epochs = 40         # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
(x, y), (x_test, y_test) = datasets.digits.load_data(seed=42)
x, x_test = x / 16.0, x_test / 16.0
x_train, y_train, x_val, y_val = x[:-300], y[:-300], x[-300:], y[-300:]


def trial(hidden: tuple[int, ...] = (32,), rate: float = 0.001, dropout: float = 0.0,
          seed: int = seed) -> tuple[Sequential, dict[str, list[float]]]:
    """A network with these hidden layers, trained, and what it was like after each epoch."""
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((8, 8)), layers.Flatten()])
    for units in hidden:
        model.add(layers.Dense(units, activation="relu"))
        if dropout:
            model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(fastnn.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x_train, y_train, epochs=epochs, validation_data=(x_val, y_val), verbose=0)
    return model, history.history


# %%
trials = {
    "start: 32, rate 0.001": trial(),
    "wider: 128": trial((128,)),
    "deeper: 32-32": trial((32, 32)),
    "faster: rate 0.01": trial(rate=0.01),
    "slower: rate 0.0001": trial(rate=0.0001),
    "wider, dropout 0.3": trial((128,), dropout=0.3),
}
print("                          weights   val_loss   val_accuracy")
for name, (model, history) in trials.items():
    print(f"  {name:<22} {model.count_params():>8,} {history['val_loss'][-1]:>10.4f} "
          f"{history['val_accuracy'][-1]:>14.1%}")

# %% [markdown]
# How far does the seed alone move the start? Differences of that size mean nothing.

# %%
spread = [trial(seed=seed + i)[1]["val_accuracy"][-1] for i in range(4)]
print(f"the start with four seeds: {', '.join(f'{a:.1%}' for a in spread)}")
best = min(trials, key=lambda name: trials[name][1]["val_loss"][-1])
accuracy = trials[best][0].evaluate(x_test, y_test, verbose=0)[1]
print(f"chosen by the validation loss: {best}; on the test part, once: {accuracy:.1%}")

# %%
figure, ax = plotting.subplots(size=(8, 4.6))
for name, (_, history) in trials.items():
    ax.plot(range(1, epochs + 1), history["val_loss"], label=name, linewidth=2.5 if name == best else 1.2)
ax.set(title=f"Lowest validation loss: {best}", xlabel="epoch", ylabel="validation loss", yscale="log")
ax.legend()
figure
