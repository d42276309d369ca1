/** What an injector needs to know besides the pod. */
export interface InjectSettings {
  /** Empty for the installation that has none. */
  revision: string;
  image: string;
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never' | undefined;
  imagePullSecrets: readonly string[];
  /** Where Fairlead is installed: the ConfigMap `istio` with the MeshConfig is there. */
  namespace: string;
  ca: {
    /** `HOST:PORT` */
    address: string;
    /** PEM; empty: they are not known. */
    roots: string;
    /** What tokens of service accounts must be meant for. */
    audience: string;
  };
  /** Who reads the mesh for sidecars, unless a pod says otherwise or Pod Security forbids it. */
  agent: 'node' | 'pod';
  /** Of the node: where its agent has the socket. */
  agentFolder: string;
  /** Whose service accounts may read the mesh, `*` for all; undefined: it is not known. */
  namespaces: readonly string[] | undefined;
  engine: 'auto' | 'envoy' | 'embedded';
  /** An init container that stays (Kubernetes 1.29), in place of a container among the others. */
  nativeSidecar: boolean;
  /** redirect: connections of pods are redirected to their sidecars, unless a pod says otherwise. */
  capture: 'none' | 'redirect';
  resources: Resources;
  logFormat: 'text' | 'json';
  logLevel: 'debug' | 'info' | 'warning' | 'error';
}

export interface Resources {
  requests?: Record<string, string>;
  limits?: Record<string, string>;
}

/** As Istio's: enough for a small service, and room for a busy one. */
export const SIDECAR_RESOURCES: Resources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '2000m', memory: '1024Mi' } };
