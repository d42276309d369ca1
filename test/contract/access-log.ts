/** Access logs as a case reads them: both engines write Istio's file log, as JSON lines of these fields. */
import { openSync, readSync } from 'node:fs';

/** Operators of Envoy's access log, by the names that cases use. */
export const LOG_FORMAT: Readonly<Record<string, string>> = {
  status: '%RESPONSE_CODE%',
  flags: '%RESPONSE_FLAGS%',
  details: '%RESPONSE_CODE_DETAILS%',
  termination: '%CONNECTION_TERMINATION_DETAILS%',
  cluster: '%UPSTREAM_CLUSTER_RAW%',
  host: '%UPSTREAM_HOST%',
  route: '%ROUTE_NAME%',
  attempts: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  protocol: '%PROTOCOL%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  authority: '%REQ(:AUTHORITY)%',
  received: '%BYTES_RECEIVED%',
  sent: '%BYTES_SENT%',
  grpcStatus: '%GRPC_STATUS_NUMBER%',
  sni: '%REQUESTED_SERVER_NAME%',
  listener: '%DOWNSTREAM_LOCAL_PORT%',
};

export type LogRecord = Readonly<Record<string, string | number | null>>;

export interface LogReader {
  /** Forgets what is there. */
  skip(): void;
  /** What came since `skip`. */
  read(): readonly LogRecord[];
}

export function logReader(file: string): LogReader {
  const fd = openSync(file, 'a+');
  let position = 0;
  let text = '';
  const buffer = Buffer.alloc(1 << 16);
  const pull = (): void => {
    for (let n = readSync(fd, buffer, 0, buffer.length, position); n > 0; n = readSync(fd, buffer, 0, buffer.length, position)) {
      position += n;
      text += buffer.toString('latin1', 0, n);
    }
  };
  return {
    skip() {
      pull();
      text = '';
    },
    read() {
      pull();
      const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
      return lines.filter((l) => l.startsWith('{')).map((l) => JSON.parse(l) as LogRecord);
    },
  };
}
