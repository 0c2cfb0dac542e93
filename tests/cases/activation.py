"""Rows for fastnn/reference/activation.py. Choices without arithmetic have only one right answer: bits=True."""

from typing import Any

from tests.cases._case import Case, floats

NAN, INF = float("nan"), float("inf")


def _special(arrays: dict[str, Any]) -> None:
    """The values that choices get wrong."""
    x = arrays["x"].reshape(-1)
    for i, value in enumerate([NAN, 0.0, INF, -INF, 6.0, 3.0, -3.0]):
        x[i:i + 1] = value


def _saturated(arrays: dict[str, Any]) -> None:
    """Where exponentials overflow and underflow."""
    x = arrays["x"].reshape(-1)
    for i, value in enumerate([NAN, 0.0, INF, -INF, 100.0, -100.0, 88.0, -80.0, 20.0, -20.0, 1e-20, -1e-20]):
        x[i:i + 1] = value


X, DY = floats("n", low=-8, high=8, avoid=(-3, 0, 3, 6)), floats("n")
NEAR = floats("n", avoid=(0,))
UNIT, SIGNED = floats("n", low=0, high=1), floats("n", low=-1, high=1)
BAD_X = [(dict(dy=(2, 3), x=(3, 2)), "must be equal")]
BAD_Y = [(dict(dy=(2, 3), y=(3, 2)), "must be equal")]
CLIP = dict(slope=0.25, threshold=1.0, maximum=4.0)
CLIP_X = floats("n", low=-8, high=8, avoid=(1, 4))

CASES = [
    Case("step", x=X, bits=True),
    Case("step", x=X, bits=True, fix=_special),
    Case("sigmoid", x=X),
    Case("sigmoid", x=X, fix=_saturated, grad=False),
    Case("sigmoid_grad", dy=DY, y=UNIT, bad=BAD_Y),
    Case("tanh", x=floats("n", low=-4, high=4)),
    Case("tanh", x=X, fix=_saturated, grad=False),
    Case("tanh_grad", dy=DY, y=SIGNED, bad=BAD_Y),
    Case("relu", x=X, bits=True, exact=True),
    Case("relu", x=X, bits=True, fix=_special, grad=False),
    Case("relu_grad", dy=DY, y=X, bits=True, exact=True, bad=BAD_Y),
    Case("relu6", x=X, bits=True, exact=True),
    Case("relu6", x=X, bits=True, fix=_special, grad=False),
    Case("relu6_grad", dy=DY, y=X, bits=True, exact=True, bad=BAD_Y),
    Case("leaky_relu", x=X, slope=0.1),
    Case("leaky_relu", x=X, slope=0.25, exact=True, fix=_special, grad=False),
    Case("leaky_relu_grad", dy=DY, x=X, slope=0.1, bad=BAD_X),
    Case("clipped_relu", x=CLIP_X, exact=True, **CLIP),
    Case("clipped_relu", x=X, slope=0.0, threshold=0.0, maximum=INF),
    Case("clipped_relu_grad", dy=DY, x=CLIP_X, bad=BAD_X, **CLIP),
    Case("elu", x=X, alpha=1.0),
    Case("elu", x=X, alpha=0.7, fix=_saturated, grad=False),
    Case("elu_grad", dy=DY, x=X, alpha=0.7, bad=BAD_X),
    Case("selu", x=X),
    Case("selu", x=X, fix=_saturated, grad=False),
    Case("selu_grad", dy=DY, x=X, bad=BAD_X),
    Case("celu", x=X, alpha=1.0),
    Case("celu", x=X, alpha=0.7),
    Case("celu_grad", dy=DY, x=X, alpha=0.7, bad=BAD_X),
    Case("gelu", x=X),
    Case("gelu_grad", dy=DY, x=X, bad=BAD_X),
    Case("gelu_tanh", x=X),
    Case("gelu_tanh_grad", dy=DY, x=X, bad=BAD_X),
    Case("silu", x=X),
    Case("silu_grad", dy=DY, x=X, bad=BAD_X),
    Case("softplus", x=X),
    Case("softplus", x=X, fix=_saturated, grad=False),
    Case("softplus_grad", dy=DY, x=X, bad=BAD_X),
    Case("softsign", x=NEAR),
    Case("softsign_grad", dy=DY, x=X, bad=BAD_X),
    Case("mish", x=X),
    Case("mish_grad", dy=DY, x=X, bad=BAD_X),
    Case("hard_sigmoid", x=X),
    Case("hard_sigmoid", x=X, fix=_special, grad=False),
    Case("hard_sigmoid_grad", dy=DY, x=X, bad=BAD_X),
    Case("hard_silu", x=X),
    Case("hard_silu_grad", dy=DY, x=X, bad=BAD_X),
    Case("prelu", x=floats("b", "m", "n", avoid=(0,)), alpha=floats("m", "n"),
         bad=[(dict(x=(2, 3), alpha=(2,)), "alpha"), (dict(x=(2, 3), alpha=(1, 3)), "alpha")]),
    Case("prelu_grad", dy=floats("b", "n"), x=floats("b", "n"), alpha=floats("n"),
         bad=[(dict(dy=(2, 3), x=(2, 3), alpha=(2,)), "alpha")]),
    Case("prelu_alpha_grad", dy=floats("b", "n"), x=floats("b", "n"), exact=True, bad=BAD_X),
]
