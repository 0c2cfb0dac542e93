"""What the lessons and the `fastnn` command share: their options, and how they end when something goes wrong."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from fastnn.errors import nearest
from fastnn.examples._cells import Lesson


class Parser(argparse.ArgumentParser):
    """Options spelt in full; a wrong one ends with exit status 2 and the nearest right one. A figure (--plot) that
    cannot be written is an OSError."""

    def __init__(self, prog: str, description: str | None) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False,
                         formatter_class=argparse.RawDescriptionHelpFormatter)
        self._names: list[str] = ["--help"]
        self.add_argument("--debug", action="store_true", help="show the traceback when something fails")

    def add_argument(self, *names: Any, **settings: Any) -> Any:
        """As argparse's, remembering the option's name."""
        if hasattr(self, "_names"):
            self._names += [name for name in names if name.startswith("--")]
        return super().add_argument(*names, **settings)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The options, or exit status 2 naming the nearest for one that is unknown."""
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(f"unknown {'option' if unknown[0].startswith('-') else 'argument'} {unknown[0]!r}; "
                       + nearest(unknown[0].split("=")[0], self._names))
        _check_writable(getattr(options, "plot", None))
        return options

    def error(self, message: str) -> NoReturn:
        """One line on stderr, exit status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def start(file: str) -> NoReturn:
    """What `python -m fastnn.examples.NAME` does, told by the first lines of the lesson's file."""
    sys.exit(run(lambda words: run_lesson(Path(file).stem, words or ())))


def run_lesson(name: str, words: Sequence[str], command: str | None = None, plot: str | None = None) -> int:
    """Run the cells of a lesson with the options as its parameters, and save its figure (--plot; else `plot`)."""
    lesson = Lesson(name)
    parser = Parser(command or f"python -m fastnn.examples.{name}", lesson.text)
    parser.add_argument("--plot", metavar="FILE", type=plot_file, default=plot,
                        help="save the figure there (.png, .svg, .pdf)" + (f" ({plot})" if plot else ""))
    for parameter, (value, what) in lesson.parameters.items():
        kind = whole(0 if parameter == "seed" else 1) if isinstance(value, int) else str
        parser.add_argument(f"--{parameter}", type=kind, default=value, metavar=parameter.upper(),
                            help=what if value is None else f"{what} ({value})")
    options = vars(parser.parse_args(words))
    print(lesson.text.partition("\n\n")[0], end="\n\n", flush=True)
    made = lesson.run(**{parameter: options[parameter] for parameter in lesson.parameters})
    if options["plot"]:
        from fastnn.plotting._figure import saved
        saved(made["figure"], options["plot"])
        print(f"The figure: {Path(options['plot']).absolute()}\nThe lesson to read and change: {lesson.path}")
    return 0


def whole(least: int) -> Callable[[str], int]:
    """A converter for options: whole numbers from `least` on."""
    def convert(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) < 2**32:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number >= {least}")
        return int(text)
    return convert


def plot_file(text: str) -> str:
    """A converter for options: a file name that a picture can be saved under, checked before training begins."""
    from fastnn.plotting._figure import ending
    try:
        ending(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must end in .png, .svg or .pdf") from None
    return text


def _check_writable(path: str | None) -> None:
    """OSError if the file cannot be written."""
    if path is None:
        return
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r} for the figure; make it first")
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path!r} is a folder; name a file for the figure")
    if not os.access(path if Path(path).exists() else folder, os.W_OK):
        raise PermissionError(f"{path!r} cannot be written; choose another file for the figure")


def run(main: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None = None) -> int:
    """main(argv) with the exit status of a command: 0 right, 1 trouble with files or data, 2 a wrong option
    (argparse), 130 Ctrl-C.

    Trouble is one line on stderr; with --debug the traceback. A reader of the output that went away ends it quietly.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")       # a terminal without ² still gets the rest of the line
    try:
        try:
            return main(words)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())     # nothing is left to flush at exit
        return 141
    except (OSError, MemoryError, ImportError, ValueError) as error:
        if "--debug" in words:
            raise
        text = " ".join(str(error).split()) or type(error).__name__
        print(f"{Path(sys.argv[0]).stem.replace('__main__', 'fastnn')}: {text}", file=sys.stderr)
        return 1
