"""Every optimizer, with the options that change its numbers."""

from typing import Any

from tests.golden.common import ADAM, CLASSES, FEATURES, Case, net

_SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", dict(learning_rate=0.1)),
    "sgd_momentum": ("SGD", dict(learning_rate=0.1, momentum=0.9)),
    "sgd_nesterov": ("SGD", dict(learning_rate=0.1, momentum=0.9, nesterov=True)),
    "sgd_weight_decay": ("SGD", dict(learning_rate=0.1, weight_decay=0.05)),
    "sgd_clipnorm": ("SGD", dict(learning_rate=0.1, clipnorm=0.1)),
    "sgd_clipvalue": ("SGD", dict(learning_rate=0.1, clipvalue=0.02)),
    "sgd_global_clipnorm": ("SGD", dict(learning_rate=0.1, global_clipnorm=0.1)),
    "sgd_loose_clipnorm": ("SGD", dict(learning_rate=0.1, clipnorm=100.0)),
    "sgd_loose_global_clipnorm": ("SGD", dict(learning_rate=0.1, global_clipnorm=100.0)),
    "rmsprop": ("RMSprop", dict(learning_rate=0.01)),
    "rmsprop_centered": ("RMSprop", dict(learning_rate=0.01, centered=True)),
    "rmsprop_momentum": ("RMSprop", dict(learning_rate=0.01, momentum=0.9)),
    "rmsprop_centered_momentum": ("RMSprop", dict(learning_rate=0.01, centered=True, momentum=0.8, rho=0.8)),
    "adam": ("Adam", dict(learning_rate=0.01)),
    "adam_betas_epsilon": ("Adam", dict(learning_rate=0.01, beta_1=0.7, beta_2=0.8, epsilon=1e-3)),
    "adam_amsgrad": ("Adam", dict(learning_rate=0.01, beta_2=0.5, amsgrad=True)),
    "adam_weight_decay": ("Adam", dict(learning_rate=0.01, weight_decay=0.05)),
    "adam_clipnorm": ("Adam", dict(learning_rate=0.01, clipnorm=0.1)),
    "adamw": ("AdamW", dict(learning_rate=0.01)),
    "adamw_amsgrad": ("AdamW", dict(learning_rate=0.01, weight_decay=0.1, beta_2=0.5, amsgrad=True)),
    "sgd_ema": ("SGD", dict(learning_rate=0.1, use_ema=True, ema_momentum=0.8)),
    "sgd_ema_overwrite": ("SGD", dict(learning_rate=0.1, momentum=0.9, use_ema=True, ema_momentum=0.6,
                                      ema_overwrite_frequency=2)),
    "sgd_accumulation": ("SGD", dict(learning_rate=0.1, momentum=0.9, gradient_accumulation_steps=2)),
    "sgd_accumulation_ema": ("SGD", dict(learning_rate=0.1, gradient_accumulation_steps=2, use_ema=True,
                                         ema_momentum=0.7, ema_overwrite_frequency=2, weight_decay=0.05, clipnorm=0.2)),
    "sgd_loss_scale": ("SGD", dict(learning_rate=0.1, loss_scale_factor=100.0, clipvalue=0.05)),
    "adam_ema": ("Adam", dict(learning_rate=0.01, use_ema=True, ema_momentum=0.9)),
    "adam_accumulation": ("Adam", dict(learning_rate=0.01, gradient_accumulation_steps=3, global_clipnorm=0.2)),
    "adamw_accumulation": ("AdamW", dict(learning_rate=0.01, gradient_accumulation_steps=2, weight_decay=0.1)),
    "rmsprop_loss_scale": ("RMSprop", dict(learning_rate=0.01, loss_scale_factor=3.0, gradient_accumulation_steps=4)),
    "adagrad": ("Adagrad", dict(learning_rate=0.1)),
    "adadelta": ("Adadelta", dict(learning_rate=1.0)),
    "adadelta_rho_epsilon": ("Adadelta", dict(learning_rate=0.5, rho=0.7, epsilon=1e-3)),
    "adamax": ("Adamax", dict(learning_rate=0.02)),
    "adamax_betas_epsilon": ("Adamax", dict(learning_rate=0.02, beta_1=0.7, beta_2=0.8, epsilon=1e-2)),
    "nadam": ("Nadam", dict(learning_rate=0.01)),
    "nadam_betas_epsilon": ("Nadam", dict(learning_rate=0.01, beta_1=0.7, beta_2=0.8, epsilon=1e-2)),
    "nadam_accumulation": ("Nadam", dict(learning_rate=0.01, gradient_accumulation_steps=2, weight_decay=0.1)),
    "lion": ("Lion", dict(learning_rate=0.01)),
    "lion_betas": ("Lion", dict(learning_rate=0.01, beta_1=0.6, beta_2=0.8, weight_decay=0.1)),
    "ftrl": ("Ftrl", dict(learning_rate=0.1)),
    "ftrl_all": ("Ftrl", dict(learning_rate=0.1, learning_rate_power=-0.7, initial_accumulator_value=0.2,
                              l1_regularization_strength=0.01, l2_regularization_strength=0.02,
                              l2_shrinkage_regularization_strength=0.03, beta=0.1)),
    "adafactor": ("Adafactor", dict(learning_rate=0.05)),
    "adafactor_all": ("Adafactor", dict(learning_rate=0.1, beta_2_decay=-0.5, epsilon_1=1e-4, epsilon_2=0.1,
                                        clip_threshold=0.5, relative_step=False, gradient_accumulation_steps=2)),
    "lamb": ("Lamb", dict(learning_rate=0.02)),
    "lamb_betas_epsilon": ("Lamb", dict(learning_rate=0.02, beta_1=0.7, beta_2=0.8, epsilon=1e-2, weight_decay=0.1)),
    "muon": ("Muon", dict(learning_rate=0.02)),
    "muon_all": ("Muon", dict(learning_rate=0.02, adam_beta_1=0.7, adam_beta_2=0.8, adam_weight_decay=0.1,
                              weight_decay=0.2, epsilon=1e-3, adam_lr_ratio=0.5, momentum=0.8, ns_steps=3,
                              nesterov=False, rms_rate=None, muon_a=3.0, muon_b=-4.0, muon_c=2.0)),
    "adagrad_from_zero": ("Adagrad", dict(learning_rate=0.05, initial_accumulator_value=0.0)),
}


def _case(name: str, kind: str, settings: dict[str, Any]) -> Case:
    return _adaptive(kind, Case(f"optimizer_{name}", net,
                                lambda k: dict(optimizer=getattr(k.optimizers, kind)(**settings))))


def _adaptive(kind: str, case: Case) -> Case:
    if kind.lower().startswith(("adam", "nadam", "lamb", "muon")):
        case.atol, case.why = 1e-5, ADAM
    return case


def _excluding(k: Any) -> dict[str, Any]:
    optimizer = k.optimizers.AdamW(0.01, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return dict(optimizer=optimizer)


CASES = [_case(name, *given) for name, given in _SETTINGS.items()]
CASES += [_adaptive(name, Case(f"optimizer_default_{name}", net, lambda k, name=name: dict(optimizer=name)))
          for name in (
              "sgd", "rmsprop", "adam", "adamw", "adagrad", "adadelta", "adamax", "nadam", "lion", "ftrl", "adafactor",
              "muon")]


def _muon(k: Any) -> dict[str, Any]:
    return dict(optimizer=k.optimizers.Muon(0.02, exclude_layers=["head"], exclude_embeddings=False))


def _matrices(k: Any) -> Any:
    """A tall matrix, a broad one, and one for Adam."""
    return k.Sequential([k.Input((FEATURES,)), k.layers.Dense(5, activation="tanh"), k.layers.Dense(7),
                         k.layers.Dense(CLASSES, name="head")])


CASES += [_adaptive("muon", Case("optimizer_muon_matrices", _matrices, _muon)),
          Case("optimizer_adafactor_matrices", _matrices, lambda k: dict(optimizer=k.optimizers.Adafactor(0.05)))]
CASES += [_adaptive("adamw", Case("optimizer_decay_of_kernels", net, _excluding))]
