"""Which settings a hash covers: those of a version that knew fewer fields give the same text."""

import copy
import json
from contextlib import suppress
from functools import cache
from importlib.resources import files

import pytest
from fakes.manifests import changed, optimization
from hypothesis import given, settings
from hypothesis import strategies as st
from releases.recorded import FIRST, RECORDED, field_names, resources, spec_schema

from llmopt_core.resources import hashed, resource_of
from llmopt_core.resources.hashed import served_document, settled_spec
from llmopt_core.resources.loading import KINDS
from llmopt_core.resources.openapi import root_schema
from llmopt_core.storage.definitions import fingerprint

KIND_NAMES = tuple(KINDS)
RESOURCES = resources(FIRST)
WORDS = st.sampled_from(("later", "newer", "extra"))
SCALARS = {
    "boolean": st.booleans(),
    "integer": st.integers(-5, 5),
    "string": st.text("ab", max_size=2),
}


def slim(schema):
    """Return what of `schema` says how a resource is completed."""
    kept = {key: schema[key] for key in ("type", "default", "additionalProperties") if key in schema}
    if "items" in schema:
        kept["items"] = slim(schema["items"])
    if "properties" in schema:
        kept["properties"] = {name: slim(child) for name, child in schema["properties"].items()}
    return kept


SCHEMAS = {name: slim(root_schema(kind)["properties"]["spec"]) for name, kind in KINDS.items()}


def all_objects(schema, place=()):
    """Yield where in `schema` objects with fields are, themselves or as the entries of a list."""
    entries = schema.get("items", schema)
    if "properties" in entries:
        yield place
        for name, child in entries["properties"].items():
            yield from all_objects(child, (*place, name))


def object_at(schema, place):
    for name in place:
        schema = schema.get("items", schema)["properties"][name]
    return schema.get("items", schema)


def all_defaults(schema, place=()):
    """Yield where in `schema` fields with a default are."""
    for name, child in schema.get("items", schema).get("properties", {}).items():
        if "default" in child:
            yield (*place, name)
        yield from all_defaults(child, (*place, name))


def completed(value, schema):
    """Return `value` as the API server completes it: absent fields get their default, from outside in."""
    if isinstance(value, list):
        return [completed(each, schema["items"]) for each in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    given_ = {name: child["default"] for name, child in schema["properties"].items() if "default" in child}
    whole = {**given_, **value}
    return {name: completed(part, schema["properties"][name]) for name, part in whole.items()}


@cache
def at_defaults(name):
    """Return where the resource `name` has defaults only."""
    kind, spec = RESOURCES[name]["kind"], RESOURCES[name]["spec"]

    def without(place):
        earlier = copy.deepcopy(spec)
        _drop(earlier, place)
        return earlier

    whole = completed(spec, SCHEMAS[kind])
    places = all_defaults(SCHEMAS[kind])
    return [place for place in places if completed(without(place), SCHEMAS[kind]) == whole]


@st.composite
def new_fields(draw, depth=0):
    """A field with a default that a later version may add: a scalar, a list or an object of such fields."""
    kind = draw(st.sampled_from((*SCALARS, "array", "object") if depth < 2 else tuple(SCALARS)))
    if kind in SCALARS:
        return {"type": kind, "default": draw(SCALARS[kind])}
    if kind == "array":
        return {"type": "array", "items": {"type": "string"}, "default": draw(st.lists(st.text("ab")))}
    below = draw(st.dictionaries(WORDS, new_fields(depth + 1), max_size=2))
    default = {name: child["default"] for name, child in below.items() if draw(st.booleans())}
    return {"type": "object", "properties": below, "default": default}


def _first_object(part, place):
    for name in place:
        part = part[name]
        part = part[0] if isinstance(part, list) else part
    return part


def present_objects(name):
    """Yield where the resource `name` has objects."""
    for place in all_objects(SCHEMAS[RESOURCES[name]["kind"]]):
        with suppress(KeyError, IndexError):
            _first_object(RESOURCES[name]["spec"], place)
            yield place


NEW_FIELDS = st.lists(new_fields(), min_size=1, max_size=4)


def with_fields(kind, fields):
    """Return the schema of a spec of `kind` with `fields` more, by the place of the object that has them."""
    schema = SCHEMAS[kind]
    for place, field in fields.items():
        schema = with_field(schema, place, field)
    return schema


def with_field(schema, place, field):
    """Return a copy of `schema` that shares all but the objects on the way to `place`."""
    if "items" in schema:
        return {**schema, "items": with_field(schema["items"], place, field)}
    if not place:
        return {**schema, "properties": {**schema["properties"], "later": field}}
    name, *below = place
    child = with_field(schema["properties"][name], below, field)
    return {**schema, "properties": {**schema["properties"], name: child}}


def fields_in(schema, first):
    """Return the fields of an object as the API server's `schema` has them; `first`: the first release's."""
    fields = {}
    for name, child in schema["properties"].items():
        entries, default = child.get("items", child), child.get("default", hashed._NO_DEFAULT)
        below = fields_in(entries, first.get(name) or {}) if "properties" in entries else None
        settled = default if below is None else hashed._settled(default, below)
        fields[name] = hashed._Field(below, name not in first, settled)
    return fields


def read_by(monkeypatch, kind, schema, first=None):
    """Let hashes be made by a version whose spec has `schema`."""
    fields = fields_in(schema, first or field_names(spec_schema(FIRST, kind)))
    monkeypatch.setattr(hashed, "_fields_of", lambda _kind: fields)


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_the_hashed_fields_are_those_that_the_api_server_completes(kind):
    """What hashes take for a default is what the API server writes, at each place of a spec."""
    assert hashed._fields_of(kind) == fields_in(SCHEMAS[kind], field_names(spec_schema(FIRST, kind)))


def test_to_read_a_resource_no_schema_is_made(monkeypatch):
    """The JSON schema of a kind takes longer to make than a hundred resources to read."""
    hashed._fields_of.cache_clear()
    for kind in KINDS.values():
        monkeypatch.setattr(kind, "model_json_schema", None)
    assert all(resource_of(served_document(document)) for document in RESOURCES.values())


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_the_fields_of_the_first_release_are_those_of_its_definitions(kind):
    """What hashes cover whole is what 0.1.0 defined, neither more nor less."""
    text = files("llmopt_core.resources").joinpath("fields-0.1.0.json").read_text(encoding="utf-8")
    assert json.loads(text)[kind] == field_names(spec_schema(FIRST, kind))


@pytest.mark.parametrize("name", RESOURCES)
def test_what_the_first_release_served_is_hashed_as_it_stands(name):
    """A resource of 0.1.0 that nothing was added to is not changed by a single field."""
    document = RESOURCES[name]
    assert settled_spec(document["kind"], document["spec"]) == document["spec"]


@settings(max_examples=30)
@given(name=st.sampled_from(list(RESOURCES)), seed=st.randoms(use_true_random=False), fields=NEW_FIELDS)
def test_new_fields_with_their_defaults_are_not_hashed(name, seed, fields):
    """Whatever is added anywhere in the schema, and completed by the API server, the hashed text stays."""
    kind, spec = RESOURCES[name]["kind"], RESOURCES[name]["spec"]
    places = list(all_objects(SCHEMAS[kind]))
    schema = with_fields(kind, {seed.choice(places): field for field in fields})
    with pytest.MonkeyPatch.context() as monkeypatch:
        read_by(monkeypatch, kind, schema)
        assert settled_spec(kind, completed(spec, schema)) == spec


@pytest.mark.parametrize("place", list(present_objects("cluster/llmoptimizations/wide.json")), ids=".".join)
def test_a_new_field_with_another_value_is_hashed(place):
    """A later field that differs from its default is part of the hashed text, wherever it is."""
    document = RESOURCES["cluster/llmoptimizations/wide.json"]
    kind, spec = document["kind"], document["spec"]
    schema = with_fields(kind, {place: {"type": "integer", "default": 1}})
    whole = completed(spec, schema)
    _first_object(whole, place)["later"] = 2
    with pytest.MonkeyPatch.context() as monkeypatch:
        read_by(monkeypatch, kind, schema)
        settled = settled_spec(kind, whole)
    assert _first_object(settled, place).pop("later") == 2
    assert settled == spec


@pytest.mark.parametrize("name", RESOURCES)
@settings(max_examples=5)
@given(seed=st.randoms(use_true_random=False))
def test_a_field_that_the_types_bring_leaves_the_fingerprint(name, seed):
    """A version without some fields stored the fingerprint that one with their defaults computes."""
    document = served_document(RESOURCES[name])
    kind, spec = document["kind"], document["spec"]
    later = seed.sample(at_defaults(name), 6)
    first = field_names(spec_schema(FIRST, kind))
    earlier = copy.deepcopy(spec)
    for place in later:
        _drop(first, place)
        _drop(earlier, place)
    with pytest.MonkeyPatch.context() as monkeypatch:
        read_by(monkeypatch, kind, SCHEMAS[kind], first)
        assert settled_spec(kind, spec) == settled_spec(kind, earlier) == earlier
        now = fingerprint(resource_of(document).spec)
        read_by(monkeypatch, kind, _without(SCHEMAS[kind], later), first)
        assert fingerprint(resource_of(document).spec) == now


def test_a_later_field_of_the_types_changes_the_fingerprint_once_it_is_set(monkeypatch):
    """What a study depends on stays part of its fingerprint, though the first release had no such field."""
    first = field_names(spec_schema(FIRST, "LLMOptimization"))
    del first["workload"]["load"]["warmupRequests"]
    read_by(monkeypatch, "LLMOptimization", SCHEMAS["LLMOptimization"], first)
    load = {"concurrency": 4}
    said_nothing, said_the_default, said_another = (
        fingerprint(resource_of(changed(optimization(), "spec.workload.load", {**load, **more})).spec)
        for more in ({}, {"warmupRequests": 2}, {"warmupRequests": 3})
    )
    assert said_nothing == said_the_default
    assert said_nothing != said_another


def test_a_field_that_this_version_does_not_know_is_left_out():
    """A newer definition, or a rollback to this version, makes no resource invalid and no hash another."""
    document = {**RESOURCES["cluster/llmoptimizations/wide.json"]}
    newer = copy.deepcopy(document)
    newer["spec"]["later"] = True
    newer["spec"]["runners"]["template"]["volumes"][0]["later"] = {"a": 1}
    assert served_document(newer) == served_document(document)
    assert resource_of(served_document(newer))


def test_a_default_that_changed_leaves_what_was_stored():
    """The API server stored the former default with the resource: its hash does not follow the new one."""
    document = RESOURCES["cluster/llmoptimizations/running.json"]
    kind, spec = document["kind"], document["spec"]
    schema = copy.deepcopy(SCHEMAS[kind])
    schema["properties"]["workload"]["properties"]["maxTokens"]["default"] = 4096
    with pytest.MonkeyPatch.context() as monkeypatch:
        read_by(monkeypatch, kind, schema)
        assert settled_spec(kind, completed(spec, schema)) == spec


@pytest.mark.parametrize("release", RECORDED, ids=lambda release: release.name)
@pytest.mark.parametrize("kind", KIND_NAMES)
def test_no_field_of_a_release_went_away_or_got_another_default(release, kind):
    """Within one version of the API a field keeps its name, its type and its default.

    A manifest on a laptop holds no defaults: with another one it would mean another study.
    """
    _check_kept(spec_schema(release, kind), SCHEMAS[kind], "spec")


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_no_map_holds_objects(kind):
    """The fields of a map's entries would not be looked at."""
    pending = [SCHEMAS[kind]]
    while pending:
        schema = pending.pop()
        assert "properties" not in schema.get("additionalProperties", {})
        pending += [*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])]


# The only defaults of first fields that changed: old and new have one fingerprint, see test_definitions.
CHANGED_DEFAULTS = {
    "spec.search.sampler": {"name": "auto", "seed": 0},
    "spec.search.sampler.name": "auto",
    "spec.search.pruner": {"name": "auto"},
    "spec.search.pruner.name": "auto",
}


def _of_former_fields(current, default):
    """Return the `current` default without fields that came later, at any depth: these have their own."""
    if not isinstance(default, dict):
        return current
    return {name: _of_former_fields(current[name], value) for name, value in default.items()}


def _check_kept(before, now, path):
    default, current = CHANGED_DEFAULTS.get(path, before.get("default")), now.get("default")
    current = _of_former_fields(current, default)
    assert (path, before.get("type"), default) == (path, now.get("type"), current)
    if "items" in before:
        _check_kept(before["items"], now["items"], f"{path}[]")
    for name, child in before.get("properties", {}).items():
        assert name in now["properties"], f"{path}.{name} is gone"
        _check_kept(child, now["properties"][name], f"{path}.{name}")


def _drop(part, place):
    """Remove the field at `place` from `part`, in every entry of the lists on the way."""
    if isinstance(part, list):
        for each in part:
            _drop(each, place)
    elif isinstance(part, dict):
        name, *rest = place
        if rest:
            _drop(part.get(name), rest)
        else:
            part.pop(name, None)


def _without(schema, places):
    """Return `schema` as a version had it that did not know the fields at `places`."""
    older = copy.deepcopy(schema)
    for *place, name in places:
        try:
            object_at(older, place)["properties"].pop(name, None)
        except KeyError:
            continue  # what it was below is gone already
    return older
