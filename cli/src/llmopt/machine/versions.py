"""What this machine is: processor, memory, system, and the versions of what is installed."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from llmopt.machine.hardware import processor
from llmopt_core.engines.registry import usable_declarations

_PACKAGES = ("llmopt", "optuna")


def machine_facts() -> dict[str, str]:
    """Return processor, cores, memory, system and versions, by what to call them."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "Processor": processor(),
        "Cores": str(os.cpu_count()),
        "Memory": f"{pages / 2**30:.1f} GiB",
        "System": platform.platform(terse=True),
        "Versions": ", ".join(_versions()),
    }


def _versions() -> list[str]:
    found = [f"Python {platform.python_version()}"]
    engines = (package for each in usable_declarations().values() for package in each.packaging.distributions)
    for package in dict.fromkeys((*_PACKAGES, *engines)):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return found
