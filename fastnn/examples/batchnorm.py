"""Chapters 10, 16 and 25: ten layers of sigmoids do not learn; with batch normalization between them they do.

A sigmoid is nowhere steeper than 1/4, so each leaves at most a quarter of the gradient that comes back to it, and after
ten hardly anything arrives. Batch normalization gives every neuron mean 0 and deviation 1 over the batch, where
sigmoids are steepest, and what comes in at the front is felt at the end.
"""

if __name__ == "__main__":     # python -m fastnn.examples.batchnorm --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import fastnn
from fastnn import Sequential, datasets, layers, plotting

epochs = 40         # passes over the data
seed = 42           # the same seed gives the same numbers

# %%
(x_train, y_train), (x_test, y_test) = datasets.digits.load_data(seed=42)
x_train, x_test = x_train / 16.0, x_test / 16.0


def network(normalized: bool) -> Sequential:
    """64-32-...-32-10 with ten hidden layers of sigmoids."""
    fastnn.random.set_seed(seed)
    model = Sequential([layers.Input((8, 8)), layers.Flatten()])
    for _ in range(10):
        model.add(layers.Dense(32, use_bias=not normalized))       # the normalization brings a shift of its own
        if normalized:
            model.add(layers.BatchNormalization())
        model.add(layers.Activation("sigmoid"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %%
models = {"without": network(False), "with": network(True)}
gradients = plotting.gradient_sizes(models, x_train[:256], y_train[:256])
gradients

# %%
histories, accuracies = {}, {}
for name, model in models.items():
    histories[name] = model.fit(x_train, y_train, epochs=epochs, batch_size=32, validation_split=0.1, verbose=0)
    accuracies[name] = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"Ten hidden layers of sigmoids {name:<7} batch normalization: test accuracy {accuracies[name]:.2%}")

# %%
figure = plotting.loss_curves(histories)
figure.suptitle(f"Test accuracy without batch normalization {accuracies['without']:.1%}, with it "
                f"{accuracies['with']:.1%}")
figure
