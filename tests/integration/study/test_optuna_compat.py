"""What Optuna and its dashboard see of our studies, and what we use of Optuna that is not public."""

import inspect
import json
import threading
import time
from contextlib import contextmanager

import optuna
import pytest
import sqlalchemy as sa
from fakes.studies import SLO, TWO_OBJECTIVES, definition, ended, heartbeat, measured
from optuna.distributions import distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from llmopt_core.analysis.summary import summarise
from llmopt_core.sampling.distributions import distribution
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.spaces import ChoiceDimension, FloatDimension, IntDimension
from llmopt_core.storage import tables
from llmopt_core.storage.measured_items import MeasuredItem
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind
from llmopt_core.storage.snapshot import Snapshot
from llmopt_core.storage.storages import Storage
from llmopt_core.storage.studies import Study

COLUMNS = {
    "studies": {"study_id", "study_name"},
    "study_directions": {"study_direction_id", "direction", "study_id", "objective"},
    "study_user_attributes": {"study_user_attribute_id", "study_id", "key", "value_json"},
    "study_system_attributes": {"study_system_attribute_id", "study_id", "key", "value_json"},
    "trials": {"trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete"},
    "trial_user_attributes": {"trial_user_attribute_id", "trial_id", "key", "value_json"},
    "trial_system_attributes": {"trial_system_attribute_id", "trial_id", "key", "value_json"},
    "trial_params": {"param_id", "trial_id", "param_name", "param_value", "distribution_json"},
    "trial_values": {"trial_value_id", "trial_id", "objective", "value", "value_type"},
    "trial_intermediate_values": {
        "trial_intermediate_value_id", "trial_id", "step", "intermediate_value", "intermediate_value_type",
    },
    "trial_heartbeats": {"trial_heartbeat_id", "trial_id", "heartbeat"},
    "version_info": {"version_info_id", "schema_version", "library_version"},
}  # fmt: skip


def test_tables_are_those_we_write(sqlite_url):
    """Optuna has exactly the tables and columns that this version writes, of the version it expects."""
    found = {name: set(table.columns.keys()) for name, table in models.BaseModel.metadata.tables.items()}
    assert found == COLUMNS
    assert models.SCHEMA_VERSION == tables.SCHEMA_VERSION
    with _optunas_own(sqlite_url) as own:
        assert own.get_head_version() == own.get_current_version() == tables.REVISION
    assert [*inspect.signature(models.TrialValueModel.value_to_stored_repr).parameters] == ["value"]


def test_tables_are_made_as_optuna_makes_them(sqlite_url, tmp_path):
    """A database of ours and one of Optuna's own have the same tables, columns, indices and versions."""
    open_for_search(sqlite_url).close()
    RDBStorage(f"sqlite:///{tmp_path}/own.db").engine.dispose()
    ours, own = (_contents(tmp_path / name) for name in ("study.db", "own.db"))
    assert ours == own


def test_tables_are_declared_as_optuna_declares_them():
    """Each table has the statement that Optuna's would have on Postgres, too."""
    dialect = postgresql.dialect()
    own = models.BaseModel.metadata.tables
    for table in (tables.STUDIES, tables.TRIALS, *tables.OF_STUDIES, *tables.OF_TRIALS):
        for made in (CreateTable, _indices):
            assert _statements(made(table), dialect) == _statements(made(own[table.name]), dialect)


def _indices(table):
    return [CreateIndex(index) for index in sorted(table.indexes, key=lambda index: index.name)]


def _statements(made, dialect):
    return [str(each.compile(dialect=dialect)) for each in (made if isinstance(made, list) else [made])]


@pytest.mark.parametrize(
    ("dimension", "value"),
    [
        (IntDimension(1, 9, step=3), 7),
        (IntDimension(1, 8, step=3), 4),
        (IntDimension(1, 64, log=True), 8),
        (FloatDimension(0.1, 0.9), 0.3),
        (FloatDimension(0.1, 0.9, step=0.1), 0.3),
        (FloatDimension(0.1, 0.9, log=True), 0.3),
        (ChoiceDimension(("f16", 1, True, 0.5)), 0.5),
    ],
)
def test_parameters_are_stored_as_optuna_stores_them(dimension, value):
    """The columns of a parameter are those that Optuna would write."""
    stored, own = tables.stored_parameter("name", value, dimension), distribution(dimension)
    assert stored["param_value"] == own.to_internal_repr(value)
    assert json.loads(stored["distribution_json"]) == json.loads(distribution_to_json(own))


def test_states_are_optunas():
    """States, directions and kinds of values have the names that Optuna reads."""
    for ours, own in (
        (tables.TrialState, optuna.trial.TrialState),
        (tables.StudyDirection, optuna.study.StudyDirection),
        (tables.TrialValueType, models.TrialValueModel.TrialValueType),
        (tables.TrialIntermediateValueType, models.TrialIntermediateValueModel.TrialIntermediateValueType),
    ):
        assert [each.name for each in ours] == [each.name for each in own]


def _contents(path):
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        schema = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
        statements = sorted(" ".join(sql.split()) for (sql,) in schema)
        versions = [
            connection.execute(sa.text(f"SELECT * FROM {table}")).all()  # noqa: S608 - two fixed names
            for table in ("version_info", "alembic_version")
        ]
    engine.dispose()
    return statements, versions


def test_constraints_are_where_optuna_looks():
    """A constraint under our prefix is one to Optuna."""
    trial = optuna.trial.create_trial(value=1.0, system_attrs={f"{tables.CONSTRAINT_PREFIX}slo": 2.5})
    assert trial.constraints == {"slo": 2.5}


def test_optuna_reads_what_we_write(url):
    """A plain `optuna.load_study` sees parameters, values, constraints, states and times as its own."""
    with open_for_search(url) as storage:
        study = storage.create_study(definition(objectives=TWO_OBJECTIVES, constraints=SLO))
        claims = [study.claim("runner", budget=9) for _ in range(6)]
        study.finish(claims[0], measured(claims[0], accuracy=0.5, ttft_ms_p95=800.0))
        study.finish(claims[1], measured(claims[1], accuracy=0.75))
        study.finish(claims[2], ended(OutcomeKind.INFEASIBLE))
        study.finish(claims[3], ended(OutcomeKind.FAILED))
        study.give_back(claims[4], "asked to stop")
        study.plan_confirm(ConfirmPlan(({}, claims[1].parameters), (0, 1), repeats=1))
    with _optunas_own(url) as own:
        loaded = optuna.load_study(study_name="study", storage=own)
        trials = loaded.get_trials()
        assert loaded.metric_names == ["accuracy", "ttft_ms_p95"]
    states = [trial.state.name for trial in trials]
    assert states == [
        "COMPLETE",
        "COMPLETE",
        "PRUNED",
        "FAIL",
        "FAIL",
        "RUNNING",
        "WAITING",
        "WAITING",
        "WAITING",
    ]
    assert [direction.name for direction in loaded.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert trials[1].params == dict(claims[1].parameters)
    assert trials[1].values[0] == 0.75
    assert trials[0].constraints == {"ttft_ms_p95 <= 500": 300.0}
    assert trials[2].constraints == {"feasible": 1.0}
    assert trials[5].params == dict(claims[5].parameters)
    assert abs((trials[0].datetime_complete - trials[0].datetime_start).total_seconds()) < 60
    assert json.loads(json.dumps(trials[1].user_attrs["llmopt:ticket"]))["runner"] == "runner"


def test_a_trial_costs_few_statements(sqlite_url):
    """A trial costs few statements and two commits, however many samples it has."""
    with open_for_search(sqlite_url) as storage:
        study = storage.create_study(definition(sampler="tpe", pruner="wilcoxon"))
        for _ in range(15):
            claim = study.claim("runner", budget=20)
            study.finish(claim, measured(claim))
        statements, commits = [], []
        sa.event.listen(storage.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
        sa.event.listen(storage.engine, "commit", commits.append)
        claim = study.claim("runner", budget=20)
        for index in range(40):
            study.report(claim, index, MeasuredItem(0.5, e2e_ms=1.0))
        study.finish(claim, measured(claim))
    assert len(commits) == 2
    assert len(statements) <= 16


@pytest.fixture
def long_study(sqlite_url):
    """A study of 2,000 trials."""
    with open_for_search(sqlite_url) as storage:
        study = storage.create_study(definition(objectives=TWO_OBJECTIVES))
        for _ in range(2000):
            claim = study.claim("runner", budget=2000)
            study.finish(claim, measured(claim))
        yield storage


def test_long_study_is_polled_quickly(long_study: Storage, monkeypatch):
    """Polled again, a study of 2,000 trials reads and decodes only what changed, within 100 ms."""
    study = long_study.open_study("study")
    summarise(study)
    decoded = []
    take = Snapshot._take
    monkeypatch.setattr(Snapshot, "_take", lambda self, row: (decoded.append(row), take(self, row)))
    claim = study.claim("runner", budget=2001)
    best = min(_seconds(lambda: summarise(study)) for _ in range(5))
    assert best < 0.1
    assert {row.number for row in decoded} == {claim.number}


def test_heartbeat_while_another_thread_claims(url):
    """The heartbeat's thread and the runner's thread share one study without disturbing each other."""
    with open_for_search(url) as storage:
        study = storage.create_study(definition(sampler="tpe"))
        stop, failures = threading.Event(), []
        threads = [
            threading.Thread(target=_send_heartbeats, args=(study, name, stop, failures)) for name in "ab"
        ]
        for thread in threads:
            thread.start()
        while (claim := study.claim("a", budget=30)) is not None:
            study.finish(claim, measured(claim))
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert [record.name for record in study.runners()] == ["a", "b"]
        assert len(study.trials()) == 30


@contextmanager
def _optunas_own(url):
    own = RDBStorage(url)
    try:
        yield own
    finally:
        own.remove_session()
        own.engine.dispose()


def _send_heartbeats(study: Study, name, stop, failures):
    count = 0
    while not stop.is_set():
        count += 1
        try:
            study.heartbeat(heartbeat(name, count))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)


def _seconds(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
