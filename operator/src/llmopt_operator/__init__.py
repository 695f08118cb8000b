"""The operator: watches the resources, starts runners as Jobs, writes back what the studies say.

handlers (kopf) → reconciling → domain (pure decisions), specs (pure builders) and adapters (the API server,
the studies).
"""
