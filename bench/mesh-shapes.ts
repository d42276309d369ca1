/** Meshes of many services in one file, as `push` measures them. */

/** What a mesh is made of. */
export interface MeshShape {
  name: string;
  /** For the heading of the figures. */
  what: string;
  /** The documents of service `i`. */
  service(i: number): string;
}

const nameOf = (i: number): string => `svc-${i}`;
const namespaceOf = (i: number): string => `ns-${i % 50}`;
const hostOf = (i: number): string => `${nameOf(i)}.${namespaceOf(i)}.svc.cluster.local`;

function plainService(i: number): string {
  const [name, namespace] = [nameOf(i), namespaceOf(i)];
  const endpoint = (n: number): string =>
    `{ addresses: [10.${(i >> 8) & 255}.${i & 255}.${n}], conditions: { ready: true }, targetRef: { kind: Pod, name: ${name}-${n}, namespace: ${namespace} } }`;
  return `---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${name} } }
spec:
  selector: { app: ${name} }
  ports:
    - name: http
      port: 80
      targetPort: 8080
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-a, namespace: ${namespace}, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: http, port: 8080 }]
endpoints: [${endpoint(1)}, ${endpoint(2)}]
`;
}

function subsets(i: number): string {
  return `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${nameOf(i)}, namespace: ${namespaceOf(i)} }
spec:
  host: ${hostOf(i)}
  trafficPolicy:
    connectionPool: { http: { http1MaxPendingRequests: 100 }, tcp: { maxConnections: 100 } }
    outlierDetection: { consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 30s }
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
`;
}

function canary(i: number): string {
  const name = nameOf(i);
  return `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: ${namespaceOf(i)} }
spec:
  hosts: [${hostOf(i)}]
  http:
    - route:
        - { destination: { host: ${name}, subset: v1 }, weight: 90 }
        - { destination: { host: ${name}, subset: v2 }, weight: 10 }
`;
}

function threeRoutes(i: number): string {
  const name = nameOf(i);
  return `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: ${namespaceOf(i)} }
spec:
  hosts: [${hostOf(i)}]
  http:
    - name: canary
      match:
        - headers: { x-canary: { exact: "yes" } }
          uri: { prefix: /api/v1 }
      route: [{ destination: { host: ${name}, subset: v2 } }]
      timeout: 5s
      retries: { attempts: 3, perTryTimeout: 2s, retryOn: "5xx,connect-failure" }
    - name: admin
      match: [{ uri: { regex: "/admin/[a-z]+" } }]
      rewrite: { uri: /internal }
      route: [{ destination: { host: ${name}, subset: v1 } }]
    - name: default
      route:
        - { destination: { host: ${name}, subset: v1 }, weight: 90 }
        - { destination: { host: ${name}, subset: v2 }, weight: 10 }
`;
}

export const MESH_SHAPES: readonly MeshShape[] = [
  {
    name: 'plain',
    what: 'of one HTTP port and two endpoints, every tenth with a VirtualService and a DestinationRule of two subsets',
    service: (i) => (i % 10 === 0 ? plainService(i) + canary(i) + subsets(i) : plainService(i)),
  },
  {
    name: 'heavy',
    what: 'of one HTTP port and two endpoints, each with a VirtualService of three routes and a DestinationRule of two subsets',
    service: (i) => plainService(i) + threeRoutes(i) + subsets(i),
  },
];
