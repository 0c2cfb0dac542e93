"""Chapters 22, 51 to 54: what a trained classifier is worth, and to whom; training, validation and test.

569 tumours, of which the network sees four measurements in 30, so that there is something to weigh. They are cut into
three parts. The weights are fitted to the training part. What is chosen, here the threshold from which a tumour is
called malignant, is chosen on the validation part. The test part is looked at once, at the end: the numbers of a part
that something was fitted to or chosen on are too good.
"""

if __name__ == "__main__":     # python -m fastnn.examples.evaluation --help
    from fastnn.examples import _lesson
    _lesson.start(__file__)


# %%
import numpy as np

import fastnn
from fastnn import Sequential, datasets, layers, metrics, plotting

epochs = 60         # passes over the data
seed = 42           # the same seed gives the same numbers

# %% [markdown]
# 60 % for training, 20 % for validation, 20 % for the test. Class 1 is malignant, as what is looked for is.

# %%
COLUMNS = [1, 4, 8, 9]  # mean texture, smoothness, symmetry and fractal dimension
(x, y), (x_test, y_test) = datasets.breast_cancer.load_data(seed=seed)
x, x_test, cut = x[:, COLUMNS], x_test[:, COLUMNS], len(x) * 3 // 4
mean, deviation = x[:cut].mean(axis=0), x[:cut].std(axis=0)         # of the training part alone
data = {"training": (x[:cut], y[:cut]), "validation": (x[cut:], y[cut:]), "test": (x_test, y_test)}
data = {name: ((a - mean) / deviation, 1.0 - b) for name, (a, b) in data.items()}

# %%
fastnn.random.set_seed(seed)
model = Sequential([
    layers.Dense(16, activation="relu", input_shape=(len(COLUMNS),)),
    layers.Dense(8, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy", metrics=["accuracy", metrics.AUC(), metrics.Recall()])
model.fit(*data["training"], epochs=epochs, validation_data=data["validation"], verbose=fastnn.Every(20))
parts = {name: (y.ravel(), model.predict(x, verbose=0).ravel()) for name, (x, y) in data.items()}

# %%
print("At 0.5      tumours  accuracy     AUC  recall  precision")
for name, (y, p) in parts.items():
    scores = [kind()(y, p) for kind in (metrics.BinaryAccuracy, metrics.AUC, metrics.Recall, metrics.Precision)]
    print(f"  {name:<10}{len(y):>7}{scores[0]:>10.1%}{scores[1]:>8.3f}{scores[2]:>8.1%}{scores[3]:>11.1%}")

# %% [markdown]
# A tumour that is missed is worse than a false alarm. So the highest threshold at which 95 % of the malignant tumours
# of the validation part are found; then the test part, once.

# %%
y, p = parts["validation"]
found = [(t, metrics.Recall(thresholds=float(t))(y, p)) for t in np.linspace(0.01, 0.99, 99)]
threshold = float(max((t for t, recall in found if recall >= 0.95), default=0.01))
y, p = parts["test"]
counts = plotting.confusion_counts(y, p > threshold, classes=2)
print(f"From {threshold:.2f} on, 95 % of the malignant tumours of the validation part are found. The test part, once:")
print(plotting.classification_report(counts, ["benign", "malignant"]))

# %%
figure, (left, right) = plotting.subplots(1, 2, size=(10.4, 4.6))
plotting.roc_curve(parts, threshold=threshold, ax=left)
plotting.confusion_matrix(counts, labels=["benign", "malignant"], ax=right)
figure
