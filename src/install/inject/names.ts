/** Names that an injected pod has. Labels and annotations are Istio's where they mean the same. https://istio.io/latest/docs/reference/config/annotations/ */

/** As with Istio, so that tools and habits find it. */
export const PROXY_CONTAINER = 'istio-proxy';
/** It has the pod's connections redirected. */
export const INIT_CONTAINER = 'istio-init';

export const INJECT = 'sidecar.istio.io/inject';
export const INJECTION = 'istio-injection';
export const REVISION = 'istio.io/rev';
/** Of webhook configurations of revision tags. */
export const TAG = 'istio.io/tag';
export const STATUS = 'sidecar.istio.io/status';
export const INTERCEPTION_MODE = 'sidecar.istio.io/interceptionMode';
export const NATIVE_SIDECAR = 'sidecar.istio.io/nativeSidecar';
export const TEMPLATES = 'inject.istio.io/templates';
export const STATUS_PORT = 'status.sidecar.istio.io/port';
export const EXCLUDED_RANGES = 'traffic.sidecar.istio.io/excludeOutboundIPRanges';
/** The model reads it: where the explicit proxy of a workload listens. */
export const HTTP_PROXY_PORT = 'fairlead.dev/http-proxy-port';
/** PEM: what the CA must be under when the pod asks it for the first time. */
export const CA_ROOTS = 'fairlead.dev/ca-roots';
/** Who reads the mesh for the sidecar: `node` or `pod`. */
export const AGENT = 'fairlead.dev/agent';
export const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

export const API_PORT = 15000;
export const PROXY_PORT = 15001;
export const METRICS_PORT = 15020;

/** Namespaces of the cluster's own, as with Istio. */
export const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']);
