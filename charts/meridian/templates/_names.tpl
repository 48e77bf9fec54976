{{/* The release's full name, at most 63 characters. */}}
{{- define "meridian.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that select the operator's pods; they never change in a release. */}}
{{- define "meridian.selector" -}}
app.kubernetes.io/name: meridian-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "meridian.labels" -}}
{{ include "meridian.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Cluster-wide objects carry the namespace too, so that releases do not collide. */}}
{{- define "meridian.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "meridian.fullname" .) -}}
{{- end -}}

{{- define "meridian.serviceAccount" -}}
{{- default (include "meridian.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{/* The region, or an error that says what to do. */}}
{{- define "meridian.region" -}}
{{- required "region is required: add --set region=NAME, the name that spec.regions[].name of your databases gives this cluster (for example --set region=eu)" .Values.region -}}
{{- end -}}
