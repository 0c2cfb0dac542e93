"""The vocabularies that Keras keeps beside the configuration in a .keras file, a text file for each layer. Floor 5."""

from collections.abc import Callable
from typing import Any

from fastnn.names import snake_case


def fill(config: Any, names: set[str], entry: Callable[[str], bytes], at: str = "assets/") -> None:
    """Put the tokens into the configurations of the layers that learned them, in models within the model too.

    names: what is in the archive; entry(name): its bytes. A layer's folder is named as its group of weights is: by its
    class, and the number of those before it.
    """
    layers = config.get("config", {}).get("layers") if isinstance(config.get("config"), dict) else None
    taken: dict[str, int] = {}
    for layer in layers if isinstance(layers, list) else []:
        if not isinstance(layer, dict) or not isinstance(layer.get("config"), dict):
            continue
        key = snake_case(str(layer.get("class_name")))
        count = taken[key] = taken.get(key, -1) + 1
        place = f"{at}layers/{key}_{count}/" if count else f"{at}layers/{key}/"
        if f"{place}vocabulary.txt" in names and layer["config"].get("vocabulary") is None:
            layer["config"]["vocabulary"] = entry(f"{place}vocabulary.txt").decode("utf-8").split("\n")
        fill(layer, names, entry, place)
