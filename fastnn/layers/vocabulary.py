"""Vocabulary: numbers for tokens, which StringLookup, IntegerLookup and TextVectorization share. Floor 3."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from fastnn.arguments import choice, flag, is_sequence, numbers, optional, whole
from fastnn.configuration import parameters
from fastnn.engine import backend
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, NotBuiltError, shown
from fastnn.layers._options import LayerOptions
from fastnn.layers.layer import Layer

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


def array_of(data: Any) -> np.ndarray:
    """Data as an array of what is in it: NumPy would make text of what is none among texts."""
    array = np.asarray(data)
    return np.asarray(data, object) if array.dtype.kind in "US" and not hasattr(data, "dtype") else array


def text_of(value: Any, where: str, encoding: str = "utf-8") -> str:
    """A text, or the digits of a number. KindError for None, NaN and whatever else is none."""
    if isinstance(value, bytes):
        return value.decode(encoding)
    if isinstance(value, str) or (isinstance(value, (int, float, np.generic)) and value == value):
        return str(value)
    raise KindError(f"{where}: got {shown(value)} among texts; needs text. Fill in what is missing, or leave it out.")


class Vocabulary(Layer):
    """Numbers for tokens, learned by adapt() or given: most frequent first, ties in the order of the alphabet backwards
    (as Keras), after `mask` (number 0) and the numbers for unknown tokens."""

    encoding = "utf-8"      # of bytes, and of a vocabulary's file

    def __init__(self, max_tokens: int | None, mask_token: Any, oov_token: Any, num_oov_indices: int, vocabulary: Any,
                 idf_weights: Any, output_mode: str, pad_to_max_tokens: bool, invert: bool,
                 **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        name = type(self).__name__
        self.max_tokens = None if max_tokens is None else whole(max_tokens, f"{name}: max_tokens", 2)
        self.num_oov_indices = whole(num_oov_indices, f"{name}: num_oov_indices", 0)
        self.output_mode = choice(output_mode, f"{name}: output_mode", MODES)
        self.mask_token = optional(self._checked, mask_token, f"{name}: mask_token")
        self.oov_token = optional(self._checked, oov_token, f"{name}: oov_token")
        self.invert = flag(invert, f"{name}: invert")
        if self.invert and self.output_mode != "int":
            raise ValueError(f"{name}: invert is True and output_mode is {output_mode!r}; needs 'int': tokens are made "
                             "of numbers.")
        self.pad_to_max_tokens = flag(pad_to_max_tokens, f"{name}: pad_to_max_tokens")
        self._tokens: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._idf: np.ndarray | None = None
        self._counts: Counter[Any] = Counter()
        self._documents: Counter[Any] = Counter()
        self._document_count = 0
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _argument(self, name: str) -> Any:
        """The vocabulary as it is now: what was adapted is written down, too."""
        if name == "vocabulary":
            return self.get_vocabulary(include_special_tokens=False) if self._tokens else None
        if name == "idf_weights":
            return None if self._idf is None else self._idf[len(self._specials()):].tolist()
        return super()._argument(name)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer of a get_config(), Keras' too, whose vocabulary may come with what is unknown at its beginning."""
        kind: Any = cls
        idle = {"vocabulary_size", "oov_method"} - set(parameters(kind))     # Keras writes them down, and text has none
        return super().from_config({name: value for name, value in config.items() if name not in idle})

    @staticmethod
    def _checked(token: Any, what: str) -> Any:
        """A token that may be in the vocabulary: a text."""
        if isinstance(token, (str, np.str_)):
            return str(token)
        raise TypeError(f"{what} is {shown(token)}; needs a text.")

    # ---- the vocabulary ---------------------------------------------------------------------------------------

    def _specials(self) -> list[Any]:
        """What comes before the tokens: the mask where numbers come out, and the unknown."""
        mask = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return [*mask, *[self.oov_token] * self.num_oov_indices]

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the tokens of the data (an array or list; or batches of them), forgetting those learned before."""
        self.reset_state()
        for i, batch in enumerate(data if hasattr(data, "__next__") or hasattr(data, "num_batches") else [data]):
            if steps is not None and i >= steps:
                break
            self.update_state(batch[0] if isinstance(batch, tuple) else batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget what was learned."""
        self._tokens, self._numbers, self._idf = [], {}, None
        self._counts, self._documents, self._document_count = Counter(), Counter(), 0

    def update_state(self, data: Any) -> None:
        """Count the tokens of more data; finalize_state() makes numbers of them."""
        for row in self._rows(data):
            self._counts.update(row)
            self._documents.update(set(row))
            self._document_count += 1

    def finalize_state(self) -> None:
        """Number the tokens counted so far."""
        for special in (self.mask_token, self.oov_token):
            self._counts.pop(special, None)
        ranked = sorted(self._counts, key=lambda token: (self._counts[token], token), reverse=True)
        room = None if self.max_tokens is None else max(0, self.max_tokens - len(self._specials()))
        ranked = ranked[:room]
        idf = None
        if self.output_mode == "tf_idf":
            idf = [np.log(1 + self._document_count / (1 + self._documents[token])) for token in ranked]
        self._set(ranked, idf)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take these tokens (a list, or the path of a file with one a line), with or without the special ones before
        them.

        ValueError for doubles, for too many, and for tf_idf without idf_weights.
        """
        name = type(self).__name__
        if isinstance(vocabulary, (str, Path)):
            if not Path(vocabulary).is_file():
                raise ValueError(f"{name}: vocabulary is {shown(vocabulary)}, which is no file; needs a list of "
                                 "tokens, or the path of a file with one a line.")
            vocabulary = Path(vocabulary).read_text(encoding=self.encoding).split("\n")
            vocabulary = vocabulary[:-1] if vocabulary and not vocabulary[-1] else vocabulary
        if not is_sequence(vocabulary):
            raise TypeError(f"{name}: vocabulary is {shown(vocabulary)}; needs a list of tokens, or the path of a "
                            "file.")
        tokens = [self._checked(token, f"{name}: a token of the vocabulary") for token in vocabulary]
        if idf_weights is not None:
            idf_weights = np.atleast_1d(numbers(idf_weights, f"{name}: idf_weights"))
        specials = self._specials()
        if specials and tokens[:len(specials)] == specials:
            tokens = tokens[len(specials):]
            idf_weights = None if idf_weights is None else list(idf_weights)[-len(tokens):]
        double = [token for token, count in Counter(tokens).items() if count > 1]
        if double:
            raise ValueError(f"{name}: the vocabulary has {shown(double[0])} more than once; needs each token once.")
        if self.max_tokens is not None and len(tokens) + len(specials) > self.max_tokens:
            raise ValueError(f"{name}: the vocabulary has {len(tokens)} tokens and {len(specials)} special ones; "
                             "max_tokens is "
                             f"{self.max_tokens}.")
        if (self.output_mode == "tf_idf") != (idf_weights is not None):
            raise ValueError(f"{name}: output_mode is {self.output_mode!r} and idf_weights "
                             f"{'is missing' if idf_weights is None else 'was given'}; 'tf_idf' needs them, and only "
                             "it.")
        if idf_weights is not None and len(idf_weights) != len(tokens):
            raise ValueError(f"{name}: got {len(idf_weights)} idf_weights for {len(tokens)} tokens; needs one each.")
        self._set(tokens, idf_weights)

    def _set(self, tokens: list[Any], idf: Any) -> None:
        self._tokens = [*self._specials(), *tokens]
        first = len(self._specials())
        self._numbers = {token: first + i for i, token in enumerate(tokens)}
        if self.mask_token is not None and self.output_mode == "int":
            self._numbers[self.mask_token] = 0
        if idf is not None:
            unknown = float(np.mean(idf)) if len(idf) else 0.0
            self._idf = np.array([*[unknown] * first, *idf], np.float64)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens by number."""
        return list(self._tokens) if include_special_tokens else self._tokens[len(self._specials()):]

    def vocabulary_size(self) -> int:
        """How many numbers there are, the special ones too."""
        return len(self._tokens)

    # ---- tokens to numbers ------------------------------------------------------------------------------------

    def _rows(self, data: Any) -> Iterable[list[Any]]:
        """The tokens of each document."""
        raise NotImplementedError

    def _number(self, token: Any) -> int:
        number = self._numbers.get(token)
        if number is not None:
            return number
        if not self.num_oov_indices:
            raise ValueError(f"{self.name}: {shown(token)} is not in the vocabulary, and num_oov_indices is 0; "
                             "adapt() on data "
                             "that has it, or allow unknown tokens.")
        first = 1 if self.mask_token is not None and self.output_mode == "int" else 0
        return first + (self._unknown(token) if self.num_oov_indices > 1 else 0)

    def _unknown(self, token: Any) -> int:
        """Which of num_oov_indices numbers an unknown token gets, from 0 on."""
        raise NotImplementedError

    def _ready(self) -> None:
        if not self._tokens:
            raise NotBuiltError(f"{self.name}: has no vocabulary yet; call adapt(texts) or set_vocabulary(tokens) "
                                "first.")

    def _width(self) -> int:
        """How many numbers a row of one_hot, multi_hot, count or tf_idf has."""
        if self.pad_to_max_tokens and self.max_tokens:
            return self.max_tokens
        self._ready()
        return len(self._tokens)

    def _dtype(self) -> str:
        return "int32" if self.output_mode == "int" else backend.floatx()

    def _shape_for(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of the outputs for inputs of this shape."""
        raise NotImplementedError

    def _symbol(self, inputs: Tensor) -> Tensor:
        """The outputs for a symbolic input."""
        return Tensor(None, shape=self._shape_for(inputs.shape), dtype=self._dtype())

    def _encoded(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """One row of numbers for each document → one_hot, multi_hot, count or tf_idf, (documents, numbers)."""
        result = np.zeros((len(rows), self._width()), backend.floatx())
        for i, row in enumerate(rows):
            for number, count in Counter(row).items():
                result[i, number] = count if self.output_mode in ("count", "tf_idf") else 1
        if self.output_mode == "tf_idf":
            assert self._idf is not None
            result[:, :len(self._idf)] *= self._idf
        return Tensor(result, constant=True)
