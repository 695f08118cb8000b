{{/* Names. */}}
{{- define "llmopt.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "llmopt.fullname" -}}
{{- $name := include "llmopt.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Of what belongs to the whole cluster: two releases of one name in two namespaces do not meet. */}}
{{- define "llmopt.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "llmopt.fullname" .) }}
{{- end }}

{{- define "llmopt.serviceAccountName" -}}
{{- default (include "llmopt.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{/* Labels: "llmopt.labels" and "llmopt.selector" take (list $ component). */}}
{{- define "llmopt.selector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ include "llmopt.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end }}

{{- define "llmopt.labels" -}}
{{- $root := first . -}}
{{ include "llmopt.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: llmopt
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* One of llmopt's own images: (list $ image tag), where a digest of `image` goes before the tag. */}}
{{- define "llmopt.image" -}}
{{- $root := first . }}
{{- $image := index . 1 }}
{{- $name := printf "%s:%s" $image.repository (index . 2) }}
{{- if $image.digest }}
{{- $name = printf "%s@%s" $image.repository $image.digest }}
{{- end }}
{{- if $root.Values.registry }}{{ trimSuffix "/" $root.Values.registry }}/{{ end }}{{ $name }}
{{- end }}

{{/* The operator's settings file: the values as they are, with the runners' image of this version. */}}
{{- define "llmopt.settings" -}}
{{- $tag := printf "%s-{image}" .Chart.AppVersion }}
{{- $own := include "llmopt.image" (list $ (dict "repository" "llmopt-runner") $tag) }}
{{- $settings := merge (dict "runnerImage" (.Values.settings.runnerImage | default $own)) (deepCopy .Values.settings) }}
{{- toYaml $settings }}
{{- end }}

{{/* What every container here may not do. */}}
{{- define "llmopt.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "llmopt.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Role and database of a tenant: its namespace, shortened where Postgres would cut it off. */}}
{{- define "llmopt.database" -}}
{{- $name := printf "llmopt-%s" . }}
{{- if gt (len $name) 63 }}
{{- $name = printf "%s-%s" (trunc 54 $name) (trunc 8 (sha256sum .)) }}
{{- end }}
{{- $name }}
{{- end }}

{{- define "llmopt.postgresHost" -}}
{{ include "llmopt.fullname" . }}-postgres.{{ .Release.Namespace }}.svc
{{- end }}

{{- define "llmopt.dashboardNamespaces" -}}
{{- $tenants := list }}
{{- range .Values.tenants }}{{ $tenants = append $tenants .namespace }}{{ end }}
{{- toJson (default $tenants .Values.optunaDashboard.namespaces) }}
{{- end }}

{{- define "llmopt.runnerNamespaces" -}}
{{- $known := .Values.settings.namespaces }}
{{- range .Values.tenants }}{{ $known = append $known .namespace }}{{ end }}
{{- toJson (default (uniq $known) .Values.networkPolicy.runners.namespaces) }}
{{- end }}

{{/* What the schema cannot say. */}}
{{- define "llmopt.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.settings.leaderElection.enabled) }}
{{- fail (printf "replicas: %d operators would act at once: set settings.leaderElection.enabled, or replicas: 1" (int .Values.replicas)) }}
{{- end }}
{{- range $index, $tenant := .Values.tenants }}
{{- if not (or $tenant.url $.Values.postgres.enabled) }}
{{- fail (printf "tenants[%d]: namespace %s has no database: give its url, or set postgres.enabled=true; where you made the Secret %s yourself, leave the namespace out" $index $tenant.namespace $.Values.settings.storage.secretName) }}
{{- end }}
{{- end }}
{{- if and .Values.optunaDashboard.enabled (not (include "llmopt.dashboardNamespaces" . | fromJsonArray)) }}
{{- fail "optunaDashboard: no namespace to run in: name one in optunaDashboard.namespaces or tenants" }}
{{- end }}
{{- if and .Values.networkPolicy.runners.enabled (not (include "llmopt.runnerNamespaces" . | fromJsonArray)) }}
{{- fail "networkPolicy.runners: no namespace to protect: name those of runners in networkPolicy.runners.namespaces" }}
{{- end }}
{{- end }}

{{/* What the operator may do where it watches. */}}
{{- define "llmopt.operatorRules" -}}
- apiGroups: [llmopt.dev]
  resources: [llmoptimizations, llmbenchmarks]
  verbs: [get, list, watch, delete]
- apiGroups: [llmopt.dev]
  resources: [llmoptimizations/status, llmbenchmarks/status]
  verbs: [patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, list, patch]
- apiGroups: [""]
  resources: [secrets]
  {{- if not .Values.settings.policy.secretSelector }}
  resourceNames: [{{ .Values.settings.storage.secretName }}]
  {{- end }}
  verbs: [get]
{{- if .Values.settings.rollout.enabled }}
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, patch]
{{- end }}
{{- end }}
