"""Travel: the part of a History that goes back in time, where fit was asked to record its epochs. Floor 3.

What is kept is in saving/timeline.py, floors above, and reached for when it is asked for.
"""

import os
from typing import Any


class Travel:
    """Base of History."""
    _timeline: Any = None       # of fit(record=…)
    _kept: Any = None           # a model that nobody else holds

    def keep_model(self, model: Any) -> None:
        """Remember the model, and keep it alive."""
        self.set_model(model)  # type: ignore[attr-defined]
        self._kept = model

    def at(self, epoch: int) -> Any:
        """The fit after `epoch` epochs, as its curves count them; 0 is its start. For a fit with record='epochs'.

        → saving.timeline.Snapshot: `.weights`, `.logs`, `.model` (with these weights, for any plot), and
        `.branch(epochs=…, learning_rate=…)`, a new fit that goes on from there. RuntimeError where nothing was
        recorded, KeyError for an epoch that was not kept, naming those that were.

        >>> history = model.fit(x, y, epochs=3, verbose=0, record="epochs")
        >>> [len(history.at(n).weights) for n in (0, 3)]
        [4, 4]
        """
        from fastnn.saving.timeline import at
        return at(self, epoch)

    def animate(self, draw: Any, path: str | os.PathLike[str], seconds: float = 6.0,
                size: tuple[float, float] = (6.0, 5.0)) -> str:
        """A film over the epochs that fit(record=…) kept: draw(snapshot, ax) for each, into a .gif, or a page .html.
        → the path. ValueError for another ending.

        >>> history = model.fit(x, y, epochs=2, verbose=0, record="epochs")
        >>> history.animate(lambda then, ax: ax.hist(then.weights[0].ravel()), "weights.gif", seconds=1)
        'weights.gif'
        """
        from fastnn.saving.timeline import animate
        return animate(self, draw, path, seconds, size)
