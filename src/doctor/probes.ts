/** What checks ask. Answers are facts: judging them is the checks' own business. Any of them may throw a FairleadError. */

export interface FileFacts {
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly socket: boolean;
  readonly mine: boolean;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

export interface DirectoryFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly mode: number;
  readonly mine: boolean;
  /** Why nothing can be written there; undefined when a file could be. Of a directory that is not there: of the one it would be made in. */
  readonly unwritable: string | undefined;
  /** Bytes; undefined where the file system does not say. */
  readonly free: number | undefined;
  readonly files: readonly FileFacts[];
}

export interface ClockFacts {
  readonly now: number;
  /** When this program was made: no clock is before it. */
  readonly built: number;
  /** How much the wall clock moved while `elapsed` milliseconds went by. */
  readonly moved: number;
  readonly elapsed: number;
}

export interface ProblemFacts {
  readonly severity: 'error' | 'warning';
  readonly rule: string;
  readonly message: string;
  readonly position?: { readonly file: string; readonly line: number; readonly column: number } | undefined;
}

export interface ProxyFacts {
  /** `web.default`. */
  readonly name: string;
  readonly type: 'sidecar' | 'router';
  readonly sync: string;
  readonly problems: readonly ProblemFacts[];
  readonly listening: readonly { readonly address: string; readonly purpose: string }[];
  readonly resources: { readonly listeners: number; readonly routes: number; readonly clusters: number; readonly endpoints: number };
}

export interface StatusFacts {
  readonly version: string;
  readonly pid: number;
  readonly engine: {
    readonly engine: string;
    readonly engineVersion: string;
    readonly state: string;
    readonly since: number;
    readonly restarts: number;
    readonly lastExit: string | undefined;
  };
  readonly config: {
    readonly state: string;
    readonly files: number;
    readonly resources: number;
    readonly problems: readonly ProblemFacts[];
  };
  readonly proxies: readonly ProxyFacts[];
  /** Missing from agents of earlier versions. */
  readonly identity?: {
    readonly certificates: readonly {
      readonly identity: string;
      readonly state: string;
      readonly serial: string | undefined;
      readonly notAfter: string | undefined;
      readonly lastError: { readonly message: string } | undefined;
      readonly proxies: readonly string[];
    }[];
    readonly problems: readonly SecretFacts[];
  };
}

export interface HostFacts {
  /** `10.0.0.1:80`, or `unix:PATH`. */
  readonly address: string;
  readonly healthy: boolean;
  /** Why not: `UNHEALTHY`, `ejected`. */
  readonly why: string;
}

export interface ClusterFacts {
  readonly proxy: string;
  readonly name: string;
  readonly hosts: readonly HostFacts[];
}

export interface CertificateFacts {
  readonly proxy: string;
  readonly name: string;
  /** Milliseconds since 1970; undefined: it was never issued. */
  readonly notAfter: number | undefined;
  /** Of a certificate that the agent renews by itself: how that goes. */
  readonly renewal?: { readonly state: string; readonly why: string | undefined };
}

/** A secret that a proxy asks for and that is not as it should be. */
export interface SecretFacts {
  readonly proxy: string;
  readonly name: string;
  readonly message: string;
  /** An older one serves meanwhile. */
  readonly serves: boolean;
}

/** Of a running mesh. */
export interface MeshProbes {
  dataDirectory(): Promise<DirectoryFacts>;
  clock(): Promise<ClockFacts>;
  /** The version of this command line. */
  readonly version: string;
  /** Where the agent is asked for. */
  readonly agent: string;
  status(): Promise<StatusFacts>;
  /** `LIVE`, or what else the proxy says of itself; throws when it does not answer. */
  ready(proxy: string): Promise<string>;
  certificates(): Promise<readonly CertificateFacts[]>;
  clusters(): Promise<readonly ClusterFacts[]>;
  /** Why nobody can connect; undefined when somebody can. */
  connect(address: string): Promise<string | undefined>;
  /** How many series the agent's metrics have. */
  metrics(): Promise<number>;
  accessLogs(): Promise<readonly { readonly path: string; readonly unwritable: string | undefined }[]>;
}

/** Of a machine before anything is installed. */
export interface MachineProbes {
  dataDirectory(): Promise<DirectoryFacts>;
  clock(): Promise<ClockFacts>;
  node(): Promise<{ readonly version: string; readonly wanted: number }>;
  /** Why a port cannot be had; undefined when it is free. */
  port(port: number): Promise<string | undefined>;
  envoy(): Promise<{ readonly path: string; readonly version: string; readonly why: string } | undefined>;
  /** How many files a process may have open; undefined where that is not known or not limited. */
  openFiles(): Promise<number | undefined>;
}

/** Of the container that is a pod's proxy. */
export interface PodProxyFacts {
  /** `NAMESPACE/NAME`. */
  readonly name: string;
  readonly phase: string;
  readonly reason: string | undefined;
  readonly ready: boolean;
  readonly node: string | undefined;
  readonly containers: readonly string[];
  /** undefined: no container of the pod is a proxy. */
  readonly proxy:
    | { readonly container: string; readonly ready: boolean; readonly restarts: number; readonly state: string | undefined }
    | undefined;
}

/** What the proxy of a pod says of itself. */
export interface RemoteProxyFacts {
  readonly kind: 'fairlead' | 'envoy';
  readonly version: string;
  readonly state: string;
  readonly controlPlane: string | undefined;
  readonly sync: string;
  /** Milliseconds since 1970. */
  readonly since: number | undefined;
  readonly problems: readonly { readonly message: string }[];
}

/** Of the proxy of a pod, asked from outside. */
export interface PodProbes {
  pod(): Promise<PodProxyFacts>;
  facts(): Promise<RemoteProxyFacts>;
  /** `LIVE`, or what else the proxy says. */
  ready(): Promise<string>;
  certificates(): Promise<readonly CertificateFacts[]>;
  /** Names of listeners, and where they listen. */
  listeners(): Promise<readonly string[]>;
  clusters(): Promise<readonly ClusterFacts[]>;
  /** Milliseconds since 1970. */
  now(): number;
}
