"""All Op rows by kernel name, for the generic tests."""

import importlib
import pkgutil

import fastnn.ops.rows
from fastnn.ops._op import Op

OPS: dict[str, Op] = {}
FAMILY: dict[str, str] = {}
for _module in pkgutil.iter_modules(fastnn.ops.rows.__path__):
    if not _module.name.startswith("_"):
        for _value in vars(importlib.import_module(f"fastnn.ops.rows.{_module.name}")).values():
            if isinstance(_value, Op):
                OPS[_value.name] = _value
                FAMILY.setdefault(_value.name, _module.name)
