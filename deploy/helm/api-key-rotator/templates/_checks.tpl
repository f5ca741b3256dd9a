{{/* Refuses what cannot work, in one line that says what to do. */}}
{{- define "api-key-rotator.check" -}}
{{- $database := .Values.database -}}
{{- if eq $database.type "sqlite" -}}
{{- if include "api-key-rotator.hasReplicas" . -}}
{{- fail "SQLite serves one replica: set replicaCount to 1 and autoscaling.enabled to false, or database.type to mysql or postgresql" -}}
{{- end -}}
{{- else -}}
{{- if not $database.host -}}
{{- fail (printf "database.host is not set: database.type is %s" $database.type) -}}
{{- end -}}
{{- if not (include "api-key-rotator.secretName" .) -}}
{{- fail "a database server needs secrets.existingSecret, or secrets.values, with ADMIN_PASSWORD, JWT_SECRET, ENCRYPTION_KEY and DB_PASSWORD" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.secrets.existingSecret .Values.secrets.values -}}
{{- fail "secrets.existingSecret and secrets.values are both set: leave one out" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host is not set: ingress.enabled is true" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.serviceMonitor.bearerToken (not (include "api-key-rotator.secretName" .)) -}}
{{- fail "serviceMonitor.bearerToken needs METRICS_TOKEN in secrets.existingSecret or secrets.values; or set it to false" -}}
{{- end -}}
{{- range $name, $value := .Values.settings -}}
{{- if has $name (list "ADMIN_PASSWORD" "JWT_SECRET" "ENCRYPTION_KEY" "GLOBAL_PROXY_KEYS" "METRICS_TOKEN" "DB_PASSWORD" "DATABASE_URL" "REDIS_URL" "REDIS_PASSWORD") -}}
{{- fail (printf "settings.%s is a secret, and settings are not: see secrets.existingSecret" $name) -}}
{{- end -}}
{{- if has $name (list "BACKEND_PORT" "DB_TYPE" "DB_HOST" "DB_PORT" "DB_NAME" "DB_USER" "DB_SSL_MODE" "DATABASE_PATH" "DATA_DIR" "SHUTDOWN_DELAY" "SHUTDOWN_GRACE") -}}
{{- fail (printf "settings.%s is set by the chart: see database, persistence and shutdown" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
