import pytest
from fakes.cluster_resources import Directory, resource
from fakes.manifests import benchmark

from llmopt.cluster.errors import Forbidden, ResourceNotFound
from llmopt.cluster.references import Ambiguous, NotAReference, find, reference
from llmopt_core.api.kinds import Kind


@pytest.mark.parametrize(
    ("words", "kinds", "name"),
    [
        ([], tuple(Kind), None),
        (["mine"], tuple(Kind), "mine"),
        (["llmo"], [Kind.OPTIMIZATION], None),
        (["llmbenchmarks.llmopt.dev"], [Kind.BENCHMARK], None),
        (["LLMBenchmark", "mine"], [Kind.BENCHMARK], "mine"),
        (["llmo/mine"], [Kind.OPTIMIZATION], "mine"),
        (["llmo", "llmo"], [Kind.OPTIMIZATION], "llmo"),
    ],
)
def test_kinds_and_names_are_distinguished(words, kinds, name):
    """As kubectl takes them: a kind, a name, both, or both with a slash."""
    found = reference(words)
    assert (list(found.kinds), found.name) == (list(kinds), name)


@pytest.mark.parametrize("words", [["a", "b"], ["llmo", "a", "b"], ["pod/a"], ["llmo/"], ["llmo/a", "b"]])
def test_what_names_nothing_is_refused(words):
    """The error says what is expected."""
    with pytest.raises(NotAReference, match="expected NAME, KIND NAME or KIND/NAME"):
        reference(words)


def test_a_name_is_found_in_either_kind():
    """A user who types a name need not know its kind."""
    cluster = Directory(resource("a"), resource("b", document=benchmark()))
    assert find(cluster, reference(["a"]), "team-a")[0] is Kind.OPTIMIZATION
    assert find(cluster, reference(["b"]), "team-a")[0] is Kind.BENCHMARK


def test_a_name_of_both_kinds_must_be_said_with_its_kind():
    """Neither is taken by chance."""
    cluster = Directory(resource("a"), resource("a", document=benchmark()))
    with pytest.raises(Ambiguous, match="llmo/a or llmb/a"):
        find(cluster, reference(["a"]), "team-a")
    assert find(cluster, reference(["llmb/a"]), "team-a")[0] is Kind.BENCHMARK


def test_a_wrong_name_gets_the_nearest():
    """The error names kind, namespace and what was probably meant."""
    cluster = Directory(resource("arithmetic"), resource("b", document=benchmark()))
    with pytest.raises(
        ResourceNotFound,
        match=r"LLMOptimization or LLMBenchmark aritmetic .*team-a \(did you mean arithmetic",
    ):
        find(cluster, reference(["aritmetic"]), "team-a")
    with pytest.raises(ResourceNotFound, match="there are none"):
        find(Directory(), reference(["llmo", "a"]), "team-a")


def test_a_name_is_needed():
    """A kind alone is not one resource."""
    with pytest.raises(NotAReference, match="llmopt get"):
        find(Directory(), reference(["llmo"]), "team-a")


class OnlyOptimizations(Directory):
    """A cluster whose user may not read benchmarks."""

    def get(self, kind, name, namespace):
        if kind is Kind.BENCHMARK:
            raise Forbidden("you may not get llmbenchmarks")
        return super().get(kind, name, namespace)


def test_what_may_not_be_read_does_not_hide_what_may():
    """A right that is missing for one kind is an error only where the other has no such name."""
    cluster = OnlyOptimizations(resource("a"))
    assert find(cluster, reference(["a"]), "team-a")[0] is Kind.OPTIMIZATION
    with pytest.raises(Forbidden, match="llmbenchmarks"):
        find(cluster, reference(["b"]), "team-a")
