/**
 * envoy.service.auth.v3.CheckRequest in protobuf's wire format. The numbers are those of envoy/service/auth/v3/attribute_context.proto.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { PeerCertificate } from '../../../../src/routing/peer-certificate.ts';
import type { ConnectionInfo } from '../../listener/connection.ts';
import { writeStruct } from './struct.ts';

/** What is asked about a request. */
export interface CheckedRequest {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly scheme: string;
  readonly protocol: string;
  /** So many bytes of the body have come. */
  readonly size: number;
  /** Joined, by lower-case name, pseudo headers among them. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer | undefined;
  readonly bodyAsBytes: boolean;
}

export interface CheckOptions {
  readonly includeCertificate: boolean;
  readonly includeTlsSession: boolean;
  /** Dynamic metadata by filter name. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

function message(writer: BinaryWriter, no: number, write: () => void): void {
  writer.tag(no, WireType.LengthDelimited).fork();
  write();
  writer.join();
}

/** Empty texts are left out, as protobuf does. */
function text(writer: BinaryWriter, no: number, value: string): void {
  if (value !== '') writer.tag(no, WireType.LengthDelimited).string(value);
}

/** One question; without a request it is about a TCP connection. */
export function encodeCheckRequest(info: ConnectionInfo, request: CheckedRequest | undefined, options: CheckOptions): Uint8Array {
  const w = new BinaryWriter();
  message(w, 1, () => {
    const { tls } = info;
    const service = request?.headers.get('x-envoy-downstream-service-cluster') ?? '';
    message(w, 1, () => writePeer(w, info.remoteIp, info.remotePort, service, tls?.peer, options.includeCertificate));
    message(w, 2, () => writePeer(w, info.localIp, info.localPort, '', tls?.local, false));
    if (request !== undefined) message(w, 4, () => writeRequest(w, request));
    // Envoy: metadata of the connection or request, and of a route, are there when nothing is in them, too.
    message(w, 11, () => {
      for (const [filter, struct] of Object.entries(options.metadata)) {
        message(w, 1, () => {
          text(w, 1, filter);
          message(w, 2, () => writeStruct(w, struct as Record<string, unknown>));
        });
      }
    });
    if (options.includeTlsSession && tls !== undefined) message(w, 12, () => text(w, 1, tls.sni));
    if (request !== undefined) message(w, 13, () => undefined);
  });
  return w.finish();
}

function writePeer(
  w: BinaryWriter,
  ip: string,
  port: number,
  service: string,
  peer: PeerCertificate | undefined,
  certificate: boolean,
): void {
  message(w, 1, () => {
    if (ip.startsWith('/')) message(w, 2, () => text(w, 1, ip));
    else
      message(w, 1, () => {
        text(w, 2, ip);
        w.tag(3, WireType.Varint).uint32(port);
      });
  });
  text(w, 2, service);
  if (peer === undefined) return;
  text(w, 4, peer.uriSans[0] ?? peer.dnsSans[0] ?? peer.subject);
  if (certificate) text(w, 5, peer.pem ?? '');
}

function writeRequest(w: BinaryWriter, request: CheckedRequest): void {
  message(w, 1, () => {
    w.tag(1, WireType.Varint).int64(Math.floor(request.startTime / 1000));
    w.tag(2, WireType.Varint).int32((request.startTime % 1000) * 1_000_000);
  });
  message(w, 2, () => {
    text(w, 1, request.id);
    text(w, 2, request.method);
    for (const [name, value] of request.headers)
      message(w, 3, () => {
        text(w, 1, name);
        text(w, 2, printable(value));
      });
    text(w, 4, printable(request.path));
    text(w, 5, printable(request.host));
    text(w, 6, request.scheme);
    if (request.size !== 0) w.tag(9, WireType.Varint).int64(request.size);
    text(w, 10, request.protocol);
    const { body } = request;
    if (body === undefined || body.length === 0) return;
    if (request.bodyAsBytes) w.tag(12, WireType.LengthDelimited).bytes(body);
    else text(w, 11, printable(body.toString('latin1')));
  });
}

/** Bytes as the text that protobuf wants. Envoy: what is no UTF-8 becomes `!`. */
function printable(wire: string): string {
  return Buffer.from(wire, 'latin1').toString('utf8').replaceAll('\uFFFD', '!');
}
