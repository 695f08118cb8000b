"""One loaded engine at a time: reused where that changes nothing, given up otherwise."""

import dataclasses
from types import SimpleNamespace

import pytest

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.resources.optimization import Budget
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engine_slot.slot import EngineSlot
from llmopt_runner.engines.failures import EngineStartFailed

ASKED = {"engine.n_parallel": 4, "sampling.temperature": 0.5, "prompt.few_shot": 1}


class FakeEngine:
    """Stands for any engine; `fresh` says whether a loaded server can be made as good as new."""

    patience_seconds, restart_seconds = None, None

    def __init__(self, *, fresh=True, freezes=False):
        self.fresh = fresh
        self.declaration = dataclasses.replace(LLAMACPP, freezes_sampling=lambda _: freezes)

    def make_fresh(self, _server, _configuration):
        return self.fresh

    def stays_warm(self, configuration):
        return configuration.engine["n_parallel"] == 4


class Servers:
    """Makes servers that only count; `seconds` is what each start takes, `fault` what it raises."""

    def __init__(self, seconds=4.0, fault=None):
        self.made = []
        self.seconds = seconds
        self.fault = fault

    def __call__(self, _engine, _settings):
        server = SimpleNamespace(running=False)

        def start(timeout_seconds, *, answer_seconds, cancelled):
            assert not cancelled()
            server.running, server.waits = True, (timeout_seconds, answer_seconds)
            if self.fault is not None:
                raise self.fault
            return self.seconds

        server.start = start
        server.alive = lambda: server.running
        server.stop = lambda **_: setattr(server, "running", False)
        self.made.append(server)
        return server

    @property
    def running(self):
        return [server for server in self.made if server.running]


def slot(servers, *, fresh=True, freezes=False, budget=None):
    return EngineSlot(
        FakeEngine(fresh=fresh, freezes=freezes), lambda each: each, 60.0, servers, budget=budget
    )


def ensure(a_slot, n_parallel=4, temperature=0.5, start=None):
    configuration = Configuration(engine={"n_parallel": n_parallel}, sampling={"temperature": temperature})
    asked = {**ASKED, "engine.n_parallel": n_parallel}
    return a_slot.ensure(configuration, asked, lambda: False, start=start)


@pytest.mark.parametrize(
    ("limits", "served", "expected"),
    [
        ((None, None), True, (60.0, 0.0)),
        ((10.0, 30.0), False, (10.0, 30.0)),
        ((10.0, 30.0), True, (30.0, 30.0)),
        ((10.0, 120.0), False, (10.0, 60.0)),
        ((10.0, 120.0), True, (60.0, 60.0)),
        ((90.0, 120.0), False, (60.0, 60.0)),
    ],
    ids=[
        "may always start",
        "never answered",
        "answered before",
        "first answer within startTimeout",
        "restart within startTimeout",
        "listing within startTimeout",
    ],
)
def test_a_server_that_answered_before_may_be_restarting(limits, served, expected):
    """One that runs elsewhere and never answered is soon given up; its first answer may be slow."""
    servers = Servers()
    a_slot = slot(servers)
    a_slot.engine.patience_seconds, a_slot.engine.restart_seconds = limits
    a_slot.ensure(Configuration(engine={"n_parallel": 4}), ASKED, lambda: False, served=served)
    assert servers.made[0].waits == expected


def test_another_start_of_a_plan_is_another_server():
    """Repeats of one start share its engine; the next start is another, though nothing else differs."""
    servers = Servers()
    a_slot = slot(servers)
    ensure(a_slot)  # of the search
    assert [ensure(a_slot, start=start)[1] for start in (0, 0, 1)] == [4.0, 0.0, 4.0]
    assert ensure(a_slot)[1] == 0.0  # where any will do


def test_another_sampling_keeps_the_loaded_engine():
    """Only load-time parameters decide: a reused server costs no start."""
    servers = Servers()
    a_slot = slot(servers)
    first, seconds = ensure(a_slot, temperature=0.1)
    again, no_seconds = ensure(a_slot, temperature=0.9)
    assert (seconds, no_seconds) == (4.0, 0.0)
    assert first is again


def test_another_load_time_parameter_replaces_the_engine():
    """There is never more than one server: the first is stopped before the second starts."""
    servers = Servers()
    a_slot = slot(servers)
    ensure(a_slot, n_parallel=4)
    ensure(a_slot, n_parallel=8)
    assert len(servers.made) == 2
    assert servers.running == [servers.made[1]]


def test_frozen_sampling_needs_another_server():
    """Where a server keeps the sampling of its first request, another sampling is another load."""
    servers = Servers()
    a_slot = slot(servers, freezes=True)
    ensure(a_slot, temperature=0.1)
    a_slot.served(1.0, 0.0)
    assert a_slot.fixed() == {"engine.n_parallel": 4, "sampling.temperature": 0.5}
    ensure(a_slot, temperature=0.9)
    assert len(servers.made) == 2


def test_an_engine_that_cannot_be_made_fresh_is_loaded_again():
    """What an earlier trial left in its cache must not flatter the next one."""
    servers = Servers()
    a_slot = slot(servers, fresh=False)
    ensure(a_slot)
    ensure(a_slot)
    assert len(servers.made) == 2


def test_an_engine_that_died_is_loaded_again():
    """A server that is gone serves no further trial."""
    servers = Servers()
    a_slot = slot(servers)
    ensure(a_slot)
    servers.made[0].running = False
    ensure(a_slot)
    assert len(servers.made) == 2


def test_a_failed_start_leaves_nothing_running():
    """Whatever ends a start, its process is ended, and the slot is empty."""
    servers = Servers(fault=EngineStartFailed("it ended"))
    a_slot = slot(servers)
    with pytest.raises(EngineStartFailed):
        ensure(a_slot)
    assert servers.running == []
    assert a_slot.fixed() is None


def test_load_time_parameters_are_kept_while_loading_costs_too_much():
    """A load of 4 s and trials of 5 s: four trials share it, then the sampler chooses freely again."""
    a_slot = slot(Servers(seconds=4.0))
    kept = []
    ensure(a_slot)
    for _ in range(4):
        a_slot.served(5.0, 0.0)
        kept.append(a_slot.fixed())
    assert kept == [{"engine.n_parallel": 4}] * 3 + [None]


def test_an_engine_that_only_one_trial_can_use_is_not_kept():
    """Where every searched parameter is read when the engine starts, a kept engine would repeat its trial."""
    a_slot = slot(Servers(seconds=100.0))
    configuration = Configuration(engine={"n_parallel": 4})
    a_slot.ensure(configuration, {"engine.n_parallel": 4}, lambda: False)
    a_slot.served(1.0, 0.0)
    assert a_slot.fixed() is None


def test_the_first_warm_up_is_a_part_of_the_load():
    """A load of 1 s with a warm-up of 3 s costs as much as one of 4 s; later warm-ups are of their trials."""
    a_slot = slot(Servers(seconds=1.0))
    kept = []
    ensure(a_slot)
    for warmup_seconds in (3.0, 2.0, 0.0, 1.0):
        a_slot.served(5.0 - (warmup_seconds if kept else 0.0), warmup_seconds)
        kept.append(a_slot.fixed() is not None)
    assert kept == [True, True, True, False]


def test_a_small_budget_lets_fewer_trials_share_a_load():
    """Of nine trials after the default no more than two share one, however long it takes to load."""
    a_slot = slot(Servers(seconds=100.0), budget=Budget(trials=10))
    ensure(a_slot)
    a_slot.served(1.0, 0.0)
    assert a_slot.fixed() is not None
    a_slot.served(1.0, 0.0)
    assert a_slot.fixed() is None


def test_only_an_engine_that_served_and_keeps_its_warmth_is_warm():
    """A load begins cold, whatever was loaded before; an engine that cannot stay warm never is."""
    a_slot = slot(Servers())
    stays, cools = (Configuration(engine={"n_parallel": n}) for n in (4, 8))
    warm = [a_slot.is_warm(stays)]
    ensure(a_slot)
    warm.append(a_slot.is_warm(stays))
    a_slot.served(1.0, 1.0)
    warm += [a_slot.is_warm(stays), a_slot.is_warm(cools)]
    ensure(a_slot, n_parallel=8)
    warm.append(a_slot.is_warm(stays))
    assert warm == [False, False, True, False, False]


def test_a_closed_slot_is_empty():
    """At a runner's end its server is gone."""
    servers = Servers()
    a_slot = slot(servers)
    ensure(a_slot)
    a_slot.close()
    assert servers.running == []


class Choosy(FakeEngine):
    """Refuses whatever it is asked for, with what it knows; `doubts` are about its version."""

    def __init__(self, *doubts):
        super().__init__()
        self._doubts = doubts

    def unsupported(self, shape, configuration, gpus):
        return (f"{shape} {configuration.engine} {gpus}",)

    def version_doubts(self):
        return self._doubts


def test_what_goes_with_no_start_is_known_by_the_model_and_the_gpus():
    """The engine is asked with both."""
    a_slot = EngineSlot(Choosy(), lambda each: each, 60.0, shape="shape", gpus=["gpu0"])
    assert a_slot.unsupported(Configuration(engine={"n_parallel": 4})) == (
        "shape {'n_parallel': 4} ['gpu0']",
    )


def test_another_version_than_the_declared_one_refuses_nothing_before_a_start():
    """Its rules may be others."""
    a_slot = EngineSlot(Choosy("it is another version"), lambda each: each, 60.0)
    assert a_slot.unsupported(Configuration()) == ()
