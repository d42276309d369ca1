import { STATUS_CODES } from 'node:http';

/** RFC 9112 4: a phrase for people; `Unknown` where there is none. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown';
}
