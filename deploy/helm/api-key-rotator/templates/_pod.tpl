{{/* The data of the ConfigMap. */}}
{{- define "api-key-rotator.settings" -}}
{{- range $name, $value := .Values.settings }}
{{- if or (kindIs "string" $value) (kindIs "bool" $value) }}
{{ $name }}: {{ $value | quote }}
{{- else }}
{{- /* Helm reads numbers as floating point and would write 2147483648 as 2.147483648e+09. */}}
{{ $name }}: {{ int64 $value | quote }}
{{- end }}
{{- end }}
BACKEND_PORT: "8000"
DATA_DIR: /app/data/gateway
SHUTDOWN_DELAY: {{ .Values.shutdown.delaySeconds | quote }}
SHUTDOWN_GRACE: {{ .Values.shutdown.graceSeconds | quote }}
DB_TYPE: {{ .Values.database.type }}
{{- if eq .Values.database.type "sqlite" }}
DATABASE_PATH: /app/data/gateway/api_key_rotator.db
{{- else }}
DB_HOST: {{ .Values.database.host | quote }}
DB_PORT: {{ .Values.database.port | quote }}
DB_NAME: {{ .Values.database.name | quote }}
DB_USER: {{ .Values.database.user | quote }}
DB_SSL_MODE: {{ .Values.database.sslMode }}
{{- end }}
{{- end -}}

{{/* Of the Deployment and of the StatefulSet. */}}
{{- define "api-key-rotator.pod" -}}
metadata:
  labels:
    {{- include "api-key-rotator.selectorLabels" . | nindent 4 }}
  annotations:
    # New pods for new settings.
    checksum/settings: {{ include "api-key-rotator.settings" . | sha256sum }}
    checksum/secrets: {{ toYaml .Values.secrets.values | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "api-key-rotator.serviceAccountName" . }}
  automountServiceAccountToken: false
  # A service called redis or db would set REDIS_PORT or DB_PORT to something like tcp://10.0.0.1:6379.
  enableServiceLinks: false
  # What SIGTERM starts, and time to write what is left.  /readyz says 503 meanwhile, so there is no preStop.
  terminationGracePeriodSeconds: {{ add (int .Values.shutdown.delaySeconds) (int .Values.shutdown.graceSeconds) 10 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch    # else each start opens secrets to the group, and the gateway closes them
    seccompProfile:
      type: RuntimeDefault
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: gateway
      image: {{ include "api-key-rotator.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop:
            - ALL
      envFrom:
        - configMapRef:
            name: {{ include "api-key-rotator.name" . }}
      {{- if include "api-key-rotator.secretName" . }}
      env:
        {{- include "api-key-rotator.secretVariables" . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8000
      # Longer than STARTUP_WAIT (60 s), after which the gateway gives up a database server by itself.
      startupProbe:
        httpGet:
          path: /healthz
          port: http
        periodSeconds: 2
        failureThreshold: 90
      livenessProbe:
        httpGet:
          path: /healthz
          port: http
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet:
          path: /readyz
          port: http
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: data
          mountPath: /app/data
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: tmp
      emptyDir: {}
    {{- if ne .Values.database.type "sqlite" }}
    # Nothing that must stay: the server has the data, the Secret has the secrets.
    - name: data
      emptyDir: {}
    {{- else if .Values.persistence.existingClaim }}
    - name: data
      persistentVolumeClaim:
        claimName: {{ .Values.persistence.existingClaim | quote }}
    {{- end }}
  {{- include "api-key-rotator.placement" . | nindent 2 }}
{{- end -}}

{{/* With a database server a generated value would be lost with the pod, so it must be set. */}}
{{- define "api-key-rotator.secretVariables" -}}
{{- $root := . -}}
{{- $mayBeMissing := list "GLOBAL_PROXY_KEYS" "METRICS_TOKEN" -}}
{{- $names := list "ADMIN_PASSWORD" "JWT_SECRET" "ENCRYPTION_KEY" "DB_PASSWORD" "GLOBAL_PROXY_KEYS" "METRICS_TOKEN" -}}
{{- if eq .Values.database.type "sqlite" -}}
{{- $names = list "ADMIN_PASSWORD" "JWT_SECRET" "ENCRYPTION_KEY" "GLOBAL_PROXY_KEYS" "METRICS_TOKEN" -}}
{{- $mayBeMissing = $names -}}
{{- end -}}
{{- range $name := $names }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "api-key-rotator.secretName" $root }}
      key: {{ $name }}
      optional: {{ has $name $mayBeMissing }}
{{- end }}
{{- end -}}

{{- define "api-key-rotator.placement" -}}
topologySpreadConstraints:
{{- if .Values.topologySpreadConstraints }}
  {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "api-key-rotator.selectorLabels" . | nindent 8 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
