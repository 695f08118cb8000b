"""Whether a configuration can fit: the model's need, what was seen, what is free."""

import pytest

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.errors.classes import ErrorClass
from llmopt_runner.host.occupancy import Holder
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.prediction import (
    DeviceCapacity,
    Observation,
    devices_of,
    estimate,
    need_facts,
    observations,
    refusal,
    too_few_gpus,
)

NEED = MemoryNeed(100, 50, 20, 30)
WORDS = LLAMACPP.memory.words({"n_ctx": 4096})
HOST, GPU = DeviceCapacity("host", "host", 1000, 950, 100), DeviceCapacity("gpu0", "gpu", 500, 475, 0)


def _refusal(need, devices, seen=()):
    holders = (Holder(7, "database", 600.0),)
    return refusal(
        need, estimate(need, seen), devices, LLAMACPP.memory.words({"n_ctx": 4096}), lambda: holders
    )


def test_without_experience_the_margin_is_wide():
    """The engine's own model is believed within a fifth."""
    assert (estimate(NEED, []).mib, estimate(NEED, []).low_mib) == (200, 160)


def test_experience_corrects_and_narrows():
    """What engines reported scales the parts; what remained is added; each start narrows the margin."""
    seen = [Observation(NEED, {"kv_cache_mib": 100.0}, 270.0)] * 3
    expected = estimate(MemoryNeed(100, 500, 20, 30), seen)
    assert expected.mib == 100 + 1000 + 20 + 30 + (270 - 250)
    assert expected.margin_mib == pytest.approx(1150 * 0.2 / 4)


def test_a_spread_that_was_seen_stays_in_the_margin():
    """What differed between equal starts may differ again."""
    seen = [Observation(NEED, {}, measured) for measured in (180.0, 200.0, 260.0)]
    expected = estimate(NEED, seen)
    assert (expected.mib, expected.margin_mib) == (200, pytest.approx(60 + 200 * 0.2 / 4))


def test_what_surely_does_not_fit_is_refused_with_the_numbers():
    """Need by part, device and parameters stand in the message."""
    failure = _refusal(MemoryNeed(1000, 500, 0, 0), [HOST])
    assert failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    for text in (
        "about 1500 MiB",
        "at least 1200",
        "KV cache 500",
        "1000 MiB of host",
        "950 may be used",
        "4096",
    ):
        assert text in failure.message


@pytest.mark.parametrize("total", [100, 850, 1050])
def test_what_may_fit_is_started(total):
    """Within the margin only a start can say."""
    assert _refusal(MemoryNeed(total, 0, 0, 0), [HOST]) is None


def test_memory_that_others_hold_is_busy():
    """What would fit into an empty machine is tried again later, and the holders are named."""
    busy = DeviceCapacity("host", "host", 1000, 950, 800)
    failure = _refusal(MemoryNeed(300, 0, 0, 0), [busy])
    assert failure.error_class is ErrorClass.MEMORY_BUSY
    assert "database (pid 7) 600 MiB" in failure.message


def test_a_need_that_is_larger_than_what_others_hold_is_the_configurations_own():
    """Others that hold little are no reason to try again."""
    failure = _refusal(MemoryNeed(1200, 0, 0, 0), [HOST])
    assert failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("place", "devices", "taken"),
    [
        (None, [HOST], ["host"]),
        (None, [HOST, GPU], ["gpu0"]),
        ("host", [HOST, GPU], ["host"]),
        ("both", [HOST, GPU], ["host", "gpu0"]),
        ("gpu", [HOST], []),
    ],
)
def test_the_devices_a_need_is_taken_from(place, devices, taken):
    """GPUs where there are some, unless the engine says otherwise."""
    assert [device.device for device in devices_of(MemoryNeed(1, 1, 1, 1, place), devices)] == taken


def test_a_need_of_some_gpus_is_taken_from_those_with_most_left():
    """What lies on one GPU of two does not fit on both together."""
    devices = [
        DeviceCapacity("gpu0", "gpu", 100, 90, 50),
        DeviceCapacity("gpu1", "gpu", 100, 90, 10),
        DeviceCapacity("host", "host", 1000, 900, 0),
    ]
    assert [each.device for each in devices_of(MemoryNeed(1, 1, 1, 1, devices=1), devices)] == ["gpu1"]
    assert len(devices_of(MemoryNeed(1, 1, 1, 1, devices=4), devices)) == 2
    assert [each.device for each in devices_of(MemoryNeed(1, 1, 1, 1, "host", 1), devices)] == ["host"]


@pytest.mark.parametrize(
    ("need", "gpus", "fits"),
    [
        (MemoryNeed(1, 1, 1, 1, devices=4), 2, False),
        (MemoryNeed(1, 1, 1, 1, devices=4), 4, True),
        (MemoryNeed(1, 1, 1, 1, devices=4), 0, True),
        (MemoryNeed(1, 1, 1, 1, "host", devices=4), 2, True),
        (MemoryNeed(1, 1, 1, 1), 2, True),
    ],
    ids=["too few", "enough", "on processors", "in main memory", "on as many as there are"],
)
def test_an_engine_for_more_gpus_than_there_are_is_not_started(need, gpus, fits):
    """Sizes that are searched together may fit one by one, and be too many together."""
    failure = too_few_gpus(need, gpus)
    assert (failure is None) is fits
    if failure is not None:
        assert failure.error_class is ErrorClass.INVALID_CONFIGURATION
        assert "over 4 GPUs, and this runner sees 2" in failure.message


def test_what_an_engine_says_of_one_gpu_counts_for_each():
    """Its figures are of one of the devices that share the model."""
    need = MemoryNeed(800, 0, 0, 0, devices=8)
    seen = [Observation(need, {"weights_mib": 100}, 800.0)]
    assert estimate(MemoryNeed(800, 0, 0, 0, devices=1), seen).mib == pytest.approx(800)


def test_without_devices_nothing_is_refused():
    """What cannot be read is not judged."""
    assert _refusal(MemoryNeed(1e9, 0, 0, 0), []) is None


def test_experience_comes_from_the_facts_of_outcomes():
    """What a study stored is enough to go on with: predicted, reported and measured; the rest is ignored."""
    guarded = {"devices": {"host": {"kind": "host", "peak_engine_mib": 260.0}}}
    facts = {"memory_need_mib": need_facts(NEED), "memory_guard": guarded, "kv_cache_mib": 55.0}
    unmeasured = {**facts, "memory_guard": {"devices": {}}}
    assert observations([facts, {}, {"memory_guard": guarded}, unmeasured], gpus=False) == [
        Observation(NEED, {"kv_cache_mib": 55.0}, 260.0)
    ]
    assert observations([facts], gpus=True) == []
