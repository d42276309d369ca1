import type { HttpConnection } from '../http/http-connection.ts';
import { serveHttp1 } from '../http/http1-server.ts';
import { serveHttp2 } from '../http/http2-connection.ts';
import { startsWithPreface } from './http-inspector.ts';
import { peek } from './peek.ts';

/** Envoy: whatever ALPN chose but h2 is HTTP/1. */
function alpn(protocol: string | undefined): string | undefined {
  return protocol === undefined ? undefined : protocol === 'h2' ? 'h2c' : 'http/1.1';
}

/** Gives a connection to its codec; AUTO waits for the first bytes and looks at them. */
export function serveHttp(connection: HttpConnection): void {
  const { codec } = connection.manager.settings;
  const { socket, info } = connection;
  // Of TLS only the protocol that was chosen counts, not those that the client would speak.
  const known = info.tls === undefined ? info.applicationProtocols[0] : alpn(info.tls.protocol);
  if (codec === 'HTTP2' || (codec === 'AUTO' && known === 'h2c')) {
    serveHttp2(connection);
    return;
  }
  if (codec === 'HTTP1' || known === 'http/1.1' || known === 'http/1.0') {
    serveHttp1(connection);
    return;
  }
  let http2 = false;
  const gone = (): void => {
    socket.destroy();
  };
  peek(
    socket,
    (bytes) => {
      const preface = startsWithPreface(bytes);
      http2 = preface === true;
      return preface === undefined ? 'more' : 0;
    },
    connection.manager.settings.idleTimeout,
    () => (http2 ? serveHttp2(connection) : serveHttp1(connection)),
    gone,
    gone,
  );
}
