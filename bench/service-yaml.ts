/** The objects of one service, as YAML documents: what a mid-sized team deploys. */
export function serviceYaml(i: number): string {
  const name = `svc-${i}`;
  const namespace = `ns-${i % 50}`;
  return `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${namespace}
  labels:
    app: ${name}
    version: v1
spec:
  replicas: 2
  selector:
    matchLabels:
      app: ${name}
      version: v1
  template:
    metadata:
      labels:
        app: ${name}
        version: v1
      annotations:
        sidecar.istio.io/inject: "true"
    spec:
      serviceAccountName: ${name}
      containers:
        - name: app
          image: registry.example.com/shop/${name}:1.4.${i % 10}
          ports:
            - containerPort: 8080
              name: http
          env:
            - name: LOG_LEVEL
              value: info
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${namespace}
  labels:
    app: ${name}
spec:
  selector:
    app: ${name}
  ports:
    - name: http
      port: 80
      targetPort: 8080
    - name: grpc
      port: 9090
      targetPort: 9090
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  hosts:
    - ${name}.${namespace}.svc.cluster.local
  http:
    - name: canary
      match:
        - headers:
            x-canary:
              exact: "yes"
          uri:
            prefix: /api/v1
      route:
        - destination:
            host: ${name}
            subset: v2
      timeout: 5s
      retries:
        attempts: 3
        perTryTimeout: 2s
        retryOn: 5xx,connect-failure
    - name: admin
      match:
        - uri:
            regex: "/admin/[a-z]+"
      rewrite:
        uri: /internal
      route:
        - destination:
            host: ${name}
            subset: v1
            port:
              number: 9090
    - name: default
      route:
        - destination:
            host: ${name}
            subset: v1
          weight: 90
        - destination:
            host: ${name}
            subset: v2
          weight: 10
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  host: ${name}.${namespace}.svc.cluster.local
  trafficPolicy:
    connectionPool:
      http:
        http1MaxPendingRequests: 100
      tcp:
        maxConnections: 100
    outlierDetection:
      consecutive5xxErrors: 5
      interval: 10s
      baseEjectionTime: 30s
  subsets:
    - name: v1
      labels:
        version: v1
    - name: v2
      labels:
        version: v2
`;
}

/** Two endpoints of a service. */
export function sliceYaml(i: number): string {
  const endpoint = (n: number): string => `{ addresses: [10.${(i >> 8) & 255}.${i & 255}.${n}], conditions: { ready: true } }`;
  return `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: svc-${i}-a, namespace: ns-${i % 50}, labels: { kubernetes.io/service-name: svc-${i} } }
addressType: IPv4
ports: [{ name: http, port: 8080 }, { name: grpc, port: 9090 }]
endpoints: [${endpoint(1)}, ${endpoint(2)}]
`;
}
