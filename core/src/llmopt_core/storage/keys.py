"""Under which keys the attributes of a study and of its trials are stored."""

DEFINITION_KEY = "llmopt:definition"
# Of which resource the study is.
RESOURCE_KEY = "llmopt:resource"
# What becomes of the study when its resource is deleted, and whose resource that is: nobody else drops it.
RETENTION_KEY = "llmopt:retention"
OWNER_KEY = "llmopt:owner"
END_KEY = "llmopt:ended"
PLAN_KEY = "llmopt:confirm"
EARLIER_KEY = "llmopt:earlier"
LEARNED_KEY = "llmopt:learned"
QUESTIONS_KEY = "llmopt:questions"
# Followed by the runner's name.
RUNNER_PREFIX = "runner:"

# Of a trial. The first is the assignment.
ASSIGNMENT_KEY = "llmopt:ticket"
ENDING_KEY = "llmopt:ending"
ANSWERS_KEY = "llmopt:answers"
# Among the facts of a trial: the messages of its requests. Readers that keep all trials leave them out.
MESSAGES_FACT = "request_messages"
