"""When a device is at which level, and what an engine takes on purpose."""

import pytest

from llmopt_core.occupancy import Occupancy
from llmopt_runner.guard.levels import GpuReserve, Level, Thresholds

H200_MIB, RTX_4090_MIB, T4_MIB = 143_156, 24_082, 15_360


@pytest.mark.parametrize(
    ("total", "free", "level"),
    [
        (H200_MIB, 0.09 * H200_MIB, Level.SAFE),  # 91 % of it, and 12 GiB are free
        (H200_MIB, 1025, Level.SAFE),
        (H200_MIB, 1023, Level.WARNING),
        (H200_MIB, 255, Level.CRITICAL),
        (H200_MIB, 127, Level.EMERGENCY),
        (RTX_4090_MIB, 0.08 * RTX_4090_MIB, Level.SAFE),
        (T4_MIB, 300, Level.WARNING),
        (1000, 101, Level.WARNING),  # of a small slice the percentages decide
        (1000, 99, Level.CRITICAL),
        (1000, 49, Level.EMERGENCY),
    ],
)
def test_a_gpu_is_at_a_level_where_little_is_free_as_well(total, free, level):
    """A share of a large GPU is enough for whole models: the percentages alone say nothing."""
    assert Thresholds().level(Occupancy(total, total - free), "gpu") is level


def test_main_memory_is_judged_by_percent():
    """Who runs out of it is killed by the kernel."""
    assert Thresholds().level(Occupancy(H200_MIB, 0.91 * H200_MIB)) is Level.CRITICAL


@pytest.mark.parametrize("total", [H200_MIB, RTX_4090_MIB, T4_MIB])
@pytest.mark.parametrize(
    ("reserve", "taken"),
    [
        (GpuReserve(0.92), lambda total: 0.92 * total + 620),
        (GpuReserve(0.97), lambda total: 0.97 * total + 250),
        (GpuReserve(leaves_mib=1024), lambda total: total - 1024),
        (GpuReserve(leaves_mib=0), lambda total: total - 60),
        (GpuReserve(mib=10_000), lambda total: 0.91 * total),
    ],
)
def test_an_engine_that_takes_what_it_takes_on_purpose_is_in_no_danger(total, reserve, taken):
    """A share and a context beside it, all but a GiB, all: no such engine is ended."""
    seen = Occupancy(total, taken(total))
    assert Thresholds().level(seen, "gpu", reserved_mib=reserve.of(total)) <= Level.WARNING


@pytest.mark.parametrize(
    ("reserve", "reserved"),
    [
        (GpuReserve(), 0),
        (GpuReserve(0.5), 500),
        (GpuReserve(0.5, 100), 600),
        (GpuReserve(mib=5000), 1000),
        (GpuReserve(leaves_mib=100), 900),
        (GpuReserve(leaves_mib=5000), 0),
    ],
)
def test_what_is_reserved_is_never_more_than_there_is(reserve, reserved):
    """Shares, sizes and what is left free, within the GPU."""
    assert reserve.of(1000) == reserved


def test_a_device_that_was_never_read_is_safe():
    """What is not known is not judged."""
    assert Thresholds().level(Occupancy(0, 0), "gpu") is Level.SAFE
