"""A study's result as something to deploy: a Deployment, KServe's InferenceService, or a Compose file.

`served` says what is to be served and by which image; `kubernetes` and `compose` write it. Nothing here asks
a cluster, and nothing is installed: the text is for a person, or for the repository that a cluster follows.
Read `served` first.
"""
