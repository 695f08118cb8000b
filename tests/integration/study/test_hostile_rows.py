"""Whatever a tenant writes into its rows is counted and named, and only a limited part of it is read."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa
from fakes.comparisons import comparison
from fakes.studies import definition, heartbeat, measured
from fakes.tenant_databases import HASTY, TenantsDatabase, look

from llmopt_core.analysis.summary import summarise
from llmopt_core.results.findings import finding_of
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.access import Access
from llmopt_core.storage.errors import StudyNotFound, StudyUnreadable
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind
from llmopt_core.storage.studies import DELETE


@pytest.fixture
def tenants(postgres):
    return TenantsDatabase(postgres)


GARBAGE = {
    "no JSON": "not json",
    "another type": '"text"',
    "a deep nest": "[" * 100_000,
    "a phase that nobody knows": json.dumps({"phase": "dancing"}),
    "numbers for names": json.dumps({"phase": "search", "parameters": [1, 2]}),
    "too long": json.dumps({"phase": "search", "runner": "x" * 300_000}),
}


@pytest.mark.parametrize("case", GARBAGE)
@pytest.mark.parametrize("access", [HASTY, Access()], ids=["operator", "runner"])
def test_row_that_cannot_be_read_is_counted_and_named(tenants, case, access):
    """A trial whose row is garbage counts as failed, by its number; all others are as they were."""
    if case == "too long" and access.document_bytes > len(GARBAGE[case]):
        pytest.skip("not too long for a runner")
    with open_for_search(tenants.url, access) as storage:
        study = storage.create_study(definition())
        for _ in range(3):
            claim = study.claim("runner", budget=9)
            study.finish(claim, measured(claim))
        _write_assignment(storage, 1, GARBAGE[case])
        fresh = storage.open_study("study")
        summary = summarise(look(fresh))
        assert summary.counts == {OutcomeKind.MEASURED: 2, OutcomeKind.FAILED: 1}
        assert [(error.count, error.last_trial) for error in summary.errors] == [(1, 1)]
        assert "trial 1" in summary.errors[0].last.message
        assert summary.budget_used == 3
        claim = fresh.claim("runner", budget=9)
        assert claim.number == 3
        fresh.finish(claim, measured(claim))
        assert finding_of(fresh, summarise(fresh)).trial is not None


def _write_assignment(storage, number, text):
    with storage.engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE trial_user_attributes SET value_json = :text WHERE key = 'llmopt:ticket'"
                " AND trial_id IN (SELECT trial_id FROM trials WHERE number = :number)"
            ),
            {"text": text, "number": number},
        )


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM trial_user_attributes WHERE key = 'llmopt:ticket' AND trial_id = {}",
        "DELETE FROM trial_user_attributes WHERE key = 'llmopt:ending' AND trial_id = {}",
        (
            "UPDATE trial_user_attributes"
            """ SET value_json = '{{"outcome":{{"kind":"measured","configuration":{{}}}}}}'"""
            " WHERE key = 'llmopt:ending' AND trial_id = {}"
        ),
        "UPDATE trials SET state = 'RUNNING' WHERE trial_id = {}",
        "UPDATE trials SET datetime_start = '0001-01-01 BC' WHERE trial_id = {}",
    ],
    ids=["no assignment", "no ending", "no metric", "running with an ending", "a time before all times"],
)
def test_row_that_contradicts_itself(tenants, statement):
    """A trial of which a part is missing or forged never keeps the others from being read."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        for _ in range(3):
            claim = study.claim("runner", budget=9)
            study.finish(claim, measured(claim))
        with storage.engine.begin() as connection:
            trial_id = connection.execute(sa.text("SELECT trial_id FROM trials WHERE number = 1")).scalar()
            connection.exec_driver_sql(statement.format(trial_id))
        picture = look(storage.open_study("study"))
        assert [trial.number for trial in picture.trials()] == [0, 1, 2]
        assert summarise(picture).counts[OutcomeKind.MEASURED] >= 2
        assert finding_of(picture, summarise(picture)).trial is not None


def test_trials_without_a_number_and_runners_of_garbage(tenants):
    """Rows that have no name of their own are counted, and those of runners named."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        study.heartbeat(heartbeat("runner", 1))
        with storage.engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO trials (study_id, state)"
                " SELECT study_id, 'FAIL' FROM studies, generate_series(1, 3)"
            )
            connection.exec_driver_sql(
                "INSERT INTO study_user_attributes (study_id, key, value_json)"
                " SELECT study_id, 'runner:evil', '{' FROM studies"
            )
        picture = look(study)
        assert picture.unreadable == ("runner:evil", "3 trials without a number")
        assert [runner.name for runner in picture.runners()] == ["runner"]
        assert len(picture.trials()) == 1


def test_definition_that_cannot_be_read(tenants):
    """A study whose definition is garbage, or a gigabyte, is an error with its own class."""
    with open_for_search(tenants.url, HASTY) as storage:
        storage.create_study(definition())
        for text in ("'{'", "'{\"space\": 3}'", "repeat('x', 100000000)"):
            tenants.sql(
                f"UPDATE study_user_attributes SET value_json = {text} WHERE key = 'llmopt:definition'"  # noqa: S608 - ours
            )
            with pytest.raises(StudyUnreadable, match="definition"):
                storage.open_study("study")


def test_numbers_without_bounds_cannot_be_read(tenants):
    """Forged: a plan, and then a benchmark, of a billion repeats. Neither is planned or evaluated."""
    benchmark = definition("benchmark", comparison=comparison("a", "b"))
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        study.plan_confirm(ConfirmPlan(({}, {}), (0, 1), repeats=2))
        storage.create_study(benchmark)
        tenants.sql(
            "UPDATE study_user_attributes SET value_json ="
            """ regexp_replace(value_json, '"repeats":[0-9]+', '"repeats":1000000000')"""
        )
        with pytest.raises(StudyUnreadable, match=r"plan of the confirmation cannot be read: .*repeats"):
            look(storage.open_study("study"))
        with pytest.raises(StudyUnreadable, match=r"definition cannot be read: .*repeats"):
            storage.open_study("benchmark")


def test_definition_that_is_gone(tenants):
    """A study without its definition cannot be read; it is not taken for one that is not there."""
    with open_for_search(tenants.url, HASTY) as storage:
        storage.create_study(definition())
        tenants.sql("DELETE FROM study_user_attributes WHERE key = 'llmopt:definition'")
        with pytest.raises(StudyUnreadable, match="llmopt:definition"):
            storage.open_study("study")
        with pytest.raises(StudyUnreadable, match="llmopt:definition"):
            storage.create_study(definition())
        with pytest.raises(StudyNotFound):
            storage.open_study("another")


def test_huge_attributes_are_not_sent(tenants):
    """Attributes of many megabytes cost the reader neither memory nor the study."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        claim = study.claim("runner", budget=9)
        study.finish(claim, measured(claim))
        tenants.sql(
            "INSERT INTO trial_user_attributes (trial_id, key, value_json)"
            " SELECT trial_id, 'mine', repeat('x', 50000000) FROM trials",
            "INSERT INTO study_user_attributes (study_id, key, value_json)"
            " SELECT study_id, name, repeat('x', 50000000)"
            " FROM studies, unnest(ARRAY['mine', 'runner:big']) AS name",
        )
        received = []

        @sa.event.listens_for(storage.engine, "after_cursor_execute")
        def count(_connection, cursor, *_):
            if cursor.pgresult and cursor.pgresult.ntuples:
                received.append(_bytes_of(cursor.pgresult))

        picture = look(storage.open_study("study"))
        assert picture.unreadable == ("runner:big",)
        assert len(picture.trials()) == 1
        assert 0 < sum(received) < 100_000


def test_names_of_any_length_are_not_sent(tenants):
    """Names, keys and owners of many megabytes, in columns that were altered, cost the reader nothing."""
    with open_for_search(tenants.url, HASTY) as storage:
        for name in ("study", "named", "owned"):
            storage.create_study(definition(name)).retain(DELETE, "cluster/team")
        tenants.sql(
            "DROP INDEX ix_studies_study_name",
            "ALTER TABLE studies ALTER COLUMN study_name TYPE text",
            "ALTER TABLE study_user_attributes DROP CONSTRAINT study_user_attributes_study_id_key_key",
            "ALTER TABLE study_user_attributes ALTER COLUMN key TYPE text",
            "UPDATE study_user_attributes SET value_json = repeat('x', 50000000) WHERE key = 'llmopt:owner'"
            " AND study_id = (SELECT study_id FROM studies WHERE study_name = 'owned')",
            "UPDATE studies SET study_name = repeat('x', 50000000) WHERE study_name = 'named'",
            "INSERT INTO study_user_attributes (study_id, key, value_json)"
            " SELECT study_id, 'runner:' || repeat('x', 50000000), '{}' FROM studies",
        )
    with open_for_search(tenants.url, HASTY) as storage:
        assert storage.dispensable_studies() == {"study": "cluster/team"}
        assert storage.study_names() == ("owned", "study")
        assert look(storage.open_study("study")).runners() == ()


def _bytes_of(result):
    return sum(
        len(result.get_value(row, column) or b"")
        for row in range(result.ntuples)
        for column in range(result.nfields)
    )


def test_many_rows_are_read_in_batches_up_to_a_limit(tenants):
    """A study of more trials than one answer holds is read whole; of more than are allowed, it is refused."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        for _ in range(20):
            claim = study.claim("runner", budget=99)
            study.finish(claim, measured(claim))
        rows = []

        @sa.event.listens_for(storage.engine, "after_cursor_execute")
        def count(_connection, cursor, *_):
            rows.append(cursor.rowcount)

        assert len(storage.open_study("study").trials()) == 20
        assert max(rows) == HASTY.batch_rows
        tenants.sql(
            "INSERT INTO trials (study_id, number, state)"
            " SELECT study_id, each, 'FAIL' FROM studies, generate_series(100, 100099) AS each"
        )
        rows.clear()
        with pytest.raises(StudyUnreadable, match="more than 50 trials"):
            storage.open_study("study").trials()
        assert sum(rows) < 100
        assert storage.pulses(["study"])["study"].trials == HASTY.most_trials + 1


def test_large_documents_are_read_in_batches(tenants):
    """One answer holds no more than about `batch_bytes`, however large the single documents are."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        for _ in range(6):
            claim = study.claim("runner", budget=99)
            outcome = measured(claim)
            study.finish(claim, replace(outcome, facts={"log": "x" * 150_000}))
        sizes = []

        @sa.event.listens_for(storage.engine, "after_cursor_execute")
        def count(_connection, cursor, *_):
            if cursor.pgresult:
                sizes.append(_bytes_of(cursor.pgresult))

        trials = storage.open_study("study").trials()
        assert len(trials) == 6
        assert max(sizes) < HASTY.batch_bytes + HASTY.document_bytes


def test_a_reader_keeps_a_limited_number_of_bytes(tenants):
    """A study of which a reader would keep more than its limit is refused; what is dropped does not count."""
    small = replace(HASTY, kept_bytes=40_000)
    with open_for_search(tenants.url) as owner, open_for_search(tenants.url, small) as reader:
        study = owner.create_study(definition())
        samples = {f"item-{number}": 1.0 for number in range(5_000)}
        for warning in ("short", "x" * 60_000):
            claim = study.claim("runner", budget=9)
            study.finish(claim, replace(measured(claim), samples=samples, warnings=(warning,)))
            if warning == "short":
                opened = reader.open_study("study")
                assert opened.trials()
                assert 0 < opened.kept_bytes < 3_000
        with pytest.raises(StudyUnreadable, match="more than 40000 bytes"):
            reader.open_study("study").trials()


def test_a_reader_keeps_no_samples_of_the_search(tenants):
    """Samples, sampler notes and foreign facts of search trials are not kept; what a result shows is."""
    with open_for_search(tenants.url) as owner, open_for_search(tenants.url, HASTY) as reader:
        study = owner.create_study(definition())
        claim = study.claim("runner", budget=9)
        outcome = measured(claim)
        facts = {"serve_command": "serve it", "log": "long"}
        samples = {f"item-{number}": 1.0 for number in range(100)}
        study.finish(claim, replace(outcome, facts=facts, samples=samples))
        (seen,) = reader.open_study("study").trials()
        assert seen.outcome.samples == {}
        assert seen.outcome.facts == {"serve_command": "serve it"}
        assert seen.outcome.metrics == outcome.metrics
        assert owner.open_study("study").trials()[0].outcome.samples == samples
