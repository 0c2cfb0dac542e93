"""Lessons to run, each a chapter of the study guide: `python -m fastnn.examples.NAME [--plot FILE]`.

    and_gate       chapter 2   the perceptron learns AND, and its three weights can be checked by hand
    xor            chapter 7   what one neuron cannot do, and four hidden ones can
    breast_cancer  chapter 53  a classifier from data to predictions: 30-16-8-1
    evaluation     chapter 53  training, validation and test: ROC curves, a threshold, the report
    optimizers     chapter 8   four optimizers race down a parabola and a ravine
    learning_rate  chapter 44  too low, right and too high, and what a finder says
    digits         chapter 34  ten classes: softmax over handwritten 8 x 8 digits
    mnist_mlp      chapter 12  784-128-10 on the 60,000 images of MNIST
    mnist_cnn      chapter 15  the guide's convolutional network on MNIST
    augmentation   chapter 25  few digits, and changed copies of them
    overfitting    chapter 23  overfitting, and six ways to deal with it side by side
    regularization chapter 25  what L1 and L2 do to the weights
    checkpoint_resume chapter 55  a training that is stopped and goes on, bit by bit
    batchnorm      chapter 16  ten layers of sigmoids that learn
    housing        chapter 22  a regression: house prices, judged by R²
    weather        chapter 12  recurrent networks: tomorrow's temperature, against "as today"
    names          chapter 12  a recurrent network that writes names, letter by letter
    next_word      chapter 12  which word comes next, in a small story
    sentiment      chapter 12  praise or blame: reading "not good" in both directions
    addition       chapter 12  from one sequence to another: "535+61" is "596"
    dates          chapter 12  a translation with attention, and where it looks
    mini_gpt       chapter 12  a small GPT, and where its heads look
    gan            chapter 12  a forger of digits and a judge; the training step is your own
    vae            chapter 12  digits as points of the plane, and what lies between them
    custom_layer   chapter 40  a layer and a loss of your own; the chain rule is done for you

All take --seed, those that train take --epochs; `python -m fastnn.examples.NAME --help` says more.
"""

LESSONS = {
    "and_gate": "chapter 2: the perceptron learns AND",
    "xor": "chapter 7: four hidden neurons learn XOR",
    "breast_cancer": "chapter 53: a classifier from data to predictions",
    "evaluation": "chapter 53: training, validation and test; ROC curves and the report",
    "optimizers": "chapter 8: four optimizers race down a parabola and a ravine",
    "learning_rate": "chapter 44: too low, right and too high, and what a finder says",
    "digits": "chapter 34: ten classes with softmax, 8 x 8 digits",
    "mnist_mlp": "chapter 12: 784-128-10 on MNIST (needs the IDX files)",
    "mnist_cnn": "chapter 15: the guide's convolutional network on MNIST (needs the IDX files)",
    "augmentation": "chapter 25: few digits, and changed copies of them (needs the IDX files)",
    "overfitting": "chapter 23: overfitting and its cures, side by side",
    "regularization": "chapter 25: the weights under no penalty, L1 and L2",
    "checkpoint_resume": "chapter 55: a training that is stopped and goes on, bit by bit",
    "batchnorm": "chapter 16: ten layers of sigmoids that learn",
    "housing": "chapter 22: a regression, judged by R²",
    "weather": "chapter 12: recurrent networks predict tomorrow's temperature",
    "names": "chapter 12: a recurrent network writes names, letter by letter",
    "next_word": "chapter 12: which word comes next, in a small story",
    "sentiment": "chapter 12: praise or blame, with 'not' before the word",
    "addition": "chapter 12: reads \"535+61\" and writes \"596\"",
    "dates": "chapter 12: a translation with attention, and where it looks",
    "mini_gpt": "chapter 12: a small GPT, and where its heads look",
    "gan": "chapter 12: a forger of digits and a judge (needs the IDX files)",
    "vae": "chapter 12: digits as points of the plane (needs the IDX files)",
    "custom_layer": "chapter 40: a layer and a loss of your own, without a backward",
}

__all__ = ["LESSONS"]


def __dir__() -> list[str]:
    return sorted(__all__)
