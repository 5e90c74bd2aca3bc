"""What a model was fitted with: versions, processor and threads, on which the last bits hang."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from threadpoolctl import threadpool_info

#: Before the names of run parameters that tell it.
PREFIX = "environment_"
#: Libraries that a fitted number passes through.
LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "xgboost")


def environment() -> dict[str, str]:
    """What fits here, as run parameters: `environment_python`, `environment_numpy`, and so on."""
    for name in LIBRARIES:  # those that are not loaded yet have no threads to count
        import_module(name)
    pools = threadpool_info()
    libc = " ".join(platform.libc_ver()).strip()
    found = {
        "python": platform.python_version(),
        "platform": ", ".join(
            part for part in (platform.system(), platform.machine(), libc) if part
        ),
        "threads": str(max((pool["num_threads"] for pool in _of(pools, "openmp")), default=1)),
        "linear_algebra": "; ".join(sorted({_kernel(pool) for pool in _of(pools, "blas")})),
        **{name: str(import_module(name).__version__) for name in LIBRARIES},
    }
    return {f"{PREFIX}{name}": value for name, value in found.items()}


def changed(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is another one now than a run's parameters say, in words; what they don't say is not."""
    return [
        f"{name.removeprefix(PREFIX).replace('_', ' ')}: {then[name]} then, {now[name]} now"
        for name in sorted(now)
        if name in then and then[name] != now[name]
    ]


def _of(pools: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [pool for pool in pools if pool["user_api"] == kind]


def _kernel(pool: Mapping[str, Any]) -> str:
    """The library and the processor that it chose its code for."""
    return " ".join(str(pool[key]) for key in ("internal_api", "version", "architecture")
                    if pool.get(key))  # fmt: skip
