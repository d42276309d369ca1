import type { RawHeaders } from '../types.ts';
import { reasonPhrase } from './reason-phrase.ts';

/** An HTTP/1.1 answer's head as text, one character a byte. */
export function messageHead(status: number, headers: RawHeaders): string {
  let text = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
