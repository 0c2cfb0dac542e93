"""Arithmetic on arrays of one shape. Floor 2."""

import math

import numpy as np

from fastnn.ops._op import Op, same, same_shapes

add = Op("add", shape=lambda a, b: same_shapes("add", a=a, b=b), vjp=dict(a=lambda dy: dy, b=lambda dy: dy))

subtract = Op("subtract", shape=lambda a, b: same_shapes("subtract", a=a, b=b),
              vjp=dict(a=lambda dy: dy, b=lambda dy: negative(dy)))

multiply = Op("multiply", shape=lambda a, b: same_shapes("multiply", a=a, b=b),
              vjp=dict(a=lambda dy, b: multiply(dy, b), b=lambda dy, a: multiply(dy, a)))

divide = Op("divide", shape=lambda a, b: same_shapes("divide", a=a, b=b),
            vjp=dict(a=lambda dy, b: divide(dy, b), b=lambda dy, b, y: negative(divide(multiply(dy, y), b))), cost=0.25)

divide_no_nan = Op("divide_no_nan", shape=lambda a, b: same_shapes("divide_no_nan", a=a, b=b),
                   vjp=dict(a=lambda dy, b: divide_no_nan(dy, b),
                            b=lambda dy, b, y: negative(divide_no_nan(multiply(dy, y), b))), cost=0.25)

# One of the two gets the gradient: the first at a tie, as in TensorFlow.
maximum = Op("maximum", shape=lambda a, b: same_shapes("maximum", a=a, b=b),
             shared=dict(da=lambda dy, a, b: maximum_grad(dy, a, b)),
             vjp=dict(a=lambda da: da, b=lambda dy, da: subtract(dy, da)))

minimum = Op("minimum", shape=lambda a, b: same_shapes("minimum", a=a, b=b),
             shared=dict(da=lambda dy, a, b: maximum_grad(dy, b, a)),
             vjp=dict(a=lambda da: da, b=lambda dy, da: subtract(dy, da)))

maximum_grad = Op("maximum_grad", shape=lambda dy, a, b: same_shapes("maximum_grad", dy=dy, a=a, b=b), outputs=("da",),
                  cost=0.2)

power = Op("power", shape=same,
           vjp=dict(x=lambda dy, x, exponent: multiply(dy, scale(power(x, exponent=exponent - 1), factor=exponent))),
           cost=10)

negative = Op("negative", shape=same, vjp=dict(x=lambda dy: negative(dy)))

absolute = Op("absolute", shape=same, vjp=dict(x=lambda dy, x: multiply(dy, sign(x))))

sign = Op("sign", shape=same, vjp=dict(x=lambda: None))      # 0 wherever there is a derivative

square = Op("square", shape=same, vjp=dict(x=lambda dy, x: multiply(dy, scale(x, factor=2.0))))

sqrt = Op("sqrt", shape=same, vjp=dict(x=lambda dy, y: divide(dy, scale(y, factor=2.0))), cost=0.3)

exp = Op("exp", shape=same, vjp=dict(x=lambda dy, y: multiply(dy, y)), cost=0.2)

exp2 = Op("exp2", shape=same, vjp=dict(x=lambda dy, y: multiply(dy, scale(y, factor=math.log(2)))), cost=0.2)

log = Op("log", shape=same, vjp=dict(x=lambda dy, x: divide(dy, x)), cost=0.2)

scale = Op("scale", shape=same, vjp=dict(x=lambda dy, factor: scale(dy, factor=factor)))

add_constant = Op("add_constant", shape=same, vjp=dict(x=lambda dy: dy),
                  magnitude=lambda x, value: np.abs(x) + abs(value))

clip = Op("clip", shape=same, vjp=dict(x=lambda dy, x, low, high: clip_grad(dy, x, low=low, high=high)))

clip_grad = Op("clip_grad", shape=lambda dy, x: same_shapes("clip_grad", dy=dy, x=x), outputs=("dx",))

cast = Op("cast", shape=same, dtypes=dict(x="any"), result=lambda dtype: dtype,
          vjp=dict(x=lambda dy, x: dy if dy.dtype == x.dtype else cast(dy, dtype=x.dtype)), cost=0.3)
