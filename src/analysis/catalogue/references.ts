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

/** By the sort of reference, which istioctl's users know by these names. */
function said(reftype: string, refval: string): string {
  const [host, subset] = refval.split('+');
  switch (reftype) {
    case 'host+subset in destinationrule':
      return `the host "${host}" has no subset "${subset}" in a DestinationRule`;
    case 'mirror+subset in destinationrule':
      return `the mirror host "${host}" has no subset "${subset}" in a DestinationRule`;
    case 'host:port':
      return `the host "${refval.slice(0, refval.lastIndexOf(':'))}" has no port ${refval.slice(refval.lastIndexOf(':') + 1)}`;
    case 'selector':
      return refval === '' ? 'no workload is there to be selected' : `no workload carries the labels ${refval}`;
    case 'credentialName':
      return `the Secret "${refval}" is not found in the namespace of the gateway's workloads`;
    default:
      return `the ${reftype} "${refval}" is not found`;
  }
}

/** References to what is not there. */
export const references: readonly Message[] = [
  {
    code: 'IST0101',
    name: 'ReferencedResourceNotFound',
    level: 'Error',
    args: ['reftype: string', 'refval: string'],
    template: '{reftype} {refval} is not found',
    text: (args) => said(String(args['reftype']), String(args['refval'])),
    summary: 'Something that is named (a host, port, subset, gateway, Secret, namespace or label) is not there.',
    effect:
      'Requests to a host or subset that is not there are answered 503; a Gateway or policy that names what is not there does nothing.',
    hint: 'Is it misspelt, in another namespace, or not exported to this one?',
    wrong: route('revews'),
    right: route('reviews'),
  },
];
