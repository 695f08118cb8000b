"""The guard of GPUs in the life of a slot's engine; the library of NVML is a stand-in below pynvml."""

import dataclasses
from contextlib import nullcontext
from types import SimpleNamespace

import pynvml
import pytest
from fakes.memory_devices import FakeDevice
from fakes.nvml_library import Gpu, install
from fakes.small_llama import SHAPE

from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engine_slot.engine_memory import EngineMemory, MemoryExceeded
from llmopt_runner.engine_slot.slot import EngineSlot
from llmopt_runner.engines.base import Engine
from llmopt_runner.engines.failures import EngineStartFailed
from llmopt_runner.exporter.devices import DeviceMemory, ProgressView
from llmopt_runner.guard.gpu_starts import alone_on
from llmopt_runner.guard.levels import GpuReserve
from llmopt_runner.host.nvml import visible_gpus
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.stopping import Interrupted
from llmopt_runner.trial.progress import Progress

ENGINE, NEIGHBOUR, GPU_MIB = 999_999_901, 999_999_777, 81_000
TOO_LITTLE = (
    "ValueError: Free memory on device cuda:0 (10.25/79.1 GiB) on startup is less than desired GPU memory"
    " utilization (0.92, 72.77 GiB). Decrease GPU memory utilization or reduce GPU memory used by other"
    " processes."
)


_SLOTS = []


@pytest.fixture(autouse=True)
def guards_end(monkeypatch):
    """No guard looks on when its test, and the GPUs with it, have ended."""
    yield
    while _SLOTS:
        if guard := _SLOTS.pop().memory.guard:
            guard.end()


class AnEngine(Engine):
    """Needs what its configuration says; `takes` is what it does while it starts."""

    declaration = dataclasses.replace(VLLM)

    def __init__(self, takes=lambda: None, log=None, *, on_gpus=True, fills=False, place=None, devices=None):
        self.takes, self.log, self.on_gpus, self.fills = takes, log, on_gpus, fills
        self.devices = devices
        self.place = place if on_gpus else "host"

    def installed(self):
        return "1"

    def command(self, _settings):
        return None

    def serve_arguments(self, _configuration, _settings):
        return ""

    def make_fresh(self, _server, _configuration):
        return False

    def read_facts(self, _log, _metrics):
        return {}

    def memory_need(self, _shape, configuration):
        return MemoryNeed(float(configuration.engine["mib"]), 0.0, 0.0, 0.0, self.place, self.devices)

    def gpu_reserve(self, _configuration):
        return GpuReserve(0.92)

    def uses_gpus(self, _configuration):
        return self.on_gpus

    def cache_takes_rest(self, _configuration):
        return self.fills


def _slot(engine, **memory):
    watched = EngineMemory([FakeDevice(100_000), *visible_gpus({})], shape=SHAPE, **memory)
    slot = EngineSlot(engine, lambda each: each, 60.0, None, watched)

    def server_of(engine, _settings):
        def start(_timeout, *, answer_seconds, cancelled):
            engine.takes()
            watched.guard.sample()
            if engine.log:
                error = EngineStartFailed("it ended", log=engine.log, exit_code=1)
                error.patterns = VLLM.logs.patterns
                raise error
            return 4.0

        return SimpleNamespace(
            engine=engine, start=start, alive=lambda: True, pids=lambda: (ENGINE,), kill=lambda: None,
            stop=lambda **_: _give_back(),
        )  # fmt: skip

    slot._server_of = server_of
    _SLOTS.append(slot)
    return slot


def _give_back():
    for each in pynvml.nvmlLib.gpus:
        each.release(ENGINE)


def _ensure(slot, mib=1000):
    return slot.ensure(Configuration(engine={"mib": mib}), {}, lambda: False)


@pytest.fixture
def gpu(monkeypatch):
    """One GPU of 81,000 MiB."""
    gpu = Gpu(total_mib=GPU_MIB)
    install(monkeypatch, gpu)
    return gpu


def test_too_little_of_an_idle_gpu_is_the_configurations_own_fault(gpu):
    """The context of the program itself counts, too: no retry helps."""
    slot = _slot(AnEngine(lambda: gpu.hold(ENGINE, 600), TOO_LITTLE))
    with pytest.raises(EngineStartFailed) as caught:
        _ensure(slot)
    assert caught.value.failure.error_class is ErrorClass.GPU_OUT_OF_MEMORY


@pytest.mark.parametrize("log", [TOO_LITTLE, "torch.OutOfMemoryError: CUDA out of memory."])
def test_too_little_of_a_gpu_that_others_hold_is_tried_again(gpu, log):
    """Who held it before is named, with how much."""
    gpu.hold_elsewhere(NEIGHBOUR, 70_000)
    slot = _slot(AnEngine(lambda: gpu.hold(ENGINE, 600), log))
    with pytest.raises(MemoryExceeded) as caught:
        _ensure(slot)
    failure = caught.value.failure
    assert failure.error_class is ErrorClass.MEMORY_BUSY
    assert "70000 of 81000 MiB of gpu0 were others'" in failure.message
    assert f"(pid {NEIGHBOUR})" in failure.message


def test_an_engine_that_is_too_large_by_itself_is_not_excused_by_a_small_neighbour(gpu):
    """Others must hold more than the engine did."""
    gpu.hold_elsewhere(NEIGHBOUR, 5_000)
    slot = _slot(AnEngine(lambda: gpu.hold(ENGINE, 74_000), "CUDA out of memory"))
    with pytest.raises(EngineStartFailed):
        _ensure(slot)


def test_while_it_serves_a_neighbour_is_blamed_as_well(gpu):
    """What the engine's own message calls out of memory was memory that others took."""
    slot = _slot(AnEngine(lambda: gpu.hold(ENGINE, 20_000)))
    _ensure(slot)
    ran_out = Failure(ErrorClass.GPU_OUT_OF_MEMORY, "CUDA out of memory", "")
    assert slot.memory.busy(ran_out) is None
    gpu.hold_elsewhere(NEIGHBOUR, 60_000)
    slot.memory.guard.sample()
    assert slot.memory.busy(ran_out).error_class is ErrorClass.MEMORY_BUSY
    assert slot.memory.busy(Failure(ErrorClass.CUDA_FAULT, "", "")) is None


def test_an_engine_on_the_cpu_is_no_matter_of_gpus(gpu):
    """A neighbour that fills the card neither ends it nor is reported as the engine's."""
    slot = _slot(AnEngine(lambda: gpu.hold_elsewhere(NEIGHBOUR, GPU_MIB - 10), on_gpus=False))
    _ensure(slot)
    assert slot.memory.guard.reading().gpus() == (0, 0)
    assert slot.memory.failure(ended=False) is None


@pytest.mark.parametrize(
    ("mib", "on_gpus", "warned"), [(0, True, True), (60, True, True), (600, True, False), (0, False, False)]
)
def test_an_engine_that_leaves_the_gpus_alone_is_warned_of(gpu, mib, on_gpus, warned):
    """A build for the processor, or a driver that is too old, measures the processor: nobody wants that."""
    slot = _slot(AnEngine(lambda: mib and gpu.hold(ENGINE, mib), on_gpus=on_gpus))
    _ensure(slot)
    reported = [text for text in slot.memory.take_warnings() if "computes on the processor" in text]
    assert bool(reported) is warned
    assert all(text.startswith("gpu0: visible") for text in reported)


@pytest.mark.parametrize("place", [None, "both"])
@pytest.mark.parametrize(("held_mib", "starts"), [(0, False), (600, True)])
def test_a_build_for_the_processor_is_given_main_memory_alone(gpu, place, held_mib, starts):
    """Before its first start nobody knows; after it 110 GB are too much, though the GPU would add 81."""
    slot = _slot(AnEngine(lambda: held_mib and gpu.hold(ENGINE, held_mib), place=place))
    mib = 150_000 if place == "both" else 80_000
    _ensure(slot)
    gpu.release(ENGINE)
    if starts:
        _ensure(slot, mib)
        return
    with pytest.raises(MemoryExceeded, match="of host ") as caught:
        _ensure(slot, 150_000)
    assert caught.value.predicted
    assert caught.value.failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY


@pytest.mark.parametrize(("free", "ended"), [(100, False), (15, True)])
def test_what_an_engine_takes_on_purpose_is_the_guards_from_its_launch_on(monkeypatch, free, ended):
    """Without its reserve of 0.92 an engine that leaves 100 of 2,400 MiB would be ended while it loads."""
    small = Gpu(total_mib=2_400)
    install(monkeypatch, small)
    slot = _slot(AnEngine(lambda: small.hold(ENGINE, 2_400 - free)))
    with pytest.raises(MemoryExceeded) if ended else nullcontext():
        _ensure(slot)


@pytest.mark.parametrize(("on_gpus", "waits"), [(True, True), (False, False)])
def test_a_start_waits_for_another_runners_on_the_same_gpu(gpu, monkeypatch, tmp_path, on_gpus, waits):
    """vLLM measures what is free while it starts; an engine on the processors has nothing to wait for."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    started = []
    slot = _slot(AnEngine(lambda: started.append(gpu.used_mib), on_gpus=on_gpus))
    configuration = Configuration(engine={"mib": 1000})
    with alone_on(visible_gpus({}), lambda: False):
        if waits:
            with pytest.raises(Interrupted, match="another engine started"):
                slot.ensure(configuration, {}, lambda: True)
        else:
            slot.ensure(configuration, {}, lambda: True)
        assert bool(started) is not waits
    slot.ensure(configuration, {}, lambda: True)
    assert started


def test_what_cannot_be_attributed_is_not_warned_of(gpu):
    """Where NVML does not know the engine, memory that was added may be its own."""
    slot = _slot(AnEngine(lambda: gpu.hold_elsewhere(NEIGHBOUR, 5_000)))
    _ensure(slot)
    assert not any("computes on the processor" in text for text in slot.memory.take_warnings())


@pytest.mark.parametrize(("on_gpus", "starts"), [(False, False), (True, True)])
def test_a_gpu_that_cannot_be_read_keeps_only_its_own_needs_from_being_judged(monkeypatch, on_gpus, starts):
    """What main memory is too small for is refused all the same."""
    install(monkeypatch, Gpu(error=pynvml.NVML_ERROR_GPU_IS_LOST))
    slot = _slot(AnEngine(on_gpus=on_gpus))
    if starts:
        _ensure(slot, 900_000)
        return
    with pytest.raises(MemoryExceeded, match="predicted not to fit"):
        _ensure(slot, 900_000)


@pytest.mark.parametrize("reported", [{}, {"kv_cache_mib": 56_000.0, "weights_mib": 15_000.0}])
def test_a_cache_that_takes_the_rest_teaches_nothing(gpu, reported):
    """An engine that filled the card says nothing of what another configuration needs."""
    first = _slot(AnEngine(lambda: gpu.hold(ENGINE, 74_000), fills=True))
    _ensure(first)
    with first.memory.measuring():
        pass
    gpu.release(ENGINE)
    earlier = [{**first.memory.facts(), **reported}] * 6
    assert earlier[0]["memory_guard"]["devices"]["gpu0"]["peak_engine_mib"] == 74_000
    _ensure(_slot(AnEngine(fills=True), facts=lambda: earlier), 30_000)


def test_gpus_that_are_held_are_counted(monkeypatch):
    """By what the runner's environment shows, not by what is in the machine, and by one runner each."""
    install(monkeypatch, Gpu("GPU-a"), Gpu("GPU-b"))
    assert EngineMemory([FakeDevice(), *visible_gpus({})]).counted_gpus == 2
    assert EngineMemory(visible_gpus({"CUDA_VISIBLE_DEVICES": "1"})).counted_gpus == 1
    assert EngineMemory(visible_gpus({}), counts_gpus=False).counted_gpus == 0


def test_a_monitoring_system_reads_the_energy_of_the_gpus_that_count(monkeypatch):
    """Each by the GPU's own count, None without one; of GPUs that another runner counts there is nothing."""
    install(monkeypatch, Gpu("GPU-a", millijoules=12_500), Gpu("GPU-b"))
    view = ProgressView(Progress(memory=EngineMemory(visible_gpus({}))))
    assert view.gpu_joules() == {"gpu0": 12.5, "gpu1": None}
    shared = ProgressView(Progress(memory=EngineMemory(visible_gpus({}), counts_gpus=False)))
    assert shared.gpu_joules() == {}


def test_an_engine_for_more_gpus_than_there_are_is_not_started(gpu):
    """It costs no start; what it needs of memory would fit."""
    slot = _slot(AnEngine(lambda: gpu.hold(ENGINE, 600), devices=2))
    with pytest.raises(MemoryExceeded, match="over 2 GPUs, and this runner sees 1") as caught:
        _ensure(slot)
    assert caught.value.failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert gpu.used_mib == 0
    assert slot.memory.actions()["refuse"] == 1


@pytest.mark.parametrize(("on_gpus", "starts"), [(True, True), (False, False)])
def test_a_large_model_on_an_unseen_accelerator_is_not_judged_by_main_memory(monkeypatch, on_gpus, starts):
    """Nothing is known of that memory, which is said once; an engine on the CPU is judged as ever."""
    install(monkeypatch)
    slot = _slot(AnEngine(on_gpus=on_gpus), unseen=("AMD GPU",))
    if starts:
        _ensure(slot, 900_000)
    else:
        with pytest.raises(MemoryExceeded, match="predicted not to fit"):
            _ensure(slot, 900_000)
    assert [warning.partition(":")[0] for warning in slot.memory.take_warnings()] == ["AMD GPU"]
    assert slot.memory.take_warnings() == ()


def test_a_monitoring_system_sees_the_gpus_of_the_loaded_engine(gpu):
    """What programs have of it, what is used, and the guard's level."""
    gpu.reserved_mib = 615
    slot = _slot(AnEngine(lambda: gpu.hold(ENGINE, 20_000)))
    view = ProgressView(Progress(memory=slot.memory))
    assert view.devices() == ()
    _ensure(slot)
    seen = next(device for device in view.devices() if device.device == "gpu0")
    assert seen == DeviceMemory("gpu0", 20_000, GPU_MIB - 615, 0)
