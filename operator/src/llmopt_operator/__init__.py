"""The operator: watches the resources, starts runners as Jobs, writes back what the studies say.

From the outside in: handlers (kopf) and the loops, reconciling, adapters (the API server, the studies), specs
(pure builders), domain (pure decisions). It measures nothing and never talks to an engine. Read
`domain.decisions` first, then `reconciling.reconciler`.
"""
