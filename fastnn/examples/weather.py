"""Chapter 12: recurrent networks. Tomorrow's highest temperature in Seattle, from the two weeks before it.

A recurrent layer reads the days one by one and keeps in its state what matters for the next. It has to beat "tomorrow
will be as today", which is hard to beat; a dense network gets the same 14 days side by side. The year 2015 is kept
apart.
"""

if __name__ == "__main__":     # python -m fastnn.examples.weather --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, datasets, layers, plotting

epochs = 30         # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# Each day has four measurements and, as a point on a circle, its place in the year. Fourteen days in a row are one
# sample; what is predicted is how much warmer the next day will be than the last.

# %%
DAYS, warmest = 14, datasets.weather.FEATURE_NAMES.index("temp_max")
past, year = datasets.weather.load_data(test_year=2015)
days = np.concatenate([past, year])
angle = 2 * np.pi * np.arange(len(days)) / 365.25
days = np.column_stack([days, np.sin(angle), np.cos(angle)]).astype(np.float32)
mean, deviation = days[:len(past)].mean(axis=0), days[:len(past)].std(axis=0)
scaled = (days - mean) / deviation
x = np.stack([scaled[i:i + DAYS] for i in range(len(days) - DAYS)])
y = scaled[DAYS:, warmest] - scaled[DAYS - 1:-1, warmest]
cut = len(past) - DAYS
today, true = days[len(past) - 1:-1, warmest], days[len(past):, warmest]

# %%
nets: dict[str, list[layers.Layer]] = {
    "dense": [layers.Flatten(), layers.Dense(32, activation="relu")],
    "SimpleRNN": [layers.SimpleRNN(32)],
    "LSTM": [layers.LSTM(32)],
}
errors, predictions = {"as today": float(np.abs(true - today).mean())}, {}
fastnn.random.set_seed(seed)
for name, inner in nets.items():
    model = Sequential([layers.Input((DAYS, x.shape[2])), *inner, layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    model.fit(x[:cut], y[:cut], epochs=epochs, batch_size=32, verbose=0)
    predictions[name] = today + model.predict(x[cut:], verbose=0)[:, 0] * deviation[warmest]
    errors[name] = float(np.abs(true - predictions[name]).mean())

# %%
print("Mean error of tomorrow's highest temperature, 365 days of 2015 that no network has seen:")
for name, error in errors.items():
    print(f"  {name:<10} {error:.2f} °C")
best = min(predictions, key=lambda name: errors[name])

# %%
figure, (line, bars) = plotting.subplots(1, 2, size=(12, 4.2))
line.plot(true, linewidth=1, label="the day itself")
line.plot(predictions[best], linewidth=1, label=f"{best}, the day before")
line.set(title="It follows the year, a little late at every turn", xlabel="day of 2015", ylabel="highest, °C")
line.legend()
bars.barh(list(errors), list(errors.values()))
bars.set(title='"As today" is hard to beat', xlabel="mean error in °C")
bars.invert_yaxis()
figure
