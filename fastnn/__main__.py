"""The `fastnn` command: info, demo, lessons, run. Floor 5.

Exit status: 0 right, 1 trouble with files, 2 a wrong command or option, 130 Ctrl-C.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import fastnn
from fastnn.errors import nearest
from fastnn.examples import write
from fastnn.examples.__main__ import main as examples
from fastnn.examples._lesson import Parser, run, run_lesson


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
    return run_lesson("breast_cancer", words, "fastnn demo", "fastnn-demo.png")


def lessons(words: Sequence[str]) -> int:
    """List the lessons; --to FOLDER: write them there as notebooks and scripts."""
    parser = Parser("fastnn lessons", lessons.__doc__)
    parser.add_argument("--to", metavar="FOLDER", help="write NAME.ipynb and NAME.py of each there")
    options = parser.parse_args(words)
    if options.to is None:
        examples()
        return 0
    print(f"{len(write(options.to))} files in {Path(options.to).absolute()}; open a notebook, or run  python xor.py")
    return 0


def run_file(words: Sequence[str]) -> int:
    """Run a course's .md, .Rmd, .ipynb or .py file with fastnn in place of tensorflow or keras, cell by cell."""
    parser = Parser("fastnn run", run_file.__doc__)
    parser.add_argument("file", metavar="FILE", help="the material, as it stands")
    parser.add_argument("--before", metavar="FILE.py",
                        help="what it takes for granted; a cell under '# %%%% 759' runs before the cell of line 759")
    parser.add_argument("--figures", metavar="FOLDER", help="save what it draws there as figure-1.png and so on")
    options = parser.parse_args(words)

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


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"info": info, "demo": demo, "lessons": lessons,
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
