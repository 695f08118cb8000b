"""Whether the operator acts and keeps up."""

from expressions import grown, quantile
from panels import Dashboard, Panel, number

OPERATOR = Dashboard(
    "llmopt-operator",
    "llmopt: operator and storage",
    "Whether the operator acts, keeps up, and reaches API server and databases.",
    [
        number(
            "Leads", "Operators that act: one. The others wait for its Lease.", "sum(llmopt_operator_leading)"
        ),
        number("Operators", "Operators that are scraped.", "count(llmopt_operator_leading)"),
        number("Queue", "Resources that wait to be reconciled.", "sum(llmopt_operator_queue_length)"),
        number("Active studies", "Studies that are kept open.", "sum(llmopt_operator_active_studies)"),
        number(
            "Failed reconciliations",
            "In the time shown.",
            grown("llmopt_operator_reconciles_total", 'result="error"') + " or vector(0)",
            decimals=0,
        ),
        number(
            "Storage failures",
            "In the time shown.",
            grown("llmopt_operator_storage_failures_total") + " or vector(0)",
            decimals=0,
        ),
        Panel(
            "Health",
            "1 while the part does its work: the watches miss nothing, studies are looked at.",
            {"{{part}}": "min by (part) (llmopt_operator_healthy)"},
            maximum=1,
        ),
        Panel(
            "Resources by phase",
            "All resources that are watched.",
            {"{{kind}} {{phase}}": "sum by (kind, phase) (llmopt_operator_resources)"},
        ),
        Panel(
            "Storage failures by reason",
            "Reads of tenants' databases that failed; conditions name the namespace.",
            {
                "{{reason}}": "sum by (reason)"
                " (rate(llmopt_operator_storage_failures_total[$__rate_interval])) or vector(0)"
            },
            "ops",
        ),
        Panel(
            "Waiting for runners",
            "From a Job's creation until its first runner ran: queues, free GPUs, image pulls.",
            {
                "half below": quantile(0.5, "llmopt_operator_runners_wait_seconds"),
                "95 % below": quantile(0.95, "llmopt_operator_runners_wait_seconds"),
            },
            "s",
        ),
        Panel(
            "Reconciliations",
            "By kind and result.",
            {
                "{{kind}} {{result}}": "sum by (kind, result)"
                " (rate(llmopt_operator_reconciles_total[$__rate_interval]))"
            },
            "ops",
        ),
        Panel(
            "Time to reconcile",
            "Waiting in the queue, and the work itself: 95 % are below.",
            {
                "waiting": quantile(0.95, "llmopt_operator_queue_seconds"),
                "{{kind}}": quantile(0.95, "llmopt_operator_reconcile_seconds", by="le, kind"),
            },
            "s",
        ),
        Panel(
            "Requests to the API server",
            "By verb and status code; 0: no answer.",
            {
                "{{verb}} {{code}}": "sum by (verb, code)"
                " (rate(llmopt_operator_api_requests_total[$__rate_interval]))"
            },
            "reqps",
        ),
        Panel(
            "Answers of the API server",
            "95 % are below.",
            {"{{verb}}": quantile(0.95, "llmopt_operator_api_request_seconds", by="le, verb")},
            "s",
        ),
        Panel(
            "Looks at the studies",
            "One look at all active studies of a namespace: 95 % are below.",
            {"95 % below": quantile(0.95, "llmopt_operator_rollup_seconds")},
            "s",
        ),
    ],
)
