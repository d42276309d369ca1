/** AdmissionReview in, AdmissionReview out. https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response */
import type { Kind } from '../../src/config/kinds/kind.ts';
import { parseFiles } from '../../src/config/parse-config.ts';
import type { Problem } from '../../src/errors.ts';
import { injectPod } from '../../src/install/inject/inject-pod.ts';
import { jsonPatch } from '../../src/install/inject/json-patch.ts';
import type { PodJson } from '../../src/install/inject/pod.ts';
import type { InjectSettings } from '../../src/install/inject/settings.ts';
import { objectMaker } from '../../src/kubernetes/cluster-source.ts';

export interface AdmissionRequest {
  uid: string;
  kind: { group: string; version: string; kind: string };
  namespace?: string;
  name?: string;
  operation: string;
  object: Record<string, unknown>;
  oldObject?: Record<string, unknown>;
}

export interface AdmissionResponse {
  uid: string;
  allowed: boolean;
  patchType?: 'JSONPatch';
  /** base64 */
  patch?: string;
  warnings?: string[];
  status?: { status: 'Failure'; code: number; reason: string; message: string };
}

/** Says what is wrong with it when it is no AdmissionReview that can be answered. */
export function readReview(value: unknown): AdmissionRequest | { wrong: string } {
  const { apiVersion, kind, request } = asMap(value);
  if (kind !== 'AdmissionReview' || apiVersion !== 'admission.k8s.io/v1')
    return { wrong: 'an AdmissionReview of admission.k8s.io/v1 is expected' };
  const { uid, kind: of, namespace, name, operation, object, oldObject } = asMap(request);
  const { group, version, kind: named } = asMap(of);
  if (typeof uid !== 'string' || uid === '') return { wrong: 'its request has no uid' };
  if (typeof group !== 'string' || typeof version !== 'string' || typeof named !== 'string') return { wrong: 'its request has no kind' };
  if (!isMap(object)) return { wrong: 'its request has no object' };
  return {
    uid,
    kind: { group, version, kind: named },
    ...(typeof namespace === 'string' ? { namespace } : {}),
    ...(typeof name === 'string' ? { name } : {}),
    operation: String(operation),
    object,
    ...(isMap(oldObject) ? { oldObject } : {}),
  };
}

/**
 * Gives a pod its sidecar. Never refuses: a pod that cannot have one runs without, and its author is warned.
 *
 * @param strict whether Pod Security of the namespace forbids folders of the node
 */
export function answerInjection(
  { uid, kind, namespace = 'default', object }: AdmissionRequest,
  settings: InjectSettings,
  strict: boolean,
): AdmissionResponse {
  if (kind.group !== '' || kind.kind !== 'Pod') return { uid, allowed: true };
  const outcome = injectPod(object as PodJson, { namespace, strict }, settings);
  if (!outcome.injected) return { uid, allowed: true, ...warnings(outcome.wrong ? [`it gets no sidecar: ${outcome.why}`] : []) };
  const patch = Buffer.from(JSON.stringify(jsonPatch(object, outcome.pod))).toString('base64');
  return { uid, allowed: true, patchType: 'JSONPatch', patch, ...warnings(outcome.notes.map(({ text }) => text)) };
}

/**
 * Holds an object of Istio's kinds against its schema and the rules that need it alone. What was wrong before is not held against a change, and
 * an object that is to go can go.
 */
export async function answerValidation(request: AdmissionRequest, kinds: readonly Kind[]): Promise<AdmissionResponse> {
  const { uid, kind: of, namespace = 'default', object, oldObject } = request;
  const kind = kinds.find((k) => k.group === of.group && k.kind === of.kind && k.versions.includes(of.version));
  if (kind === undefined || asMap(object['metadata'])['deletionTimestamp']) return { uid, allowed: true };
  const problemsOf = async (value: Record<string, unknown>): Promise<readonly Problem[]> => {
    const named = {
      ...value,
      metadata: { ...asMap(value['metadata']), name: asMap(value['metadata'])['name'] ?? request.name ?? 'generated' },
    };
    const made = objectMaker({ kind, version: of.version }, 'webhook')(structuredClone(named));
    return (await parseFiles([], { namespace }, [], new Map(), [made])).problems;
  };
  const problems = await problemsOf(object);
  const known = new Set(oldObject === undefined || problems.length === 0 ? [] : (await problemsOf(oldObject)).map(identity));
  const errors = problems.filter((p) => p.severity === 'error' && !known.has(identity(p)));
  const rest = problems.filter((p) => !errors.includes(p)).map(sentence);
  if (errors.length === 0) return { uid, allowed: true, ...warnings(rest) };
  const name = asMap(object['metadata'])['name'] ?? request.name ?? '';
  const message = `${of.kind} ${namespace}/${String(name)} is not valid: ${errors.map(sentence).join('; ')}`;
  return { uid, allowed: false, status: { status: 'Failure', code: 422, reason: 'Invalid', message }, ...warnings(rest) };
}

const identity = ({ rule, path, message }: Problem): string => JSON.stringify([rule, path, message]);
const sentence = ({ path, message, hint }: Problem): string => `${path ? `${path}: ` : ''}${message}${hint ? ` (${hint})` : ''}`;

/** Longer ones are cut by some clients, and all together by the API server. */
const LONGEST_WARNING = 256;
const MOST_WARNINGS = 10;

function warnings(texts: readonly string[]): { warnings?: string[] } {
  if (texts.length === 0) return {};
  const cut = (text: string): string => (text.length > LONGEST_WARNING ? `${text.slice(0, LONGEST_WARNING - 1)}…` : text);
  return { warnings: texts.slice(0, MOST_WARNINGS).map((text) => cut(`fairlead: ${text}`)) };
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const asMap = (value: unknown): Record<string, unknown> => (isMap(value) ? value : {});
