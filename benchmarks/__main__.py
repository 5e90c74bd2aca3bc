"""Every benchmark: `make bench`."""

from __future__ import annotations

import sys

from benchmarks import serving_speed as serving

if __name__ == "__main__":
    sys.exit(serving.main())
