import type { Static } from 'typebox';
import { choice, int32, integer, list, message, string, strings } from '../schema.ts';

const count = { minimum: 0 };
const portRange = { minimum: 1, maximum: 65535 };

export const HTTPHealthCheckConfig = message(
  'Sends a request; 200 to 399 is healthy.',
  {
    path: string('Path of the request. Default: `/`.'),
    port: integer('Port of the request.', portRange),
    host: string('Host to connect to. Default: the workload itself.'),
    scheme: choice(['', 'HTTP', 'HTTPS'], '`HTTP` (the default) or `HTTPS`.'),
    httpHeaders: list(
      message('A header of the request.', { name: string('Its name.', { pattern: '^[-_A-Za-z0-9]+$' }), value: string('Its value.') }),
      'Headers of the request.',
    ),
  },
  { required: ['port'] },
);

export const ReadinessProbe = message(
  'How the agent finds out whether a workload is healthy. Only healthy ones get requests.',
  {
    initialDelaySeconds: int32('Seconds from the start of the workload to the first check. Default: 0.', count),
    timeoutSeconds: int32('Seconds that a check may take. Default: 1.', count),
    periodSeconds: int32('Seconds between checks. Default: 10.', count),
    successThreshold: int32('Successes in a row after which a failed workload is healthy again. Default: 1.', count),
    failureThreshold: int32('Failures in a row after which the workload is unhealthy. Default: 3.', count),
    httpGet: HTTPHealthCheckConfig,
    tcpSocket: message(
      'Connects; a connection that comes about is healthy.',
      { host: string('Host to connect to. Default: the workload itself.'), port: integer('Port to connect to.', portRange) },
      { required: ['port'] },
    ),
    exec: message(
      'Runs a command; exit code 0 is healthy.',
      { command: strings('The command and its arguments; no shell.', { items: { minLength: 1 } }) },
      { required: ['command'] },
    ),
    grpc: message('Asks the gRPC health service.', {
      port: integer('Port of the service.', portRange),
      service: string('Name to ask for. Default: the server as a whole.'),
    }),
  },
  { oneOf: [['httpGet', 'tcpSocket', 'exec', 'grpc']] },
);

export type ReadinessProbe = Static<typeof ReadinessProbe>;
