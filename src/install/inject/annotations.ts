/** What a pod's annotations say about its sidecar. */
import { type CaptureWishes, REWRITE_PROBES, readCapture } from './capture-wishes.ts';
import { EXCLUDED_RANGES, HTTP_PROXY_PORT, INTERCEPTION_MODE, METRICS_PORT, NATIVE_SIDECAR, PROXY_PORT, STATUS_PORT } from './names.ts';
import { annotationAt, annotationsOfPod, type PodJson, type Remark } from './pod.ts';
import type { InjectSettings, Resources } from './settings.ts';

export interface Wishes {
  native: boolean;
  /** Which connections are redirected to it; undefined: none. */
  capture: CaptureWishes | undefined;
  image: string;
  resources: Resources;
  logLevel: InjectSettings['logLevel'];
  /** Of the explicit proxy; undefined: there is none. */
  proxyPort: number | undefined;
  /** Of metrics and health. */
  statusPort: number;
  /** undefined: no readiness check. */
  readiness: { initialDelaySeconds: number; periodSeconds: number; failureThreshold: number } | undefined;
  /** Networks that are reached past the proxy. */
  excluded: readonly string[];
  /** By name. */
  volumes: Readonly<Record<string, Record<string, unknown>>>;
  volumeMounts: Readonly<Record<string, Record<string, unknown>>>;
  /** What is said and not acted on. */
  notes: readonly Remark[];
}

const SIDECAR = 'sidecar.istio.io/';
const READINESS = 'readiness.status.sidecar.istio.io/';
const QUANTITY = /^\d+(?:\.\d+)?(?:m|k|Ki|M|Mi|G|Gi|T|Ti)?$/;
const CIDR = /^[0-9a-fA-F.:]+(?:\/\d{1,3})?$/;

/** Where nothing is redirected to the proxy, nothing can be left out, and checks of the kubelet reach the application as they are. */
const UNCAPTURED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['includeInboundPorts', 'excludeInboundPorts', 'includeOutboundPorts', 'excludeOutboundPorts', 'includeOutboundIPRanges']
      .concat(['excludeInterfaces', 'kubevirtInterfaces'])
      .map((name) => [`traffic.sidecar.istio.io/${name}`, 'no connection is captured']),
  ),
  [REWRITE_PROBES]: 'checks of the kubelet do not pass the proxy, so they are left as they are',
};
const IGNORED: Readonly<Record<string, string>> = {
  [`${READINESS}applicationPorts`]: 'the application’s ports are not watched',
  'proxy.istio.io/config': 'settings of single proxies are not applied',
  'proxy.istio.io/overrides': 'a container `istio-proxy` with the image `auto` is where fields of the sidecar are set',
  [`${SIDECAR}discoveryAddress`]: 'there is no control plane that a proxy would ask',
  [`${SIDECAR}proxyImageType`]: 'there is one image',
  [`${SIDECAR}bootstrapOverride`]: 'the agent writes the bootstrap',
  [`${SIDECAR}logLevel`]: 'set a running proxy’s levels with `fairlead proxy-config log`',
  [`${SIDECAR}componentLogLevel`]: 'set a running proxy’s levels with `fairlead proxy-config log`',
  ...Object.fromEntries(
    ['extraStatTags', 'statsCompression', 'statsEvictionInterval', 'statsFlushInterval', 'statsHistogramBins', 'statsHistogramBuckets']
      .concat(['statsInclusionPrefixes', 'statsInclusionRegexps', 'statsInclusionSuffixes'])
      .map((name) => [SIDECAR + name, 'stats of single proxies are not set']),
  ),
};

/** @returns what is wished for, or why an annotation cannot be understood */
export function readWishes(pod: PodJson, settings: InjectSettings): Wishes | { wrong: Remark } {
  const annotations = annotationsOfPod(pod);
  const wrong: Remark[] = [];
  const get = (name: string): string | undefined => (Object.hasOwn(annotations, name) ? annotations[name]?.trim() : undefined);
  const fault = (name: string, should: string): void =>
    void wrong.push({ text: `the annotation ${name} is ${should}, not ${JSON.stringify(get(name))}`, at: annotationAt(name) });
  const quantity = (name: string): string | undefined => {
    const value = get(SIDECAR + name);
    if (value !== undefined && !QUANTITY.test(value)) fault(SIDECAR + name, 'an amount such as 100m or 128Mi');
    return value;
  };
  const number = (name: string, otherwise: number, [least, most]: readonly [number, number] = [0, 86_400]): number => {
    const value = get(name);
    if (value === undefined) return otherwise;
    const read = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
    if (!(read >= least && read <= most)) fault(name, `a number from ${least} to ${most}`);
    return read;
  };
  const named = (name: string): Record<string, Record<string, unknown>> => {
    const value = get(SIDECAR + name);
    if (value === undefined) return {};
    const read = parsed(value);
    if (read === undefined) fault(SIDECAR + name, 'a JSON object, with an object for each name');
    return read ?? {};
  };
  const mode = get(INTERCEPTION_MODE);
  if (mode !== undefined && mode !== 'NONE' && mode !== 'REDIRECT') fault(INTERCEPTION_MODE, 'NONE or REDIRECT');
  const captured = mode === undefined ? settings.capture === 'redirect' : mode === 'REDIRECT';
  const native = get(NATIVE_SIDECAR);
  if (native !== undefined && native !== 'true' && native !== 'false') fault(NATIVE_SIDECAR, 'true or false');
  const excluded = (get(EXCLUDED_RANGES) ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  if (!captured && excluded.some((range) => !CIDR.test(range))) fault(EXCLUDED_RANGES, 'a list of networks such as 10.0.0.0/8');
  const statusPort = number(STATUS_PORT, METRICS_PORT, [0, 65_535]);
  const level = levelOf(get(`${SIDECAR}agentLogLevel`));
  const notes = Object.keys(annotations)
    .filter((name) => Object.hasOwn(IGNORED, name) || (!captured && Object.hasOwn(UNCAPTURED, name)))
    .map((name): Remark => ({ text: `the annotation ${name} does nothing: ${IGNORED[name] ?? UNCAPTURED[name]}`, at: annotationAt(name) }));
  if (level === null)
    notes.push({
      text: `the annotation ${SIDECAR}agentLogLevel does nothing: the agent’s levels are debug, info, warning and error`,
      at: annotationAt(`${SIDECAR}agentLogLevel`),
    });
  const wishes: Wishes = {
    native: native === undefined ? settings.nativeSidecar : native === 'true',
    capture: captured ? readCapture(get, fault, statusPort || METRICS_PORT) : undefined,
    image: get(`${SIDECAR}proxyImage`) || settings.image,
    resources: resourcesOf({
      requests: { cpu: quantity('proxyCPU'), memory: quantity('proxyMemory') },
      limits: { cpu: quantity('proxyCPULimit'), memory: quantity('proxyMemoryLimit') },
      otherwise: settings.resources,
    }),
    logLevel: level ?? settings.logLevel,
    proxyPort: captured && get(HTTP_PROXY_PORT) === undefined ? undefined : number(HTTP_PROXY_PORT, PROXY_PORT, [1, 65_535]),
    statusPort: statusPort || METRICS_PORT,
    readiness:
      statusPort === 0
        ? undefined
        : {
            initialDelaySeconds: number(`${READINESS}initialDelaySeconds`, 0),
            periodSeconds: number(`${READINESS}periodSeconds`, 15, [1, 86_400]),
            failureThreshold: number(`${READINESS}failureThreshold`, 4, [1, 86_400]),
          },
    excluded,
    volumes: named('userVolume'),
    volumeMounts: named('userVolumeMount'),
    notes,
  };
  const [first] = wrong;
  return first === undefined ? wishes : { wrong: { text: wrong.map(({ text }) => text).join('; '), at: first.at } };
}

/** As with Istio: one annotation about resources takes the place of all defaults. */
function resourcesOf(wanted: { requests: Amounts; limits: Amounts; otherwise: Resources }): Resources {
  const requests = given(wanted.requests);
  const limits = given(wanted.limits);
  if (requests === undefined && limits === undefined) return wanted.otherwise;
  return { ...(requests === undefined ? {} : { requests }), ...(limits === undefined ? {} : { limits }) };
}

type Amounts = Record<string, string | undefined>;

function given(amounts: Amounts): Record<string, string> | undefined {
  const said = Object.entries(amounts).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return said.length === 0 ? undefined : Object.fromEntries(said);
}

/** Istio's have scopes: `default:debug,ads:info`; ours has none. undefined: nothing is said. null: none of ours. */
function levelOf(typed: string | undefined): InjectSettings['logLevel'] | undefined | null {
  if (typed === undefined) return undefined;
  const parts = typed.split(',').map((part) => part.trim());
  const chosen = parts.find((part) => part.startsWith('default:') || part.startsWith('all:')) ?? parts[0] ?? '';
  const level = chosen.slice(chosen.indexOf(':') + 1);
  const known: Record<string, InjectSettings['logLevel']> = {
    debug: 'debug',
    info: 'info',
    warn: 'warning',
    warning: 'warning',
    error: 'error',
  };
  return Object.hasOwn(known, level) ? known[level] : null;
}

function parsed(text: string): Record<string, Record<string, unknown>> | undefined {
  const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
  try {
    const value: unknown = JSON.parse(text);
    return isMap(value) && Object.values(value).every(isMap) ? (value as Record<string, Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
