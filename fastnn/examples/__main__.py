"""`python -m fastnn.examples` lists the lessons."""

from fastnn.examples import LESSONS


def listed() -> str:
    """One line a lesson."""
    width = max(map(len, LESSONS))
    return "\n".join(f"  {name:{width}}  {what}" for name, what in LESSONS.items())


def main() -> None:
    """The list, and how to run a lesson of it."""
    print(listed())
    print("\nRun one by  python -m fastnn.examples.NAME --plot figure.png  (--help names its options);")
    print("`fastnn lessons --to FOLDER` writes them as notebooks and scripts.")


if __name__ == "__main__":
    main()
