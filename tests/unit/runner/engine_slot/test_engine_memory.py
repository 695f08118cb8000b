"""The guard in the life of a slot's engine: refused before, ended while it serves, accounted for after."""

import contextlib
import dataclasses
from types import SimpleNamespace

import pytest
from fakes.memory_devices import FakeDevice

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engine_slot.engine_memory import EngineMemory, MemoryExceeded
from llmopt_runner.engine_slot.slot import EngineSlot
from llmopt_runner.engines.failures import EngineStartFailed
from llmopt_runner.guard.levels import NOTHING_RESERVED
from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.prediction import need_facts
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.weights import StoredWeights
from llmopt_runner.models.tensor_types import TensorType
from llmopt_runner.stopping import Interrupted

UNKNOWN = ModelShape(StoredWeights(), (), 1, None, unknown="layers of type 'new' are not understood")
SHAPE = ModelShape(StoredWeights(), (), 1, TensorType.FLOAT16)
ENGINE = 999_999_901


class FakeEngine:
    """Needs as many MiB as its configuration has slots."""

    declaration = dataclasses.replace(LLAMACPP)
    patience_seconds = restart_seconds = None

    def memory_need(self, _shape, configuration):
        return MemoryNeed(float(configuration.engine["n_parallel"]), 0.0, 0.0, 0.0)

    def gpu_reserve(self, _configuration):
        return NOTHING_RESERVED

    def uses_gpus(self, _configuration):
        return True

    def cache_takes_rest(self, _configuration):
        return False

    def make_fresh(self, _server, _configuration):
        return False


class Machine:
    """A host of 1000 MiB, on which a started server takes what `load` does to the host."""

    def __init__(self, load=lambda _host: None, error=None, **memory):
        self.host = FakeDevice(1000, 50)
        self.kills = 0
        self.starts = 0
        self._load, self._error = load, error
        memory = EngineMemory([self.host], **{"shape": SHAPE, **memory})
        self.slot = EngineSlot(FakeEngine(), lambda each: each, 60.0, self._server, memory)

    def _server(self, engine, _settings):
        def start(_timeout, *, answer_seconds, cancelled):
            self.starts += 1
            self._load(self.host)
            self.slot.memory.guard.sample()
            if self._error:
                raise self._error
            return 4.0

        return SimpleNamespace(
            engine=engine, start=start, alive=lambda: True, pids=lambda: (ENGINE,), kill=self._kill,
            stop=self._stop,
        )  # fmt: skip

    def _kill(self):
        self.kills += 1

    def _stop(self, **_):
        self.host.used = 50
        self.host.held.pop(ENGINE, None)

    def ensure(self, mib=100):
        return self.slot.ensure(Configuration(engine={"n_parallel": mib}), {}, lambda: False)


def _takes(mib):
    def load(host):
        host.used += mib
        host.held = {**host.held, ENGINE: float(mib)}

    return load


def test_what_surely_does_not_fit_costs_no_start():
    """It is refused with the numbers; the engine that is loaded stays loaded."""
    machine = Machine(_takes(200))
    loaded, _ = machine.ensure(200)
    with pytest.raises(MemoryExceeded) as caught:
        machine.ensure(5000)
    assert machine.starts == 1
    assert machine.slot.memory.guard is not None
    assert caught.value.failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert caught.value.facts["memory_need_mib"]["weights_mib"] == 5000
    assert machine.slot.memory.actions() == {"refuse": 1}
    assert loaded.alive()


def test_the_loaded_engines_memory_is_free_for_the_next():
    """The old engine is stopped before the next starts: what it holds is no obstacle."""
    machine = Machine(_takes(700))
    machine.ensure(700)
    machine.ensure(800)
    assert machine.starts == 2


def test_without_a_shape_nothing_is_predicted():
    """A model that cannot be read, or a manifest that wants no prediction: everything is started."""
    machine = Machine(shape=None)
    machine.ensure(5000)
    assert machine.starts == 1
    assert "memory_need_mib" not in machine.slot.memory.facts()


def test_earlier_outcomes_correct_the_prediction():
    """What engines took more than predicted is added: then what seemed to fit does not."""
    fact = {
        "memory_need_mib": need_facts(MemoryNeed(100, 0, 0, 0)),
        "memory_guard": {"devices": {"host": {"kind": "host", "peak_engine_mib": 800.0}}},
    }
    Machine().ensure(600)
    with pytest.raises(MemoryExceeded, match="about 1300 MiB"):
        Machine(facts=lambda: [fact] * 5).ensure(600)


def test_an_emergency_while_loading_is_the_reason_of_the_failed_start():
    """The engine is killed; not its exit but memory is what failed."""
    machine = Machine(_takes(920), error=EngineStartFailed("ended with signal 9"))
    with pytest.raises(MemoryExceeded, match="reached EMERGENCY"):
        machine.ensure()
    assert machine.kills
    assert machine.slot.memory.guard is None


def test_critical_while_loading_is_no_load_either():
    """A server that just got ready at CRITICAL serves nobody."""
    machine = Machine(_takes(860))
    with pytest.raises(MemoryExceeded, match="reached CRITICAL"):
        machine.ensure()
    assert machine.kills


@pytest.mark.parametrize("error", [EngineStartFailed("no such flag"), Interrupted("asked to stop")])
def test_a_start_that_fails_for_another_reason_keeps_its_reason(error):
    """Memory is blamed only where it was the reason."""
    machine = Machine(_takes(100), error=error)
    with pytest.raises(type(error)):
        machine.ensure()
    assert machine.slot.memory.guard is None


def test_while_it_serves_critical_ends_what_it_is_asked():
    """Once loaded the engine is not killed at CRITICAL: its requests are ended, and the trial has failed."""
    stops = []
    machine = Machine(_takes(100), stop=lambda: stops.append(1))
    machine.ensure()
    with machine.slot.memory.measuring() as reading:
        _takes(760)(machine.host)
        machine.slot.memory.guard.sample()
    assert stops
    assert not machine.kills
    assert reading().actions == ("stop",)
    assert machine.slot.memory.failure(ended=False).error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert machine.slot.memory.facts()["memory_guard"]["level"] == "CRITICAL"


def test_a_kill_by_the_kernel_counts_only_where_the_trial_failed():
    """The counter is the whole group's: a trial that went well was not what was killed."""
    machine = Machine(_takes(100))
    machine.ensure()
    machine.host.kills += 1
    assert machine.slot.memory.failure(ended=False) is None
    assert "the kernel killed" in machine.slot.memory.failure(ended=True).message


def test_actions_are_counted_over_all_engines():
    """What is asked to a monitoring system never falls."""
    machine = Machine(_takes(860))
    for _ in range(2):
        with pytest.raises(MemoryExceeded):
            machine.ensure()
    assert machine.slot.memory.actions()["stop"] == 2


def test_without_devices_nothing_is_watched():
    """An endpoint's memory is elsewhere."""
    memory = EngineMemory()
    assert memory.load(SimpleNamespace(), Configuration(), lambda: 3.0) == 3.0
    with memory.measuring() as reading:
        assert reading().metrics() == {}
    assert memory.failure(ended=True) is None
    assert (memory.facts(), memory.actions(), memory.take_warnings()) == ({}, {}, ())


def test_a_layout_that_is_not_understood_refuses_nothing_and_says_so_once():
    """Without a prediction the server is started, whatever it may need."""
    machine = Machine(shape=UNKNOWN)
    configuration = Configuration(engine={"n_parallel": 5000})
    machine.slot.memory.require_memory(machine.slot.engine, configuration)
    assert machine.slot.memory.take_warnings() == (
        "memory is not predicted for this model: layers of type 'new' are not understood",
    )
    assert machine.slot.memory.take_warnings() == ()


class Unpredicted(FakeEngine):
    """Does not understand a configuration with two slots, and leaves something out of one with three."""

    def memory_need(self, _shape, configuration):
        slots = configuration.engine["n_parallel"]
        if slots == 2:
            raise LayoutUnknown("engine.speculative_model m: layers of type 'new' are not understood")
        return MemoryNeed(2.0, 0.0, 0.0, 0.0, left_out="m is not counted" if slots == 3 else "")


def test_a_configuration_that_is_not_understood_is_started_and_said_once():
    """It is no reason to refuse it; what is left out of a prediction is said too."""
    memory = EngineMemory([FakeDevice(1000, 999)], shape=SHAPE)
    for slots in (2, 2, 1):
        with contextlib.suppress(MemoryExceeded):
            memory.require_memory(Unpredicted(), Configuration(engine={"n_parallel": slots}))
    (warning,) = memory.take_warnings()
    assert warning.startswith("memory is not predicted for this configuration: engine.speculative_model m: ")
    roomy = EngineMemory([FakeDevice(1000, 50)], shape=SHAPE)
    roomy.require_memory(Unpredicted(), Configuration(engine={"n_parallel": 3}))
    assert roomy.take_warnings() == ("in the prediction of memory m is not counted",)
