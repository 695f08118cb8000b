"""Builders of Kubernetes objects: Job, ConfigMaps, Events, patches of Deployments. Pure.

It sends nothing: that is left to `adapters`. Read `naming` first, then `jobs`.
"""
