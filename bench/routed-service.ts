/** Configuration for benches of routing. */

/** One service with a workload, and a VirtualService of so many routes. */
export function serviceYaml(index: number, routes: number): string {
  const name = `service-${index}`;
  const rules = Array.from({ length: routes }, (_, r) => {
    const match = r === routes - 1 ? '' : `\n    match: [{ uri: { prefix: /v${r} }, headers: { x-user: { exact: user-${r} } } }]`;
    return `  - name: route-${r}${match}
    route: [{ destination: { host: ${name}, subset: v1 }, weight: 90 }, { destination: { host: ${name}, subset: v2 }, weight: 10 }]
    timeout: 5s
    retries: { attempts: 2, perTryTimeout: 1s, retryOn: 5xx }
`;
  }).join('');
  return `---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${name}-v1 }
spec: { address: 10.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}, labels: { app: ${name}, version: v1 } }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${name}-v2 }
spec: { address: 10.${101 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}, labels: { app: ${name}, version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name} }
spec: { host: ${name}, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name} }
spec:
  hosts: [${name}]
  http:
${rules}`;
}
