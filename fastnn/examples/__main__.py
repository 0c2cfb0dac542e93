"""`python -m fastnn.examples` lists the lessons."""

from fastnn.examples import LESSONS


def main() -> None:
    """One line a lesson, and how to run it."""
    width = max(map(len, LESSONS))
    for name, what in LESSONS.items():
        print(f"  {name:{width}}  {what}")
    print("\nRun one by python -m fastnn.examples.NAME; add --help for its options.")


if __name__ == "__main__":
    main()
