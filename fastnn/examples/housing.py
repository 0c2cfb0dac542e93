"""Chapters 18 and 22: a regression. What does a house cost?

546 houses in Windsor, Canada, 1987: 11 features and the price. The output is any number, so the last layer is linear
and the loss the mean squared error. R² says how much of the prices' variance is explained: 0 is guessing the mean.
"""

if __name__ == "__main__":     # python -m fastnn.examples.housing --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import fastnn
from fastnn import Sequential, datasets, layers, metrics, plotting, regularizers

epochs = 60         # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# The features are standardised, and the price is too: an output near 0 with errors near 1 is where the default step
# sizes fit.

# %%
(x_train, y_train), (x_test, y_test) = datasets.housing.load_data(seed=42)
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation
price, spread = y_train.mean(), y_train.std()

# %% [markdown]
# 11-16-1 with an L2 penalty (chapter 25): 436 houses are few, and large weights would learn them by heart.

# %%
fastnn.random.set_seed(seed)
model = Sequential([
    layers.Dense(16, activation="relu", kernel_regularizer=regularizers.L2(0.01), input_shape=(11,)),
    layers.Dense(1),
])
model.compile(optimizer="adam", loss="mse", metrics=["mae", metrics.R2Score()])
history = model.fit(x_train, (y_train - price) / spread, epochs=epochs, batch_size=16, verbose=fastnn.Every(10),
                    validation_data=(x_test, (y_test - price) / spread))

# %%
predictions = model.predict(x_test, verbose=0) * spread + price        # back to dollars
r2 = float(metrics.R2Score()(y_test.reshape(-1, 1), predictions.reshape(-1, 1)))
error = float(abs(predictions.ravel() - y_test.ravel()).mean())
guess = float(abs(y_test - price).mean())
print(f"R² on 110 houses the network had not seen: {r2:.3f}")
print(f"Mean error: {error:,.0f} dollars; guessing the mean price errs by {guess:,.0f}")

# %% [markdown]
# Dear houses are few, and the network is too careful with them: most of their points lie below the line.

# %%
figure = plotting.predicted_against_true(y_test, predictions, "dollars")
figure
