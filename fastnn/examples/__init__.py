"""Lessons, one for each part of the study guide: `python -m fastnn.examples.NAME [--plot FILE]`, or `fastnn lessons
--to FOLDER` for notebooks and scripts of your own.

A lesson is a file of `# %%` cells, read from top to bottom, and ends with its figure. What stands in its first cell
with a comment behind it (epochs, seed, …) is an option of the command; `python -m fastnn.examples.NAME --help` says
more. Importing a lesson runs it.
"""

from pathlib import Path

LESSONS = {
    "neuron": "chapter 1: a neuron, three gates, and why there is none for XOR",
    "and_gate": "chapter 2: the perceptron learns AND, and its line is watched",
    "sigmoid": "chapter 3: a dimmer instead of a switch",
    "xor": "chapter 7: four hidden neurons learn XOR",
    "activations": "chapter 5: without an activation every network is a line",
    "one_step": "chapter 41: one training step, number by number",
    "optimizers": "chapter 8: four optimizers race down a parabola and a ravine",
    "learning_rate": "chapter 44: too low, right and too high, and what a finder says",
    "layers": "chapter 13: what each layer makes of one digit",
    "losses": "chapter 18: what an error costs, and where outliers pull",
    "epochs_batches": "chapter 21: how often the weights are updated",
    "depth": "chapter 16: accuracy and gradients against depth",
    "batchnorm": "chapter 16: ten layers of sigmoids that learn",
    "housing": "chapter 22: a regression, judged by R²",
    "evaluation": "chapter 22: training, validation and test; ROC curves and the report",
    "overfitting": "chapter 23: overfitting and its cures, side by side",
    "bias_variance": "chapter 24: too stiff, right, too free",
    "regularization": "chapter 25: the weights under no penalty, L1 and L2",
    "augmentation": "chapter 25: few digits, and changed copies of them (needs the IDX files)",
    "dying_relu": "chapter 32: ReLUs that died, and the leak that keeps them alive",
    "digits": "chapter 34: ten classes with softmax, 8 x 8 digits",
    "custom_layer": "chapter 40: a layer and a loss of your own, without a backward",
    "breast_cancer": "chapter 53: a classifier from data to predictions",
    "tuning": "chapter 55: fine-tuning, a table of trials",
    "checkpoint_resume": "chapter 55: a training that is stopped and goes on, bit by bit",
    "mnist_mlp": "chapter 12: 784-128-10 on MNIST (needs the IDX files)",
    "mnist_cnn": "chapter 15: the guide's convolutional network on MNIST (needs the IDX files)",
    "weather": "chapter 12: recurrent networks predict tomorrow's temperature",
    "names": "chapter 12: a recurrent network writes names, letter by letter",
    "next_word": "chapter 12: which word comes next, in a small story",
    "sentiment": "chapter 12: praise or blame, with 'not' before the word",
    "addition": "chapter 12: reads \"535+61\" and writes \"596\"",
    "dates": "chapter 12: a translation with attention, and where it looks",
    "mini_gpt": "chapter 12: a small GPT, and where its heads look",
    "gan": "chapter 12: a forger of digits and a judge (needs the IDX files)",
    "vae": "chapter 12: digits as points of the plane (needs the IDX files)",
}


def write(folder: str | Path) -> list[Path]:
    """Write every lesson into the folder, as NAME.ipynb and as NAME.py; → their paths. The folder is made.

    FileExistsError: one of them is there already; a lesson that you have changed is not overwritten.
    """
    from fastnn.examples._cells import Lesson
    folder = Path(folder)
    lessons = [Lesson(name) for name in LESSONS]
    for path in [path for lesson in lessons for path in lesson.paths(folder) if path.exists()]:
        raise FileExistsError(f"{path} is there already; name another folder, or move it away.")
    folder.mkdir(parents=True, exist_ok=True)
    return [path for lesson in lessons for path in lesson.write(folder)]


__all__ = [
    "LESSONS",
    "write",
]


def __dir__() -> list[str]:
    return sorted(__all__)
