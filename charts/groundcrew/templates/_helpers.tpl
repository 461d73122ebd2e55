{{- define "groundcrew.name" -}}
{{- if contains "groundcrew" .Release.Name }}{{ .Release.Name }}{{ else }}{{ printf "%s-groundcrew" .Release.Name }}{{ end -}}
{{- end }}

{{- define "groundcrew.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "groundcrew.name" .) -}}
{{- end }}

{{- define "groundcrew.selector" -}}
app.kubernetes.io/name: groundcrew
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "groundcrew.labels" -}}
{{ include "groundcrew.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "groundcrew.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}
