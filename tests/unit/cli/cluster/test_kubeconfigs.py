import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmopt.cluster.errors import KubeconfigInvalid
from llmopt.cluster.kubeconfigs import IN_CLUSTER, find_access, is_configured
from llmopt.options import Target

_WORDS = [
    "apiVersion", "clusters", "cluster", "contexts", "context", "users", "user", "name", "current-context",
    "namespace", "server", "certificate-authority", "tokenFile", "client-key", "exec", "command", "a",
]  # fmt: skip


def written(path, *, current="a", contexts=None, users=None, clusters=None):
    """Write a kubeconfig with one context for each name in `contexts` (name: namespace)."""
    contexts = {"a": None} if contexts is None else contexts
    names = list(contexts)
    document = {
        "current-context": current,
        "contexts": [
            {
                "name": name,
                "context": {"cluster": name, "user": name, **({"namespace": space} if space else {})},
            }
            for name, space in contexts.items()
        ],
        "clusters": clusters
        or [{"name": name, "cluster": {"server": f"https://{path.stem}-{name}"}} for name in names],
        "users": users or [{"name": name, "user": {"token": f"{path.stem}-{name}"}} for name in names],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


def access(target=None, *, environment=None, folder):
    """Find access where nothing of this machine's own configuration counts."""
    return find_access(
        target or Target(),
        environment or {},
        default_file=folder / "home" / "config",
        service_account=folder / "account",
    )


def test_the_default_file_is_read(tmp_path):
    """Without any option the file in the home folder says which cluster, and its context the namespace."""
    written(tmp_path / "home" / "config", contexts={"a": "team-a"})
    found = access(folder=tmp_path)
    assert (found.context, found.namespace, found.server) == ("a", "team-a", "https://config-a")
    assert found.user == {"token": "config-a"}


def test_a_context_without_a_namespace_is_in_default(tmp_path):
    """As kubectl: what says no namespace means `default`."""
    path = written(tmp_path / "one")
    assert access(Target(kubeconfig=path), folder=tmp_path).namespace == "default"


def test_options_win(tmp_path):
    """--kubeconfig, --context and -n win over the environment, the current context and its namespace."""
    chosen = written(tmp_path / "chosen", contexts={"a": "x", "b": "y"})
    environment = {"KUBECONFIG": str(written(tmp_path / "other"))}
    found = access(Target("z", "b", chosen), environment=environment, folder=tmp_path)
    assert (found.context, found.namespace, found.server) == ("b", "z", "https://chosen-b")


def test_the_namespace_is_that_of_the_context_asked_for(tmp_path):
    """With --context it is that context's namespace, not the current one's."""
    path = written(tmp_path / "one", contexts={"a": "x", "b": "y"})
    assert access(Target(context="b", kubeconfig=path), folder=tmp_path).namespace == "y"


def test_several_files_are_merged_and_the_first_wins(tmp_path):
    """Of entries of one name the first file's count, others are added, and missing files are passed over."""
    first = written(tmp_path / "first", current="", contexts={"a": None})
    second = written(tmp_path / "second", current="b", contexts={"a": None, "b": None})
    listed = os.pathsep.join([str(tmp_path / "missing"), str(first), "", str(second)])
    found = access(environment={"KUBECONFIG": listed}, folder=tmp_path)
    assert (found.context, found.server) == ("b", "https://second-b")
    found = access(Target(context="a"), environment={"KUBECONFIG": listed}, folder=tmp_path)
    assert found.server == "https://first-a"


def test_paths_are_relative_to_their_own_file(tmp_path):
    """Certificates, keys, token files and plug-ins with a slash are looked up beside their file."""
    users = [{"name": "a", "user": {"client-certificate": "c.pem", "client-key": "/k.pem", "tokenFile": "t",
                                    "exec": {"command": "bin/login"}}}]  # fmt: skip
    clusters = [{"name": "a", "cluster": {"server": "https://a", "certificate-authority": "ca.pem"}}]
    path = written(tmp_path / "deep" / "one", users=users, clusters=clusters)
    found = access(Target(kubeconfig=path), folder=tmp_path)
    beside = tmp_path / "deep"
    assert found.cluster["certificate-authority"] == str(beside / "ca.pem")
    assert found.user["client-certificate"] == str(beside / "c.pem")
    assert found.user["client-key"] == "/k.pem"
    assert found.user["tokenFile"] == str(beside / "t")
    assert found.user["exec"]["command"] == str(beside / "bin" / "login")


def test_a_bare_plugin_is_looked_up_on_the_path(tmp_path):
    """A command without a slash stays as it is."""
    users = [{"name": "a", "user": {"exec": {"command": "login"}}}]
    path = written(tmp_path / "one", users=users)
    assert access(Target(kubeconfig=path), folder=tmp_path).user["exec"]["command"] == "login"


@pytest.mark.parametrize(
    ("host", "server"), [("10.0.0.1", "https://10.0.0.1:443"), ("fd::1", "https://[fd::1]:443")]
)
def test_in_a_pod_its_service_account_is_used(tmp_path, host, server):
    """Without a kubeconfig a pod asks as its service account, in its own namespace."""
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text("t")
    (account / "namespace").write_text("team-b\n")
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}
    found = access(environment=environment, folder=tmp_path)
    assert (found.context, found.namespace, found.server) == (IN_CLUSTER, "team-b", server)
    assert found.user == {"tokenFile": str(account / "token")}
    configured = {**environment, "KUBECONFIG": str(written(tmp_path / "own"))}
    assert access(environment=configured, folder=tmp_path).context == "a"


def test_nothing_configured_says_where_it_was_looked_for(tmp_path):
    """The error names the files and the option."""
    with pytest.raises(KubeconfigInvalid, match=r"home/config.*--kubeconfig"):
        access(folder=tmp_path)
    assert not is_configured({}, tmp_path / "none")
    assert not is_configured({"KUBECONFIG": str(tmp_path / "none")}, tmp_path / "none")
    assert is_configured({}, written(tmp_path / "one"))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (Target(context="aa"), "did you mean a"),
        (Target(context="none"), "did you mean a|there are a"),
    ],
)
def test_a_context_that_is_not_there_is_named(tmp_path, target, says):
    """The error suggests one that is."""
    environment = {"KUBECONFIG": str(written(tmp_path / "one"))}
    with pytest.raises(KubeconfigInvalid, match=says):
        access(target, environment=environment, folder=tmp_path)


def test_an_explicit_file_must_be_there(tmp_path):
    """--kubeconfig of a missing file is an error, unlike a missing one in KUBECONFIG."""
    with pytest.raises(KubeconfigInvalid, match=r"--kubeconfig .*none"):
        access(Target(kubeconfig=tmp_path / "none"), folder=tmp_path)


def test_a_kubeconfig_that_cannot_be_looked_at_is_named(forbidden, without_rights):
    """Its folder may not be entered, or the user whose home it is in is not there."""
    with pytest.raises(KubeconfigInvalid, match=rf"may read: change the owner or the mode of {forbidden}"):
        without_rights(lambda: access(Target(kubeconfig=forbidden / "config"), folder=forbidden))
    with pytest.raises(KubeconfigInvalid, match="~no-such-user/config': there is no such file"):
        access(Target(kubeconfig=Path("~no-such-user/config")), folder=forbidden)
    named = {"KUBECONFIG": f"~no-such-user/config:{forbidden}/config"}
    assert not without_rights(is_configured, named)


def test_without_a_current_context_the_contexts_are_reported(tmp_path):
    """The error lists them and says how to choose."""
    path = written(tmp_path / "one", current="", contexts={"a": None, "b": None})
    with pytest.raises(KubeconfigInvalid, match=r"--context \(a, b\)"):
        access(Target(kubeconfig=path), folder=tmp_path)


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "contexts: [1]\n", "\x00"])
def test_garbage_is_one_clear_error(tmp_path, text):
    """What is no kubeconfig is named with its path."""
    path = tmp_path / "one"
    path.write_text(text)
    with pytest.raises(KubeconfigInvalid, match="one"):
        access(Target(kubeconfig=path), folder=tmp_path)


_SCALARS = st.none() | st.booleans() | st.integers() | st.text("abc", max_size=3)
_TREES = st.recursive(
    _SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), below, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(_WORDS), _TREES, max_size=5))
def test_no_document_makes_it_stumble(document):
    """Any fields with any values give access or one clear error, never another."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one"
        path.write_text(yaml.safe_dump(document))
        with suppress(KubeconfigInvalid):
            assert access(Target(kubeconfig=path), folder=Path(folder)).context


def test_a_context_whose_cluster_is_missing_is_named(tmp_path):
    """The error says which cluster of which context."""
    path = written(tmp_path / "one", clusters=[{"name": "b", "cluster": {"server": "x"}}])
    with pytest.raises(KubeconfigInvalid, match=r"cluster of context a: .*'a'"):
        access(Target(kubeconfig=path), folder=tmp_path)
