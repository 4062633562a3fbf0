"""`make bench [NAME=…] [QUICK=1]`: prints one JSON line a figure. Names: one module each in this folder."""

import argparse
import importlib
import sys

NAMES = ("agent", "browsers", "hub", "latency", "media", "wall")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=[], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="each name in under 45 s, with fewer values")
    chosen = parser.parse_args()
    for name in chosen.names or NAMES:
        for figure in importlib.import_module(f"benchmarks.{name}").measure(quick=chosen.quick):
            print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
