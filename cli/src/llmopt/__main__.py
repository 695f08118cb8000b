"""`python -m llmopt`: the same as `llmopt`."""

from llmopt.main import main

main()
