"""The resources that a record is made of."""

from typing import Any

import yaml
from fakes.manifests import benchmark, optimization

Document = dict[str, Any]


def written(document: Document) -> str:
    """Return `document` as YAML."""
    return yaml.safe_dump(document, sort_keys=False)


def wide_optimization() -> Document:
    """Return an optimization that uses every object and every list of its kind, and few of their defaults."""
    document = optimization()
    document["metadata"] = {"name": "wide"}
    spec = document["spec"]
    spec["model"] |= {"tokenSecretRef": {"name": "hub", "key": "token"}}
    spec["workload"] |= {
        "prompt": {"system": "Be brief."},
        "load": {"rate": "2.5", "duration": "30s"},
        "slo": {"ttftMs": 500},
        "evaluator": {"name": "exact", "args": {}, "endpoint": {"url": "http://judge.example.com/v1"}},
        "sampling": {"temperature": "0.2"},
        "hourlyPrice": "1.5",
    }
    spec["search"]["space"]["sampling"] = [
        {"name": "temperature", "float": {"low": "0", "high": "1"}},
        {
            "name": "top_k",
            "int": {"low": 1, "high": 40},
            "when": [{"parameter": "sampling.temperature", "above": "0"}],
        },
        {"name": "seed", "categorical": {"choices": [1, 2]}},
    ]
    spec["search"] |= {
        "sampler": {"seed": 7},
        "pruner": {"name": "none"},
        "enqueue": [{"sampling.temperature": "0"}],
        "warmStartFrom": [{"name": "finished"}],
    }
    spec["objectives"] = [{"metric": "accuracy"}, {"metric": "goodput_ratio", "weight": "2"}]
    spec["constraints"] = [{"metric": "ttft_ms_p95", "max": "800"}]
    spec["budget"] = {"duration": "2h", "gpuHours": "4", "target": {"metric": "accuracy", "value": "0.9"}}
    spec["confirm"] = {"top": 2}
    spec["memoryGuard"] = {"warningPercent": 70}
    spec["rollout"] = {"configMapName": "own-best", "deploymentRef": {"name": "server"}}
    spec |= {"runners": _wide_runners(), "ttlSecondsAfterFinished": 86400, "studyRetention": "Delete"}
    return document


def wide_benchmark() -> Document:
    """Return a benchmark whose candidates use every object of their kind."""
    document = benchmark()
    document["metadata"] = {"name": "wide-duel"}
    document["spec"] |= {
        "candidates": [
            {"name": "default"},
            {"name": "own", "model": {"source": "hf://org/model"}, "engine": {"name": "llamacpp"}},
            {"name": "served", "engine": {"name": "openai", "endpoint": {"url": "http://example.com/v1"}}},
            {"name": "found", "optimizationRef": {"name": "finished"}},
        ],
        "metrics": ["accuracy"],
        "budget": {"duration": "1h"},
        "memoryGuard": {},
        "runners": _wide_runners(),
    }
    return document


def _wide_runners() -> Document:
    labels = {"matchExpressions": [{"key": "gpu", "operator": "Exists"}]}
    return {
        "count": 2,
        "resources": {"limits": {"memory": "8Gi"}},
        "cacheClaim": "models",
        "template": {
            "nodeSelector": {"zone": "a"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [labels]}
                },
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"labelSelector": labels, "topologyKey": "kubernetes.io/hostname"}
                    ]
                },
            },
            "volumes": [
                {"name": "scratch", "mountPath": "/scratch", "emptyDir": {"sizeLimit": "1Gi"}},
                {"name": "words", "mountPath": "/words", "configMap": {"name": "words"}},
            ],
            "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "one-gpu"}],
            "labels": {"team": "a"},
        },
    }
