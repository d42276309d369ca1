{{- define "fairlead.injection" -}}
{{- $own := .Values.injection }}
{{- if and (eq $own.capture "redirect") (ne $own.engine "envoy") }}{{ fail "injection.capture redirect needs injection.engine envoy" }}{{ end }}
{{- if and (eq $own.agent "pod") (not $own.namespaces) }}{{ fail "injection.agent pod needs injection.namespaces" }}{{ end }}
{{- $injection := dict "enabled" true "agent" $own.agent "namespaces" $own.namespaces "engine" $own.engine "capture" $own.capture }}
{{- $_ := set $injection "nativeSidecar" $own.nativeSidecar }}
{{- $_ := set $injection "resources" $own.resources }}
{{- $_ := set $injection "logLevel" $own.logLevel }}
{{- $all := dict "profile" "minimal" "namespace" .Release.Namespace "image" .Values.image "logFormat" .Values.logFormat "injection" $injection }}
{{- $_ := set $all "imagePullSecrets" .Values.imagePullSecrets }}
{{- with .Values.imagePullPolicy }}{{ $_ := set $all "imagePullPolicy" . }}{{ end }}
{{- with .Values.meshConfig.trustDomain }}{{ $_ := set $all "meshConfig" (dict "trustDomain" .) }}{{ end }}
{{- toJson $all }}
{{- end }}
