"""TextVectorization: texts to rows of numbers. Floor 3. See lookup.py for how words get numbers."""

import string
from collections.abc import Callable, Iterable
from typing import Any, Unpack

import numpy as np

from fastnn.arguments import axes, choice, dense, is_sequence, optional, whole
from fastnn.arguments import encoding as codec
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError
from fastnn.layers._options import LayerOptions
from fastnn.layers.vocabulary import Vocabulary, text_of

__all__ = ["TextVectorization"]

LONGEST = 1000        # words of an n-gram, far beyond what is of use
_PUNCTUATION = str.maketrans("", "", string.punctuation)


class TextVectorization(Vocabulary):
    """Texts to rows of numbers: in lower case without punctuation, split at spaces, each word its number.

    Call on a list of n strings → (n, longest) int32 (0 is padding, 1 an unknown word), cut or filled to
    output_sequence_length; output_mode 'multi_hot', 'count' or 'tf_idf' → (n, words). standardize:
    'lower_and_strip_punctuation', 'lower', 'strip_punctuation', None or a function of a string; split: 'whitespace',
    'character', None or a function of a string. ngrams: up to so many words together, or a tuple of lengths.
    vocabulary: a list or file, else adapt(texts). encoding: of bytes, and of the file. keras.layers.TextVectorization.

    >>> vectorize = TextVectorization(); vectorize.adapt(["the cat", "the hat"]); vectorize(["the dog"]).numpy()
    array([[2, 1]], dtype=int32)
    """

    reads_text = True
    filled_in = frozenset({"mask_token", "oov_token", "num_oov_indices", "invert"})

    def __init__(self, max_tokens: int | None = None, standardize: Any = "lower_and_strip_punctuation",
                 split: Any = "whitespace", ngrams: Any = None, output_mode: str = "int",
                 output_sequence_length: int | None = None, pad_to_max_tokens: bool = False, vocabulary: Any = None,
                 idf_weights: Any = None, sparse: bool = False, ragged: bool = False, encoding: str = "utf-8",
                 **kwargs: Unpack[LayerOptions]) -> None:
        self.sparse = dense(sparse, "TextVectorization: sparse")
        self.ragged = dense(ragged, "TextVectorization: ragged")
        self.encoding = codec(encoding, "TextVectorization: encoding")
        for what, value, known in (("standardize", standardize, ("lower_and_strip_punctuation", "lower",
                                                                  "strip_punctuation")),
                                   ("split", split, ("whitespace", "character"))):
            if value is not None and not callable(value):
                choice(value, f"TextVectorization: {what}", known)
        self.standardize, self.split = standardize, split
        counts = optional(axes, ngrams, "TextVectorization: ngrams")
        self.ngrams = counts if counts is None or is_sequence(ngrams) else tuple(
            range(1, whole(ngrams, "TextVectorization: ngrams", 1, LONGEST) + 1))
        self.output_sequence_length = None if output_sequence_length is None else whole(
            output_sequence_length, "TextVectorization: output_sequence_length", 1)
        if self.output_sequence_length is not None and output_mode != "int":
            raise ValueError(f"TextVectorization: output_sequence_length is {output_sequence_length} and output_mode "
                             f"{output_mode!r}; needs output_mode='int', which has one number a word.")
        super().__init__(max_tokens, "", "[UNK]", 1, vocabulary, idf_weights, output_mode, pad_to_max_tokens, False,
                         **kwargs)

    def _standardized(self, text: str) -> str:
        if callable(self.standardize):
            return str(self.standardize(text))
        if self.standardize in ("lower_and_strip_punctuation", "lower"):
            text = text.lower()
        if self.standardize in ("lower_and_strip_punctuation", "strip_punctuation"):
            text = text.translate(_PUNCTUATION)
        return text

    def _words(self, text: Any) -> list[str]:
        text = self._standardized(text_of(text, self.name, self.encoding))
        split: Callable[[str], Any] = {"whitespace": str.split, "character": list, None: lambda t: [t]}.get(
            self.split if not callable(self.split) else "own", self.split)
        words = [str(word) for word in split(text)]
        if not self.ngrams:
            return words
        return [" ".join(words[i:i + n]) for n in self.ngrams for i in range(len(words) - n + 1)]

    def _rows(self, data: Any) -> Iterable[list[Any]]:
        if isinstance(data, (str, bytes)):
            data = [data]
        array = np.asarray(data, dtype=object)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            raise ValueError(f"{self.name}: got texts of shape {array.shape}; needs a list of strings, or (n, 1).")
        return [self._words(text) for text in array]

    def _shape_for(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of the outputs in a model, for one text a sample."""
        if len(shape) > 2 or shape[1:] not in ((), (1,)):
            raise ShapeError(f"{self.name}: got text of shape {shape}; needs one text a sample: Input((), "
                             "dtype='string') or Input((1,), …).")
        return (shape[0], self.output_sequence_length if self.output_mode == "int" else self._width())

    def call(self, inputs: Tensor) -> Tensor:
        """The symbol of its outputs: a model's text is read before the model runs."""
        if inputs.dtype != "string":
            raise KindError(f"{self.name}: got a tensor of {inputs.dtype}; needs text: Input((), dtype='string'), or a "
                            "list of strings.")
        return self._symbol(inputs)

    def __call__(self, inputs: Any) -> Any:
        """The numbers of the texts' words."""
        if isinstance(inputs, Tensor):
            return super().__call__(inputs)
        self._ready()
        rows = [[self._number(word) for word in row] for row in self._rows(inputs)]
        if self.output_mode != "int":
            return self._encoded(rows)
        length = self.output_sequence_length or max((len(row) for row in rows), default=0)
        result = np.zeros((len(rows), length), np.int32)
        for i, row in enumerate(rows):
            result[i, :len(row[:length])] = row[:length]
        return Tensor(result[0] if isinstance(inputs, (str, bytes)) else result, constant=True)
