"""A first manifest as text: YAML with comments for those who have never seen one."""

from llmopt_core.engines.first_settings import FirstSettings

_ARGUMENTS = "    args: # what stays fixed; numbers with a point and true or false stand in quotes\n"
_TEMPLATE = """\
# {title}
# Change what you like, then:
#   llmopt validate {file}     checks every field
#   llmopt run {file}          runs it; the same command continues where it stopped
{notes}apiVersion: llmopt.dev/v1alpha1
kind: LLMOptimization
metadata:
  name: {name} # results/{name} holds the results
spec:
  model:
    # hf://ORG/NAME, hf://ORG/NAME/FILE.gguf, file:///PATH or package://PYTHON_PACKAGE/FILE
    source: {model}
{remote_code}  engine:
    name: {engine}
{arguments}  workload:
    dataset:
      name: arithmetic # or `path: questions.jsonl`, with {{"question": ..., "answer": ...}} on each line
      samples: 16 # questions that each trial asks
    maxTokens: 32 # longest answer
    load:
      concurrency: {concurrency} # requests in flight
  search:
    preset: balanced # or accuracy, creativity, speed; or a space of your own in place of it
  objectives: # several make a Pareto study
    - metric: accuracy
    - metric: good_answers_per_second # right answers a second; tokens a second would reward longer answers
  budget:
    trials: 20 # configurations to try, the baseline among them
    duration: 1h
  confirm:
    top: 2 # the best that are proved on questions the search never saw,
    repeats: 3 # so many times each, as is the baseline
"""


def manifest_text(settings: FirstSettings, *, file: str, title: str, name: str = "first-study") -> str:
    """Return the manifest of `settings`; `file` is what it will be called, `title` its first line."""
    arguments = "".join(f"      {one.name}: {one.value} # {one.why}\n" for one in settings.arguments)
    return _TEMPLATE.format(
        title=title,
        file=file,
        notes="".join(f"# Note: {note}.\n" for note in settings.notes),
        name=name,
        model=settings.model,
        engine=settings.engine,
        arguments=f"{_ARGUMENTS}{arguments}" if arguments else "",
        remote_code="    trustRemoteCode: true # models.yaml says so\n" if settings.remote_code else "",
        concurrency=settings.concurrency,
    )
