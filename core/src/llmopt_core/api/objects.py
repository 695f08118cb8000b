"""Names, labels and annotations of the objects in a cluster that belong to this project."""

from enum import StrEnum

from llmopt_core.api.kinds import GROUP

OPERATOR = "llmopt-operator"  # the operator as the manager and the source of objects and events
RUNNER = "llmopt-runner"  # the application that runner pods belong to
LEASE = OPERATOR
STORAGE_SECRET = "llmopt-storage"  # noqa: S105 - the Secret's name, not what is in it
STORAGE_SECRET_KEY = "url"  # noqa: S105 - as above
RUNNER_CONTAINER = "runner"


class Label(StrEnum):
    """Labels by which objects are found."""

    NAME = "app.kubernetes.io/name"
    MANAGED_BY = "app.kubernetes.io/managed-by"
    KIND = f"{GROUP}/kind"
    RESOURCE = f"{GROUP}/resource"
    MANIFEST = f"{GROUP}/manifest"
    QUEUE = "kueue.x-k8s.io/queue-name"
    JOB = "batch.kubernetes.io/job-name"
    INDEX = "batch.kubernetes.io/job-completion-index"


class Annotation(StrEnum):
    """Annotations that are read or written."""

    RESTART = f"{GROUP}/restart"  # any new value starts what has ended once more
    ROLLOUT = f"{GROUP}/rollout"  # on a Deployment: which winner was written into it
