import pytest

from llmopt.cluster import errors
from llmopt.cluster.errors import Question, refusal

OURS = Question("patch", "llmoptimizations.llmopt.dev", "team-a", "mine", "prod")


def explained(question, code, status=None):
    error = refusal(question, code, status)
    return type(error), str(error)


def test_a_missing_right_is_said_with_what_to_ask_for():
    """Verb, resource, namespace, the user and a command that grants it stand in one sentence."""
    message = 'llmoptimizations.llmopt.dev "mine" is forbidden: User "jane" cannot patch resource'
    kind, text = explained(OURS, 403, {"message": message})
    assert kind is errors.Forbidden
    assert text.startswith(
        "you (jane) may not patch llmoptimizations.llmopt.dev in namespace team-a (context prod)"
    )
    assert "kubectl create rolebinding llmopt-edit --clusterrole=edit --user=jane --namespace team-a" in text


def test_reading_needs_less_than_writing():
    """To list in all namespaces a cluster-wide binding to `view` is enough."""
    question = Question("list", "llmbenchmarks.llmopt.dev", None)
    _, text = explained(question, 403, {"message": "forbidden"})
    assert "in all namespaces" in text
    assert "kubectl create clusterrolebinding llmopt-view --clusterrole=view --user=YOU" in text


def test_a_right_on_kubernetes_own_resources_is_a_role():
    """Kubernetes' own role does not grant Secrets: the verb is what to ask for."""
    _, text = explained(Question("get", "secrets", "team-a", "llmopt-storage"), 403, {"message": ""})
    assert "may not get secrets in namespace team-a" in text
    assert "a Role with this verb on secrets" in text


def test_a_cluster_without_llmopt_is_distinguished_from_a_missing_resource():
    """A path that is not served means that the chart is missing; a Status means that the name is."""
    kind, text = explained(OURS, 404)
    assert kind is errors.NotInstalled
    assert "helm install" in text
    kind, text = explained(OURS, 404, {"message": "not found", "details": {"kind": "llmoptimizations"}})
    assert kind is errors.ResourceNotFound
    assert "llmoptimizations/mine" in text
    kind, text = explained(OURS, 404, {"message": "x", "details": {"kind": "namespaces", "name": "team-a"}})
    assert kind is errors.ResourceNotFound
    assert "kubectl create namespace team-a" in text


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (401, errors.NotLoggedIn, "context prod.*log in"),
        (409, errors.Conflict, "llmoptimizations/mine: why"),
        (400, errors.Refused, "llmoptimizations/mine: why"),
        (429, errors.ClusterUnreachable, "429.*why"),
        (503, errors.ClusterUnreachable, "503.*why"),
    ],
)
def test_each_answer_has_its_class(code, kind, says):
    """What can pass is distinguished from what cannot."""
    with pytest.raises(kind, match=says):
        raise refusal(OURS, code, {"message": "why"})
    assert refusal(OURS, code, {}).retryable is (kind is errors.ClusterUnreachable)


def test_a_refused_field_is_named():
    """The causes of a refusal, each with its field, stand in the message."""
    causes = [{"field": "spec.model", "message": "model cannot change"}, {"message": "no"}]
    _, text = explained(OURS, 422, {"message": "long", "details": {"causes": causes}})
    assert text == "llmoptimizations/mine: spec.model: model cannot change; no"
