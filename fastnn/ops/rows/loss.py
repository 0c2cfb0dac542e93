"""Losses that are means of independent terms: one number per sample. Floor 2."""

from fastnn.ops._op import Op
from fastnn.ops.rows._per_sample import row_loss, row_loss_grad

mean_squared_error_grad = Op("mean_squared_error_grad", **row_loss_grad("mean_squared_error_grad"), cost=0.3)
mean_squared_error = Op(
    "mean_squared_error", **row_loss("mean_squared_error"), terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_true=lambda dy, y_true, y_pred: mean_squared_error_grad(dy, y_pred, y_true),
             y_pred=lambda dy, y_true, y_pred: mean_squared_error_grad(dy, y_true, y_pred)), cost=0.2)

mean_absolute_error_grad = Op("mean_absolute_error_grad", **row_loss_grad("mean_absolute_error_grad"), cost=0.3)
mean_absolute_error = Op(
    "mean_absolute_error", **row_loss("mean_absolute_error"), terms=lambda y_pred: y_pred.shape[-1],
    vjp=dict(y_true=lambda dy, y_true, y_pred: mean_absolute_error_grad(dy, y_pred, y_true),
             y_pred=lambda dy, y_true, y_pred: mean_absolute_error_grad(dy, y_true, y_pred)), cost=0.2)
