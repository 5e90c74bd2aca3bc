"""What a model was fitted with: versions, processor and threads, which decide the last bits."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from threadpoolctl import threadpool_info

#: The prefix of the run parameters that hold it.
PREFIX = "environment_"
#: Libraries that a fitted number passes through.
LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "xgboost")


def environment() -> dict[str, str]:
    """The environment of this process as run parameters, such as `environment_numpy`."""
    for name in LIBRARIES:  # a library that is not loaded yet has no threads to count
        import_module(name)
    pools = threadpool_info()
    libc = " ".join(platform.libc_ver()).strip()
    values = {
        "python": platform.python_version(),
        "platform": ", ".join(
            name for name in (platform.system(), platform.machine(), libc) if name
        ),
        "threads": str(max((pool["num_threads"] for pool in _of_kind(pools, "openmp")), default=1)),
        "linear_algebra": "; ".join(sorted({_kernel(pool) for pool in _of_kind(pools, "blas")})),
        **{name: str(import_module(name).__version__) for name in LIBRARIES},
    }
    return {f"{PREFIX}{name}": value for name, value in values.items()}


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What differs from a run's parameters, in words; what they don't hold is left out."""
    return [
        f"{name.removeprefix(PREFIX).replace('_', ' ')}: {before[name]} then, {now[name]} now"
        for name in sorted(now)
        if name in before and before[name] != now[name]
    ]


def _of_kind(pools: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [pool for pool in pools if pool["user_api"] == kind]


def _kernel(pool: Mapping[str, Any]) -> str:
    """The library and the processor that it chose its code for."""
    return " ".join(str(pool[key]) for key in ("internal_api", "version", "architecture")
                    if pool.get(key))  # fmt: skip
