module llmopt.dev/tests/kserve

go 1.26

require github.com/kserve/kserve v0.15.2
