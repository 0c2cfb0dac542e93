"""Chapters 10, 23 and 26: overfitting and its cures, side by side. Few digits, some with a wrong label, and a network
much too large.

Without a cure the training loss goes to nothing and the validation loss turns upwards: the network learns the digits by
heart, wrong labels and all. Fewer weights, dropout, a penalty on large weights, stopping in time: each holds that up
(the loss with L2 has the penalty in it). More data is the best of them.
"""

if __name__ == "__main__":     # python -m fastnn.examples.overfitting --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, callbacks, datasets, layers, plotting
from fastnn.regularizers import L2

epochs = 100        # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# 120 digits to learn from, of which every fifth is given a wrong label; 300 right ones to look at.

# %%
(x, y), (x_test, y_test) = datasets.digits.load_data(seed=42)
x, x_test, few = x / 16.0, x_test / 16.0, 120
validation = x[-300:], y[-300:]
number = np.arange(len(y))
y = np.where(number % 5 == 0, (y + 1 + number // 5 % 9) % 10, y)


def network(units: int = 256, dropout: float = 0.0, penalty: float = 0.0) -> Sequential:
    """64-units-units-10."""
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((8, 8)), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(units, activation="relu", kernel_regularizer=L2(penalty) if penalty else None))
        if dropout:
            model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %%
stop = callbacks.EarlyStopping(patience=10, restore_best_weights=True)
cures = {"no cure": (network(), few, []), "fewer weights": (network(24), few, []),
         "dropout": (network(dropout=0.5), few, []), "L2 penalty": (network(penalty=3e-3), few, []),
         "early stopping": (network(), few, [stop]), "nine times the data": (network(), 9 * few, [])}
histories, accuracies = {}, {}
print("                     training loss   validation loss: lowest, in the end   test accuracy")
for name, (model, count, heard) in cures.items():
    histories[name] = history = model.fit(x[:count], y[:count], epochs=epochs, batch_size=32, verbose=0,
                                          validation_data=validation, callbacks=heard)
    accuracies[name] = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"  {name:<18} {history['loss'][-1]:13.3f} {min(history['val_loss']):24.3f} {history['val_loss'][-1]:12.3f} "
          f"{accuracies[name]:15.1%}")

# %%
figure, axes = plotting.subplots(2, 3, size=(13, 7.4))
for ax, (name, history) in zip(axes.flat, histories.items()):
    plotting.loss_curves(history, ax=ax)
    ax.set(title=f"{name}: test accuracy {accuracies[name]:.1%}", ylim=(0, 2.5), xlim=(0, epochs + 1))
figure
