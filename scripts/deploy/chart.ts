/**
 * The Helm chart, made from the very objects of src/install: settings that a chart leaves open are marks in them, which become expressions of
 * templates. What a chart cannot do is not in it: the namespace (helm makes it), conflicts, prunes, revisions.
 */
import { stringify } from 'yaml';
import { kinds } from '../../src/config/kinds/registry.ts';
import { customResourceDefinitions } from '../../src/install/crds.ts';
import { manifestsOf } from '../../src/install/manifests.ts';
import { agentObjects } from '../../src/install/objects/agent-objects.ts';
import { caObjects } from '../../src/install/objects/ca-objects.ts';
import { gatewayObjects } from '../../src/install/objects/gateway-objects.ts';
import type { Manifest } from '../../src/install/objects/object.ts';
import { readerObjects } from '../../src/install/objects/reader-objects.ts';
import { statusObjects } from '../../src/install/objects/status-objects.ts';
import { webhookObjects } from '../../src/install/objects/webhook-objects.ts';
import { type Gateway, resolveSettings, type Settings } from '../../src/install/settings/resolve.ts';

/** An expression in the place of a value. */
const mark = (expression: string): never => `@@${expression}@@` as never;
/** An expression whose YAML is the map. */
const mapMark = (expression: string): never => ({ [`@@map ${expression}@@`]: 0 }) as never;
/** A number that stands for a value. */
const REPLICAS = 7654321;
const PORT = { name: 'port-mark', port: 65001, targetPort: 65002 };

/** File by path in the chart. */
export function chartFiles(version: string): ReadonlyMap<string, string> {
  const plain = resolveSettings({}, { revision: '', version });
  const [ingress] = plain.gateways as [Gateway];
  const marked = markedSettings(plain);
  const base = manifestsOf(marked, version).filter(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.labels?.['app.kubernetes.io/component'] === 'base',
  );
  return new Map([
    [
      'Chart.yaml',
      stringify({
        apiVersion: 'v2',
        name: 'fairlead',
        description: 'Fairlead: a certificate authority, sidecars and gateways for Istio’s configuration.',
        type: 'application',
        version,
        appVersion: version,
        kubeVersion: '>=1.30.0-0',
      }),
    ],
    ['values.yaml', values(plain, ingress)],
    ['templates/_settings.tpl', INJECTION_SETTINGS],
    ['templates/ca.yaml', caTemplate(marked, version)],
    [
      'templates/mesh.yaml',
      `${expressions(base)}${when('or .Values.gateways .Values.injection.enabled', readerTemplate(readerObjects(marked, version)))}`,
    ],
    ['templates/agents.yaml', when(WITH_AGENTS, agentTemplate(agentObjects(marked, version)))],
    [
      'templates/status.yaml',
      when(`and .Values.status (or .Values.gateways (${WITH_AGENTS}))`, statusTemplate(statusObjects(marked, version))),
    ],
    ['templates/injection.yaml', when('.Values.injection.enabled', webhookTemplate(webhookObjects(marked, version)))],
    ['templates/gateways.yaml', gatewayTemplate(gatewayObjects(marked, marked.gateways[0] as Gateway, version))],
    [
      'crds/definitions.yaml',
      customResourceDefinitions(kinds)
        .map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false }))
        .join('---\n'),
    ],
  ]);
}

const GATEWAY = mark('$name') as string;
const CRITICAL = 'system-node-critical';
const WITH_AGENTS = 'and .Values.injection.enabled (eq .Values.injection.agent "node")';
/** As webhook-objects.ts makes them. */
const INJECTION_SETTINGS = `{{- define "fairlead.injection" -}}
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
`;

/** A template that is there only under a condition. */
const when = (condition: string, text: string): string => `{{- if ${condition} }}\n---\n${text}{{- end }}\n`;

function markedSettings(plain: Settings): Settings {
  return {
    ...plain,
    namespace: mark('.Release.Namespace'),
    image: mark('.Values.image'),
    imagePullPolicy: mark('.Values.imagePullPolicy'),
    imagePullSecrets: [mark('secret')],
    logFormat: mark('.Values.logFormat'),
    meshConfig: { trustDomain: mark('.Values.meshConfig.trustDomain | default `cluster.local`') },
    ca: {
      replicas: REPLICAS,
      storage: undefined,
      resources: mapMark('.Values.ca.resources'),
      nodeSelector: mapMark('.Values.ca.nodeSelector'),
    },
    agent: {
      enabled: true,
      resources: mapMark('.Values.agent.resources'),
      nodeSelector: mapMark('.Values.agent.nodeSelector'),
      tolerations: [mark('toleration')],
      priorityClassName: CRITICAL,
    },
    injection: {
      ...plain.injection,
      namespaces: [],
      replicas: REPLICAS,
      nodeSelector: mapMark('.Values.injection.nodeSelector'),
    },
    gateways: [
      {
        name: GATEWAY,
        labels: mapMark('$labels'),
        ports: [PORT],
        credentials: [mark('credential')],
        engine: mark('$gw.engine'),
        replicas: { min: 1, max: 2, cpu: 80 },
        service: { type: mark('$gw.service.type'), annotations: mapMark('$gw.service.annotations') },
        resources: mapMark('$gw.resources'),
        podAnnotations: mapMark('$gw.podAnnotations'),
        nodeSelector: mapMark('$gw.nodeSelector'),
      },
    ],
  };
}

function values(plain: Settings, { ports, engine, replicas, service, resources }: Gateway): string {
  const defaults = {
    labels: {},
    ports,
    credentials: [],
    engine,
    replicas,
    service: { type: service.type, annotations: {} },
    resources,
    podAnnotations: {},
    nodeSelector: {},
  };
  const { agent, injection } = plain;
  const all = {
    image: plain.image,
    imagePullPolicy: '',
    imagePullSecrets: [],
    logFormat: plain.logFormat,
    status: plain.status,
    meshConfig: {},
    ca: { replicas: plain.ca.replicas, storage: null, resources: plain.ca.resources, nodeSelector: {} },
    agent: {
      resources: agent.resources,
      nodeSelector: {},
      tolerations: agent.tolerations,
      priorityClassName: agent.priorityClassName,
    },
    injection: { ...injection, nodeSelector: {} },
    gatewayDefaults: defaults,
    gateways: { ingressgateway: {} },
  };
  return `# Made by \`node scripts/deploy.ts\`. As the settings of \`fairlead install\`; docs/install.md describes them.\n${stringify(all, { aliasDuplicateObjects: false })}`;
}

function gatewayTemplate(objects: readonly Manifest[]): string {
  const begin = `{{- range $name, $own := .Values.gateways }}
{{- $gw := mergeOverwrite (deepCopy $.Values.gatewayDefaults) ($own | default dict) }}
{{- $labels := $gw.labels | default (dict "istio" $name) }}
`;
  const documents = objects.map((object) => {
    const text = `---\n${expressions([object])}`;
    return object.kind === 'Role' || object.kind === 'RoleBinding' ? `{{- if $gw.credentials }}\n${text}{{- end }}\n` : text;
  });
  // Inside the range the root is $.
  return `${begin}${documents.join('').replaceAll(/(?<![\w$\])])\.(Values|Release)\b/g, '$.$1')}{{- end }}\n`;
}

/** Whose binding has all agents of an installation, and sidecars. */
const BOUND = /^subjects:\n {2}- kind: ServiceAccount\n(?: {2}.*\n)*/gm;

const ACCOUNTS = `{{- if ${WITH_AGENTS} }}
  - kind: ServiceAccount
    name: fairlead-agent
    namespace: {{ .Release.Namespace | quote }}
{{- end }}
`;
const GATEWAY_ACCOUNTS = `{{- range $name, $own := .Values.gateways }}
  - kind: ServiceAccount
    name: {{ $name | quote }}
    namespace: {{ $.Release.Namespace | quote }}
{{- end }}
`;
const POD_ACCOUNTS = `{{- if .Values.injection.enabled }}
{{- range .Values.injection.namespaces }}
  - kind: Group
    apiGroup: rbac.authorization.k8s.io
    name: {{ eq . "*" | ternary "system:serviceaccounts" (printf "system:serviceaccounts:%s" .) }}
{{- end }}
{{- end }}
`;

/** What all agents may read is bound to the service account of each. */
const readerTemplate = (objects: readonly Manifest[]): string =>
  expressions(objects).replaceAll(BOUND, () => `subjects:\n${GATEWAY_ACCOUNTS}${ACCOUNTS}${POD_ACCOUNTS}`);

/** With a volume there is one pod, and much is otherwise. */
function caTemplate(marked: Settings, version: string): string {
  const size = mark('.Values.ca.storage.size | default `1Gi`');
  const stored = { ...marked.ca, replicas: 1, storage: { size, className: mark('.Values.ca.storage.className') } };
  const text = (ca: Settings['ca']): string => expressions(caObjects({ ...marked, ca }, version));
  const many = text(marked.ca).replaceAll(String(REPLICAS), '{{ .Values.ca.replicas }}');
  return `{{- if .Values.ca.storage }}\n${text(stored)}{{- else }}\n${many}{{- end }}\n`;
}

/** As is what they may write, and the policy that bounds it names them too. */
const statusTemplate = (objects: readonly Manifest[]): string =>
  expressions(objects)
    .replaceAll(BOUND, () => `subjects:\n${ACCOUNTS}${GATEWAY_ACCOUNTS}`)
    .replace(
      /username in \[.*\]/,
      `username in [{{ $users := list }}{{ if ${WITH_AGENTS} }}{{ $users = append $users "fairlead-agent" }}{{ end -}}
        {{ range $name, $own := .Values.gateways }}{{ $users = append $users $name }}{{ end -}}
        {{ range $i, $user := $users }}{{ if $i }}, {{ end }}'system:serviceaccount:{{ $.Release.Namespace }}:{{ $user }}'{{ end }}]`,
    );

/** The quota is for the priority classes that need one. */
const agentTemplate = (objects: readonly Manifest[]): string =>
  objects
    .map((object) => {
      const text = expressions([object])
        .replaceAll(
          /^( *)tolerations:\n *- "?\{\{ toleration.*\n/gm,
          (_all, pad: string) =>
            `{{- with .Values.agent.tolerations }}\n${pad}tolerations:\n${pad}  {{- toYaml . | nindent ${pad.length + 2} }}\n{{- end }}\n`,
        )
        .replaceAll(
          new RegExp(`^( *)priorityClassName: ${CRITICAL}\n`, 'gm'),
          '{{- with .Values.agent.priorityClassName }}\n$1priorityClassName: {{ . }}\n{{- end }}\n',
        )
        .replaceAll(CRITICAL, '{{ .Values.agent.priorityClassName }}');
      if (object.kind !== 'ResourceQuota') return text;
      return `{{- if has .Values.agent.priorityClassName (list "system-node-critical" "system-cluster-critical") }}\n${text}{{- end }}\n`;
    })
    .join('---\n');

const webhookTemplate = (objects: readonly Manifest[]): string =>
  expressions(objects)
    .replace(/^( *)settings\.yaml: .*\n/m, '$1settings.yaml: {{ include "fairlead.injection" . | quote }}\n')
    .replace(/^( *)fairlead\.dev\/settings: .*\n/m, '$1fairlead.dev/settings: {{ include "fairlead.injection" . | sha256sum | quote }}\n')
    .replaceAll(String(REPLICAS), '{{ .Values.injection.replicas }}');

/** Objects as YAML, with the marks replaced. */
function expressions(objects: readonly Manifest[]): string {
  return (
    objects
      .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
      .join('---\n')
      .replaceAll('app.kubernetes.io/managed-by: fairlead', 'app.kubernetes.io/managed-by: {{ $.Release.Service }}')
      .replaceAll(
        /^( *)- name: port-mark\n(?:\1 {2}.*\n)+/gm,
        (block) =>
          `{{- range $gw.ports }}\n${block.replace('port-mark', '{{ .name }}').replace('65001', '{{ .port }}').replace('65002', '{{ .targetPort }}')}{{- end }}\n`,
      )
      .replaceAll(/^( *)- "@@credential@@"\n/gm, (_all, pad: string) => `${pad}{{- toYaml $gw.credentials | nindent ${pad.length} }}\n`)
      .replaceAll(
        /^( *)imagePullSecrets:\n *- name: "@@secret@@"\n/gm,
        (_all, pad: string) =>
          `{{- range $i, $secret := .Values.imagePullSecrets }}\n{{- if eq $i 0 }}\n${pad}imagePullSecrets:\n{{- end }}\n${pad}  - name: {{ $secret }}\n{{- end }}\n`,
      )
      .replaceAll(/^( *)(imagePullPolicy|storageClassName): "@@(.+?)@@"\n/gm, '{{- with $3 }}\n$1$2: {{ . }}\n{{- end }}\n')
      // A map that may be empty is not there then.
      .replaceAll(
        /^( *)(nodeSelector|annotations|resources):\n( *)"@@map (.+?)@@": 0\n(?!\3\S)/gm,
        (_all, pad: string, key: string, deeper: string, expression: string) =>
          `{{- with ${expression} }}\n${pad}${key}:\n${deeper}{{- toYaml . | nindent ${deeper.length} }}\n{{- end }}\n`,
      )
      .replaceAll(
        /^( *)"@@map (.+?)@@": 0\n/gm,
        (_all, pad: string, expression: string) => `{{- with ${expression} }}\n${pad}{{- toYaml . | nindent ${pad.length} }}\n{{- end }}\n`,
      )
      .replace(/^( *)mesh: (?:.*\n)(?:\1 {2}.*\n)*/gm, '$1mesh: |\n$1  {{- toYaml .Values.meshConfig | nindent 4 }}\n')
      .replaceAll(/^ *- --write-status\n/gm, '{{- if .Values.status }}\n$&{{- end }}\n')
      .replace('minReplicas: 1', 'minReplicas: {{ $gw.replicas.min }}')
      .replace('maxReplicas: 2', 'maxReplicas: {{ $gw.replicas.max }}')
      .replace('averageUtilization: 80', 'averageUtilization: {{ $gw.replicas.cpu }}')
      .replaceAll(/"@@([^@]+)@@"/g, '{{ $1 | quote }}')
      .replaceAll(/@@([^@]+)@@/g, '{{ $1 }}')
  );
}
