module llmopt.dev/tests/argo-cd

go 1.26

require github.com/argoproj/argo-cd/v3 v3.1.0
