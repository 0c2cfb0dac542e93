"""The `fastnn` command: info, demo, examples, run. Floor 5.

Exit status: 0 right, 1 trouble with files, 2 a wrong command or option, 130 Ctrl-C.
"""

import sys
from collections.abc import Callable, Sequence

import fastnn
from fastnn.errors import nearest
from fastnn.examples.__main__ import listed
from fastnn.examples._lesson import Parser, plot_file, run, whole


def info(words: Sequence[str]) -> int:
    """Say which backend, instruction set and how many threads run your code; --measure: and how fast they can be."""
    parser = Parser("fastnn info", info.__doc__)
    parser.add_argument("--measure", action="store_true", help="measure the most that this machine can do, and keep it")
    options = parser.parse_args(words)
    fastnn.show_config()
    if options.measure:
        from fastnn.teaching import peak
        print()
        if fastnn.config.configuration()["backend"] == "reference":
            print("fastnn info: --measure needs the C kernels", file=sys.stderr)
            return 1
        found = peak.measure()
        print(found)
        try:
            print(f"kept in {peak.keep(found)}")
        except ValueError as error:
            print(f"fastnn info: not kept, as {error}", file=sys.stderr)
            return 1
        print(f"\n{peak.costs()}")
    return 0


def demo(words: Sequence[str]) -> int:
    """Train the study guide's breast-cancer network (chapter 53) and draw its loss curves."""
    parser = Parser("fastnn demo", demo.__doc__)
    parser.add_argument("--plot", metavar="FILE", type=plot_file, default="fastnn-demo.png",
                        help="save the loss curves there (fastnn-demo.png)")
    parser.add_argument("--epochs", type=whole(1), default=50, help="passes over the data (50)")
    parser.add_argument("--seed", type=whole(0), default=1, help="the same seed gives the same numbers (1)")
    options = parser.parse_args(words)

    from pathlib import Path

    from fastnn import plotting
    from fastnn.examples import breast_cancer
    print("Is a tumour malignant or benign? 30 measurements in, layers of 16, 8 and 1 neurons, one probability out.")
    result = breast_cancer.train(options.epochs, options.seed, verbose="epochs")
    print()
    breast_cancer.report(result)
    plotting.loss_curves(result.history, options.plot)
    print(f"\nLoss curves saved in {Path(options.plot).absolute()}")
    print(f"The lesson to read and change is {breast_cancer.__file__}")
    return 0


def examples(words: Sequence[str]) -> int:
    """List the lessons."""
    Parser("fastnn examples", examples.__doc__).parse_args(words)
    print("Lessons for the study guide's chapters; run one with  python -m fastnn.examples.NAME [--plot FILE]\n")
    print(listed())
    return 0


def run_file(words: Sequence[str]) -> int:
    """Run a course's .md, .Rmd, .ipynb or .py file with fastnn in place of tensorflow or keras, cell by cell."""
    parser = Parser("fastnn run", run_file.__doc__)
    parser.add_argument("file", metavar="FILE", help="the material, as it stands")
    parser.add_argument("--before", metavar="FILE.py",
                        help="what it takes for granted; a cell under '# %%%% 759' runs before the cell of line 759")
    parser.add_argument("--figures", metavar="FOLDER", help="save what it draws there as figure-1.png and so on")
    options = parser.parse_args(words)

    from pathlib import Path

    from fastnn.teaching import scripts
    if options.figures is not None and not Path(options.figures).is_dir():
        raise FileNotFoundError(f"there is no folder {options.figures!r} for the figures; make it first")
    outcomes = []
    with scripts.figures_to(options.figures) as figures:
        for outcome in scripts.run_cells(options.file, before=options.before):
            print(outcome, flush=True)
            outcomes.append(outcome)
    passed = sum(outcome.error is None for outcome in outcomes)
    print(f"\n{passed} of {len(outcomes)} cells passed, in {sum(outcome.seconds for outcome in outcomes):.1f} s"
          + (f"; {len(figures)} figures in {options.figures}" if options.figures is not None else ""))
    return 0 if passed == len(outcomes) else 1


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"info": info, "demo": demo, "examples": examples,
                                                       "run": run_file}


def command(words: Sequence[str] | None = None) -> int:
    """Run one command; without any, print the help."""
    names = "\n".join(f"  {name:<10}{function.__doc__}" for name, function in COMMANDS.items())
    parser = Parser("fastnn", f"{fastnn.__doc__}\ncommands:\n{names}\n\n`fastnn COMMAND --help` says more.")
    parser.usage = "fastnn [--help] [--version] COMMAND ..."
    parser.add_argument("--version", action="version", version=f"fastnn {fastnn.__version__}")
    words = list(words or [])
    first = next((i for i, word in enumerate(words) if not word.startswith("-")), None)
    if first is None:
        parser.parse_args(words)
        parser.print_help()
        return 0
    parser.parse_args(words[:first])
    if words[first] not in COMMANDS:
        parser.error(f"unknown command {words[first]!r}; {nearest(words[first], COMMANDS)}")
    return COMMANDS[words[first]](words[first + 1:])


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point; argv without the program's name, or what the shell passed."""
    return run(command, argv)


if __name__ == "__main__":
    sys.exit(main())
