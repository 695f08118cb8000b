"""Builders of Kubernetes objects: Job, ConfigMaps, Events, patches of Deployments. Pure.

It sends nothing: that is left to `adapters`. Read `names` first, then `jobs`.
"""
