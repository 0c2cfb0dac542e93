"""Rows for fastnn/reference/optimizer.py."""

from tests.cases._case import BIG, Case, floats, scalar

LR, STEP = scalar(0.01), scalar(3, "int64")
W, G, V = floats("n"), floats("n"), floats("n", low=0)
ADAM = dict(beta_1=0.9, beta_2=0.999, epsilon=1e-7)
BAD = [(dict(w=(3,), g=(4,), lr=()), "equal"), (dict(w=(3,), g=(3,), lr=(1,)), "single number")]


def _slots(**slots: tuple[int, ...]) -> list[tuple[dict[str, tuple[int, ...]], str]]:
    """BAD for a kernel that has these slots too."""
    return [({**shapes, **slots}, text) for shapes, text in BAD]


CASES = [
    Case("sgd_step", w=W, g=G, lr=LR, bad=BAD),
    *(Case("momentum_step", w=W, g=G, v=floats("n"), lr=LR, momentum=0.9, nesterov=nesterov, bad=_slots(v=(3,)))
      for nesterov in (False, True)),
    Case("rmsprop_step", w=W, g=G, v=V, lr=LR, rho=0.9, epsilon=1e-7, bad=_slots(v=(3,))),
    *(Case("rmsprop_full_step", w=W, g=G, v=floats("n", low=4, high=6), a=floats("n", low=-1, high=1), m=floats("n"),
           lr=LR, rho=0.9, momentum=momentum, epsilon=1e-7, centered=centered, bad=_slots(v=(3,), a=(3,), m=(3,)))
      for momentum in (0.0, 0.9) for centered in (False, True)),
    Case("adam_step", w=W, g=G, m=floats("n"), v=V, lr=LR, step=STEP, **ADAM, bad=_slots(m=(3,), v=(3,), step=())),
    Case("adam_step", w=floats(BIG, 5), g=floats(BIG, 5), m=floats(BIG, 5), v=floats(BIG, 5, low=0), lr=LR,
         step=scalar(0, "int64"), **ADAM),
    Case("adam_step", w=W, g=G, m=floats("n"), v=V, lr=LR, step=scalar(10 ** 6, "int64"), **ADAM),
    Case("adam_amsgrad_step", w=W, g=G, m=floats("n"), v=V, vhat=V, lr=LR, step=STEP, **ADAM,
         bad=_slots(m=(3,), v=(3,), vhat=(3,), step=())),
    Case("adagrad_step", w=W, g=G, a=V, lr=LR, epsilon=1e-7, bad=_slots(a=(3,))),
    Case("decay_step", w=W, lr=LR, rate=0.004, bad=[(dict(w=(3,), lr=(3,)), "single number")]),
    Case("clip_value_step", g=G, value=0.5, bits=True),
    Case("clip_norm_step", g=G, norm=1.0),
    Case("clip_norm_step", g=G, norm=1e6, bits=True),
    Case("clip_norm_step", g=floats(BIG, 7), norm=2.5),
    Case("ema_step", average=floats("n"), w=W, momentum=0.99, bad=[(dict(average=(3,), w=(4,)), "equal")]),
]
