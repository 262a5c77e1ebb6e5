"""Try every hostile input: `python tests/hostile [PART OF A NAME ...]`; one line for each that fails."""

import sys
import time
from collections import Counter

import families
from runner import run_all, warm_up


def main() -> int:
    """1 where any attempt failed."""
    parts = sys.argv[1:]
    attempts = families.some_attempts() if parts == ["--some"] else [
        one for one in families.all_attempts() if not parts or any(map(one.name.startswith, parts))
    ]  # fmt: skip
    warm_up()
    began = time.monotonic()
    counts: Counter[str] = Counter()
    slowest, largest = 0.0, 0.0
    for outcome in run_all(attempts):
        family = outcome.attempt.name.split("/")[0]
        counts[family] += 1
        slowest, largest = max(slowest, outcome.cpu_s), max(largest, outcome.peak_mb)
        if outcome.faults:
            counts["failed"] += 1
            print(f"FAILED {outcome.attempt.name}: {'; '.join(outcome.faults)}", flush=True)
    failed = counts.pop("failed", 0)
    print(", ".join(f"{family} {count}" for family, count in counts.items()))
    print(
        f"{sum(counts.values())} inputs, {failed} failed; the slowest took {slowest:.1f} s of the "
        f"processor, the largest {largest:.0f} MB; {time.monotonic() - began:.0f} s in all"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
