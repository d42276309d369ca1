import type { Message } from './message.ts';

const route = (host: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts:
    - reviews
  http:
    - route:
        - destination:
            host: ${host}
---
apiVersion: v1
kind: Service
metadata:
  name: reviews
spec:
  selector:
    app: reviews
  ports:
    - name: http
      port: 9080
`;

/** References to what is not there. */
export const references: readonly Message[] = [
  {
    code: 'IST0101',
    name: 'ReferencedResourceNotFound',
    level: 'Error',
    args: ['reftype: string', 'refval: string'],
    template: 'the {reftype} "{refval}" is not found',
    summary: 'Something that is named (a host, port, subset, gateway, Secret, namespace or label) is not there.',
    effect:
      'Requests to a host or subset that is not there are answered 503; a Gateway or policy that names what is not there does nothing.',
    hint: 'Is it misspelt, in another namespace, or not exported to this one?',
    wrong: route('revews'),
    right: route('reviews'),
  },
];
