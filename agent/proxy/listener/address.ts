import type { ListenOptions } from 'node:net';
import type { AddressJson } from '#envoy-api/envoy/config/core/v3/address_pb.js';
import type { ProblemList } from '../../../src/routing/problems.ts';
import { formatAddress } from './connection.ts';

/** Where a listener binds. */
export interface ListenAddress {
  /** `0.0.0.0:8080`, `[::]:8080` or a path; equal text is the same socket. */
  readonly text: string;
  /** Empty for a path. */
  readonly ip: string;
  readonly port: number;
  readonly options: ListenOptions;
}

/** Reads a listener's address: TCP on an IP, or a pipe. */
export function readAddress(json: AddressJson | undefined, problems: ProblemList): ListenAddress | undefined {
  const { socketAddress, pipe } = json ?? {};
  if (pipe?.path !== undefined) return { text: pipe.path, ip: '', port: 0, options: { path: pipe.path } };
  if (socketAddress === undefined) {
    problems.invalid('address', 'a socketAddress or a pipe is required');
    return undefined;
  }
  if (socketAddress.protocol === 'UDP') problems.unsupported('address.socketAddress.protocol', 'there is no UDP');
  if (socketAddress.portValue === undefined) {
    problems.unsupported('address.socketAddress.namedPort', 'ports are numbers');
    return undefined;
  }
  const ip = socketAddress.address ?? '';
  const port = socketAddress.portValue;
  // Envoy: an IPv6 listener takes IPv4 too only when told so.
  const options: ListenOptions = { host: ip, port, ipv6Only: ip.includes(':') && socketAddress.ipv4Compat !== true };
  return { text: formatAddress(ip, port), ip, port, options };
}
