"""`make bench`: every benchmark, each beside the peer in one run, as ratios. `python -m bench NAME` runs one."""

from __future__ import annotations

import importlib
import sys

NAMES = ("config", "ipvs", "checks", "scale", "outages")


def main(arguments: list[str]) -> int:
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in arguments or NAMES:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
