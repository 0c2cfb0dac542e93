"""StringLookup and IntegerLookup: tokens to numbers, element by element, or back. Floor 3. See vocabulary.py."""

from collections.abc import Iterable
from typing import Any, Unpack

import numpy as np

from fastnn import ops
from fastnn.arguments import choice, dense, optional, whole
from fastnn.arguments import encoding as codec
from fastnn.engine import backend
from fastnn.engine.context import is_recording
from fastnn.engine.tensor import Tensor
from fastnn.errors import KindError, ShapeError, shown
from fastnn.layers._hashes import bucket, key_of
from fastnn.layers._options import LayerOptions
from fastnn.layers.categories import encoded
from fastnn.layers.vocabulary import Vocabulary, array_of, text_of

__all__ = ["IntegerLookup", "StringLookup"]


class _Lookup(Vocabulary):
    """Tokens to numbers, element by element, or back with invert."""

    def _rows(self, data: Any) -> Iterable[list[Any]]:
        array = array_of(data.numpy() if isinstance(data, Tensor) else data)
        rows = array.reshape(len(array), -1) if array.ndim > 1 else array.reshape(-1, 1)
        return [[self._token(each) for each in row] for row in rows.tolist()]

    def _token(self, value: Any) -> Any:
        return value

    def __call__(self, inputs: Any) -> Any:
        """Numbers (int32, the shape of the inputs) for tokens; tokens (a NumPy array) for numbers with invert."""
        if isinstance(inputs, Tensor) and (inputs.symbolic or is_recording()):
            return super().__call__(inputs)
        return self._found(array_of(inputs.numpy() if isinstance(inputs, Tensor) else inputs))

    def _found(self, array: np.ndarray) -> Any:
        """The numbers of an array of tokens, or its tokens with invert."""
        self._ready()
        if self.invert:
            if array.size and array.dtype.kind not in "iu":
                raise KindError(f"{self.name}: got an array of {array.dtype} and invert is True; needs whole numbers, "
                                "of which it makes tokens.")
            size = len(self._tokens)
            flat = [self._tokens[n] if 0 <= n < size else self.oov_token for n in array.reshape(-1).tolist()]
            return np.array(flat, dtype=object if isinstance(self.oov_token, str) else np.int64).reshape(array.shape)
        if self.output_mode == "int":
            numbers = [self._number(self._token(each)) for each in array.reshape(-1).tolist()]
            return Tensor(np.array(numbers, np.int32).reshape(array.shape), constant=True)
        if self.output_mode == "one_hot":
            shape = array.shape[:-1] if array.ndim > 1 and array.shape[-1] == 1 else array.shape
            y = self._encoded([[self._number(self._token(each))] for each in array.reshape(-1).tolist()])
            return Tensor(y.data.reshape(*shape, y.shape[-1]), constant=True)
        if array.ndim < 2:      # one sample
            return Tensor(self._encoded([[self._number(self._token(each)) for each in array.reshape(-1).tolist()]])
                          .data[0], constant=True)
        rows = [[self._number(token) for token in row] for row in self._rows(array)]
        return self._encoded(rows)

    def _shape_for(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of the outputs in a model."""
        if self.invert:
            raise KindError(f"{self.name}: invert is True, which gives tokens; needs to be called on numbers, not in a "
                            "model, whose numbers go on.")
        if self.output_mode == "int":
            return shape
        if self.output_mode == "one_hot":
            return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), self._width())
        if len(shape) < 2:
            raise ShapeError(f"{self.name}: got inputs of shape {shape} and output_mode is {self.output_mode!r}; needs "
                             "(batch, tokens): Input(shape=(1,), …) for one token a sample.")
        return (shape[0], self._width())


class StringLookup(_Lookup):
    """Strings to whole numbers: 0 is `mask_token` if there is one, then num_oov_indices numbers for unknown strings,
    then the vocabulary, most frequent first.

    Call on an array of strings of any shape → int32 of that shape; output_mode 'one_hot': a row for each string, (n, 1)
    → (n, numbers); 'multi_hot', 'count', 'tf_idf': one row a sample, and a vector is one sample (as Keras). invert:
    numbers to strings. vocabulary: a list or a file with one a line, else adapt(data). Of several numbers for unknown
    strings, FarmHash64 chooses one, or SipHash with salt, a number or two. encoding: of bytes, and of the file. In a
    model it reads an Input of dtype "string". keras.layers.StringLookup.

    >>> StringLookup(vocabulary=["a", "b"])([["b", "z"]]).numpy()
    array([[2, 0]], dtype=int32)
    """
    reads_text = True

    def __init__(self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: str | None = None,
                 oov_token: str = "[UNK]", vocabulary: Any = None, idf_weights: Any = None, invert: bool = False,
                 output_mode: str = "int", pad_to_max_tokens: bool = False, sparse: bool = False,
                 encoding: str = "utf-8", salt: Any = None, **kwargs: Unpack[LayerOptions]) -> None:
        self.sparse = dense(sparse, "StringLookup: sparse")
        self.encoding = codec(encoding, "StringLookup: encoding")
        self.salt = optional(key_of, salt, "StringLookup: salt")
        super().__init__(max_tokens, mask_token, oov_token, num_oov_indices, vocabulary, idf_weights, output_mode,
                         pad_to_max_tokens, invert, **kwargs)

    def _token(self, value: Any) -> Any:
        return text_of(value, self.name, self.encoding)

    def _unknown(self, token: Any) -> int:
        return bucket(token, self.num_oov_indices, self.salt)

    def call(self, inputs: Tensor) -> Tensor:
        """The symbol of its outputs: a model's text is looked up before the model runs."""
        if inputs.dtype != "string":
            raise KindError(f"{self.name}: got a tensor of {inputs.dtype}; needs text: Input(…, dtype='string'), or an "
                            "array of strings.")
        return self._symbol(inputs)


class IntegerLookup(_Lookup):
    """Whole numbers that are names (postcodes, years) to numbers from 0; arguments and modes as StringLookup.

    mask_token: None unless given; oov_token -1. Of several numbers for unknown ones, token % num_oov_indices is taken,
    or, with oov_method "farmhash", the hash of its digits (SipHash where there is a salt). In a model it compares each
    number with the whole vocabulary, and hashes in Python, at every step anew. keras.layers.IntegerLookup.

    >>> IntegerLookup(vocabulary=[12, 36])([[36, 7]]).numpy()
    array([[2, 0]], dtype=int32)
    """
    takes_integers = True

    def __init__(self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: int | None = None,
                 oov_token: int = -1, vocabulary: Any = None, vocabulary_dtype: str = "int64", idf_weights: Any = None,
                 invert: bool = False, output_mode: str = "int", sparse: bool = False, pad_to_max_tokens: bool = False,
                 oov_method: str = "floormod", salt: Any = None, **kwargs: Unpack[LayerOptions]) -> None:
        self.vocabulary_dtype = choice(vocabulary_dtype, "IntegerLookup: vocabulary_dtype", ("int64",))
        self.sparse = dense(sparse, "IntegerLookup: sparse")
        self.oov_method = choice(oov_method, "IntegerLookup: oov_method", ("floormod", "farmhash"))
        self.salt = optional(key_of, salt, "IntegerLookup: salt")
        if salt is not None and self.oov_method != "farmhash":
            raise ValueError(f"IntegerLookup: salt is {shown(salt)} and oov_method {oov_method!r}; needs "
                             "oov_method='farmhash', which hashes.")
        super().__init__(max_tokens, mask_token, oov_token, num_oov_indices, vocabulary, idf_weights, output_mode,
                         pad_to_max_tokens, invert, **kwargs)

    @staticmethod
    def _checked(token: Any, what: str) -> Any:
        if isinstance(token, str) and token.lstrip("-").isdigit():      # a line of a file
            token = int(token)
        return whole(token, what, None)

    def _token(self, value: Any) -> Any:
        try:
            if int(value) == value or isinstance(value, str):
                return int(value)
        except (TypeError, ValueError, OverflowError):
            pass
        raise KindError(f"{self.name}: got {shown(value)}; needs whole numbers.")

    def _unknown(self, token: Any) -> int:
        if self.oov_method == "floormod":
            return int(token % self.num_oov_indices)
        return bucket(str(token), self.num_oov_indices, self.salt)

    def check_input(self, array: np.ndarray, where: str) -> None:
        """ValueError for a number that is not in the vocabulary, where none is kept for unknown ones."""
        if not self.num_oov_indices:
            for token in np.unique(array).tolist():
                self._number(self._token(token))

    def call(self, inputs: Tensor) -> Tensor:
        """The numbers, by comparing with each token."""
        shape = self._shape_for(inputs.shape)
        if inputs.symbolic:
            return Tensor(None, shape=shape, dtype=self._dtype())
        self._ready()
        if self.num_oov_indices > 1 and self.oov_method != "floormod":
            return self._found(inputs.numpy())      # hashed in Python, at every step anew
        first = len(self._specials())
        unknown = ops.zeros_like(inputs) if self.num_oov_indices < 2 else ops.mod(inputs, self.num_oov_indices)
        numbers = ops.add(unknown, first - self.num_oov_indices)
        if len(tokens := np.array(self._tokens[first:])):
            hits = ops.equal(ops.expand_dims(inputs, -1), tokens)
            numbers = ops.where(ops.any(hits, axis=-1), ops.add(ops.argmax(hits, axis=-1), first), numbers)
        if self.mask_token is not None and self.output_mode == "int":
            numbers = ops.where(ops.equal(inputs, self.mask_token), 0, numbers)
        numbers = ops.cast(numbers, "int32")
        if self.output_mode == "int":
            return numbers
        y = encoded(numbers, self._width(), "count" if self.output_mode == "tf_idf" else self.output_mode)
        if self._idf is None:
            return y
        weights = np.zeros(self._width(), backend.floatx())
        weights[:len(self._idf)] = self._idf
        return ops.multiply(y, weights)
