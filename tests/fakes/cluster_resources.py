"""Resources as the API server gives them back, with a status in any state, and a cluster of them."""

from fakes.manifests import optimization

from llmopt.cluster.errors import ResourceNotFound


def condition(type_, status="True", reason="Reason", message=""):
    """Return one condition."""
    moment = "2026-01-02T03:04:05Z"
    return {
        "type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": moment,
    }  # fmt: skip


def resource(name="mine", *conditions, status=None, generation=1, document=None, **metadata):
    """Return an LLMOptimization with `conditions` and what else `status` says."""
    body = document or optimization()
    whole = {"observedGeneration": generation, "conditions": list(conditions), **(status or {})}
    return {
        **body,
        "metadata": {
            "name": name, "namespace": "team-a", "uid": f"uid-of-{name}", "generation": generation,
            "creationTimestamp": "2026-01-02T03:04:05Z", **metadata,
        },
        "status": whole if conditions or status else {},
    }  # fmt: skip


RUNNING = condition("Running", "True", "RunnersActive")
COMPLETE = condition("Complete", "True", "TrialsExhausted", "all 4 trials are done")
FAILED = condition("Failed", "True", "ModelNotFound", "the model is not there")


class Directory:
    """Resources by kind and name."""

    def __init__(self, *documents):
        self.documents = list(documents)

    def get(self, kind, name, namespace):
        for each in self.listed(kind, namespace):
            if each["metadata"]["name"] == name:
                return each
        raise ResourceNotFound(f"there is no {kind.plural}/{name}")

    def listed(self, kind, namespace):
        return [
            each
            for each in self.documents
            if each["kind"] == kind and namespace in {None, each["metadata"]["namespace"]}
        ]
