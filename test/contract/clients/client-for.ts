import type { RequestStep } from '../case.ts';
import { bytesClient } from './bytes.ts';
import { h2cClient } from './h2c.ts';
import { http1Client } from './http1.ts';
import type { Client } from './types.ts';

/** The client that speaks a step's protocol. */
export function clientFor({ protocol = 'http/1.1', concurrent = 1 }: RequestStep): Client {
  switch (protocol) {
    case 'http/1.1':
      return http1Client(concurrent);
    case 'h2c':
    case 'h2':
      return h2cClient('plain');
    case 'grpc':
    case 'grpc-stream':
      return h2cClient(protocol);
    default:
      return bytesClient(protocol);
  }
}
