import pytest
from fakes.cluster_resources import COMPLETE, condition, resource

from llmopt.cluster.commands.logs import _why_none
from llmopt.cluster.errors import ClusterUnreachable, Refused
from llmopt.cluster.runners import Printer, RunnerPod, chosen, runner_pods
from llmopt.cluster.watches import Clock
from llmopt_core.api.kinds import Kind


def pod(name, index=0, made="1", *, placed=True):
    return RunnerPod(name, "team-a", index, made, placed)


class Pods:
    """Pods with logs; a log that is an error is raised, once for each time it stands there."""

    def __init__(self, **logs):
        self.logs = {name: list(lines) for name, lines in logs.items()}
        self.asked = []

    def pods(self, namespace, labels):
        self.asked.append((namespace, labels))
        return [
            {
                "metadata": {
                    "name": name, "namespace": namespace, "creationTimestamp": str(number),
                    "labels": {"batch.kubernetes.io/job-completion-index": str(number % 2)},
                }
            }
            for number, name in enumerate(self.logs)
        ]  # fmt: skip

    def pod(self, name, namespace):
        """A pod gets its node the second time somebody looks."""
        seen = self.asked.count(name)
        self.asked.append(name)
        spec = {"nodeName": "here"} if seen else {}
        return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}

    def log(self, pod, namespace, *, container, follow):
        self.asked.append((pod, namespace, container, follow))
        waiting = self.logs[pod]
        while waiting:
            line = waiting.pop(0)
            if isinstance(line, Exception):
                raise line
            yield line


def printed(pods, *names, follow):
    said = []
    printer = Printer(pods, said.append, Clock(lambda: 0.0, lambda _: None))
    chosen_pods = [pod(name, number) for number, name in enumerate(names)]
    failures = printer.follow(chosen_pods) if follow else printer.show(chosen_pods)
    return said, failures


def test_pods_are_found_by_their_labels_and_sorted():
    """Kind and name of the resource select them; they come by index, then by age."""
    source = Pods(a=[], b=[], c=[], d=[])
    found = runner_pods(source, Kind.OPTIMIZATION, "mine", "team-a")
    assert [(each.name, each.index) for each in found] == [("a", 0), ("c", 0), ("b", 1), ("d", 1)]
    labels = {"llmopt.dev/kind": "llmoptimization", "llmopt.dev/resource": "mine"}
    assert source.asked == [("team-a", labels)]


def test_of_each_index_the_last_pod_counts_or_the_one_before():
    """A replaced runner's log is the previous one; an index of a single attempt has none."""
    pods = [pod("a", 0, "1"), pod("b", 0, "2"), pod("c", 1, "1")]
    assert [each.name for each in chosen(pods, None, previous=False)] == ["b", "c"]
    assert [each.name for each in chosen(pods, None, previous=True)] == ["a"]
    assert [each.name for each in chosen(pods, 1, previous=False)] == ["c"]
    assert chosen(pods, 1, previous=True) == []
    assert chosen(pods, 7, previous=False) == []


def test_one_pod_needs_no_prefix():
    """Its lines are printed as they are, of the runner's container."""
    source = Pods(a=["one", "[two]"])
    assert printed(source, "a", follow=False)[0] == ["one", "[two]"]
    assert source.asked == [("a", "team-a", "runner", False)]


def test_several_pods_are_distinguished():
    """Each line begins with its pod's name, in one column."""
    said, _ = printed(Pods(a=["one"], long=["two"]), "a", "long", follow=False)
    assert said == ["a     one", "long  two"]


def test_followed_pods_print_side_by_side():
    """Every line of every pod arrives whole."""
    lines = [str(number) for number in range(200)]
    said, failures = printed(Pods(a=lines, b=lines), "a", "b", follow=True)
    assert failures == ()
    assert sorted(said) == sorted(f"{name}  {line}" for name in "ab" for line in lines)


def test_a_pod_that_has_not_started_is_waited_for():
    """What it waits for is said once, then its log comes."""
    waits = Refused("pods/a: waiting to start: ContainerCreating")
    said, failures = printed(Pods(a=[waits, waits, "one"]), "a", follow=True)
    assert said == [f"({waits})", "one"]
    assert failures == ()


def test_a_pod_without_a_node_has_no_log():
    """It is said so; followed, it is waited for until it has one."""
    said = []
    printer = Printer(Pods(a=["one"]), said.append, Clock(lambda: 0.0, lambda _: None))
    with pytest.raises(Refused, match="pod a has no node yet"):
        printer.show([pod("a", placed=False)])
    assert printer.follow([pod("a", placed=False)]) == ()
    assert said == ["(pod a has no node yet, and so no log)", "one"]


def test_one_pod_that_is_cut_off_does_not_end_the_others():
    """The failure is handed back after the others have ended."""
    away = ClusterUnreachable("away")
    said, failures = printed(Pods(a=["one", away], b=["two"]), "a", "b", follow=True)
    assert sorted(said) == ["a  one", "b  two"]
    assert failures == (away,)


def test_why_there_is_no_log_is_reported():
    """A wrong index, no earlier attempt, an end, a problem: each has its sentence."""
    one, stuck = resource(), condition("Running", "False", "Unschedulable", "0/3 nodes")
    assert "runners 0, 3" in _why_none(one, [pod("a", 3), pod("b")], 9, previous=False)
    assert "leave --previous out" in _why_none(one, [pod("a")], None, previous=True)
    assert "about to start" in _why_none(one, [], None, previous=False)
    assert "0/3 nodes" in _why_none(resource("mine", stuck), [], None, previous=False)
    assert "TrialsExhausted" in _why_none(resource("mine", COMPLETE), [], None, previous=False)
