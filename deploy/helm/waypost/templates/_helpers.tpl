{{- define "waypost.name" -}}
{{- $name := ternary .Release.Name (printf "%s-waypost" .Release.Name) (contains "waypost" .Release.Name) -}}
{{- default $name .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "waypost.selector" -}}
app.kubernetes.io/name: waypost
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "waypost.labels" -}}
{{ include "waypost.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "waypost.serviceAccount" -}}
{{- default (ternary (include "waypost.name" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "waypost.image" -}}
{{- $image := .Values.image -}}
{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default .Chart.AppVersion $image.tag }}{{ end }}
{{- end -}}

{{/* What the chart must know of waypost.yaml: the ports that other machines reach, where probes ask, the drain. */}}
{{- define "waypost.settings" -}}
{{- $config := fromYaml .Values.config -}}
{{- if hasKey $config "Error" }}{{ fail (printf "config is not YAML: %s" $config.Error) }}{{ end -}}
{{- $listeners := merge dict (default dict $config.listeners) (dict "http" "127.0.0.1:8801" "extproc" "127.0.0.1:50051" "api" "127.0.0.1:8080" "metrics" "127.0.0.1:9190") -}}
{{- $envoy := default dict $config.envoy -}}
{{- $ownEnvoy := ne (toString $envoy.enabled) "false" -}}
{{- $ports := dict -}}
{{- range $name, $address := $listeners -}}
{{- if not (regexMatch ":[0-9]+$" $address) }}{{ fail (printf "config: listeners.%s is %s; the chart needs a port here, not a variable" $name $address) }}{{ end -}}
{{- if and (not (regexMatch "^(127\\.|localhost:|\\[::1\\])" $address)) (or $ownEnvoy (ne $name "http")) -}}
{{- $_ := set $ports $name (regexFind "[0-9]+$" $address | int) -}}
{{- end -}}
{{- end -}}
{{- range list "api" (ternary "http" "extproc" $ownEnvoy) -}}
{{- if not (hasKey $ports .) }}{{ fail (printf "config: listeners.%s is on the loopback, where nobody outside the pod reaches it; write 0.0.0.0" .) }}{{ end -}}
{{- end -}}
{{- if and (gt (int .Values.workers) 1) (not $ownEnvoy) }}{{ fail "workers listen on a port each, and a gateway knows one: leave workers at 1 and raise replicas" }}{{ end -}}
{{- $tls := default dict $config.tls -}}
{{- $probes := "api" -}}
{{- if (default dict $tls.api).client_ca -}}
{{- $probes = "metrics" -}}
{{- $why := "config: with tls.api.client_ca the probes of Kubernetes, which have no certificate, ask listeners.metrics" -}}
{{- if not (hasKey $ports "metrics") }}{{ fail (printf "%s, which is on the loopback; write 0.0.0.0" $why) }}{{ end -}}
{{- if (default dict $tls.metrics).client_ca }}{{ fail (printf "%s; leave client_ca out of tls.metrics" $why) }}{{ end -}}
{{- end -}}
{{- dict "ports" $ports "probes" $probes "tls" (keys $tls | sortAlpha) "drain" (toString (default "30s" $envoy.drain_timeout)) "ownEnvoy" $ownEnvoy | toJson -}}
{{- end -}}

{{/* A pod's last seconds: until load balancers forgot it, until its answers ended, until the rest was stopped. */}}
{{- define "waypost.grace" -}}
{{- if not (kindIs "invalid" .values.terminationGracePeriodSeconds) -}}
{{- .values.terminationGracePeriodSeconds | int -}}
{{- else -}}
{{- $drain := .settings.drain -}}
{{- if not (regexMatch "^[0-9.]+ ?(ms|s|m|h)$" $drain) }}{{ fail (printf "config: envoy.drain_timeout is %s; set terminationGracePeriodSeconds" $drain) }}{{ end -}}
{{- $scale := get (dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0) (regexFind "[a-z]+$" $drain) -}}
{{- add .values.preStopSeconds 15 (mulf (regexFind "^[0-9.]+" $drain) $scale | ceil) -}}
{{- end -}}
{{- end -}}

{{/* Changes with what a running router cannot take over: needs_restart() in src/waypost/config/restart.py. */}}
{{- define "waypost.digest" -}}
{{- $what := dict "files" .Values.files -}}
{{- if eq .Values.reload "restart" -}}
{{- $_ := set $what "config" .Values.config -}}
{{- else -}}
{{- $config := fromYaml .Values.config -}}
{{- range list
  "listeners" "api" "tls" "encoder" "demo"
  "envoy.enabled" "envoy.request_body" "envoy.concurrency" "envoy.max_request_body" "envoy.max_connections"
  "cache.backend" "cache.path" "cache.url" "cache.url_env" "cache.url_file" "cache.namespace" "cache.max_entries"
  "cache.max_bytes" "cache.copies_bytes" "cache.timeout"
  "observability.records" "observability.tracing.exporter" "observability.tracing.endpoint"
  "observability.tracing.service_name" "observability.tracing.queue"
-}}
{{- $value := $config -}}
{{- range splitList "." . -}}
{{- $value = ternary (get (ternary $value dict (kindIs "map" $value)) .) "" (kindIs "map" $value) -}}
{{- end -}}
{{- $_ := set $what . $value -}}
{{- end -}}
{{- end -}}
{{- $what | toJson | sha256sum -}}
{{- end -}}
