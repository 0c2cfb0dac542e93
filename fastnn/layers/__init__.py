"""Layers, with Keras' names, arguments, defaults and weight order."""

from fastnn.frames import list_names as _list_names
from fastnn.layers.activation import *
from fastnn.layers.attention import *
from fastnn.layers.batch_normalization import *
from fastnn.layers.categories import *
from fastnn.layers.cells import *
from fastnn.layers.conv_lstm import *
from fastnn.layers.convolution import *
from fastnn.layers.core import *
from fastnn.layers.embedding import *
from fastnn.layers.hashing import *
from fastnn.layers.image_size import *
from fastnn.layers.input import *
from fastnn.layers.input_spec import *
from fastnn.layers.layer import Layer as Layer
from fastnn.layers.lookup import *
from fastnn.layers.masking import *
from fastnn.layers.merge import *
from fastnn.layers.noise import *
from fastnn.layers.normalization import *
from fastnn.layers.passing import *
from fastnn.layers.plain_attention import *
from fastnn.layers.pooling import *
from fastnn.layers.preprocessing import *
from fastnn.layers.products import *
from fastnn.layers.random_image import *
from fastnn.layers.recurrent import *
from fastnn.layers.reshaping import *
from fastnn.layers.rnn import *
from fastnn.layers.scaling import *
from fastnn.layers.separable import *
from fastnn.layers.serialization import *
from fastnn.layers.stacked import *
from fastnn.layers.text import *
from fastnn.layers.transformer import *
from fastnn.layers.wrappers import *

_list_names(globals())
