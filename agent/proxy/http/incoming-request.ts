import { IncomingMessage } from 'node:http';
import type { RawHeaders } from '../types.ts';

/** What node:http itself asks of `headers`: whether there is a body, and whether the client waits for 100 Continue. */
const PLAIN = Object.freeze({});
const BODY = Object.freeze({ 'content-length': '1' });
const EXPECT = Object.freeze({ 'content-length': '1', expect: '100-continue' });

/**
 * A request whose header list is read once, into the flat form that routing takes. node:http would make an object of all headers
 * for each request; it gets one of three fixed ones instead.
 */
export class IncomingRequest extends IncomingMessage {
  /** Flat, lower-case names, without `host`. */
  head: RawHeaders | undefined;
  host: string | undefined;
  hosts = 0;
  hasBody = false;
  expectsContinue = false;
  upgradeType: string | undefined;

  /** Reads the header list; costs nothing the second time. */
  readHead(): RawHeaders {
    if (this.head !== undefined) return this.head;
    const { rawHeaders } = this;
    const head: RawHeaders = [];
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!.toLowerCase();
      const value = rawHeaders[i + 1]!;
      switch (name) {
        case 'host':
          this.hosts++;
          this.host ??= value;
          continue;
        case 'content-length':
          if (value !== '0') this.hasBody = true;
          break;
        case 'transfer-encoding':
          this.hasBody = true;
          break;
        case 'upgrade':
          this.upgradeType = value.toLowerCase();
          break;
        case 'expect':
          if (value.toLowerCase() === '100-continue') {
            this.expectsContinue = true;
            continue;
          }
          break;
      }
      head.push(name, value);
    }
    this.head = head;
    return head;
  }
}

Object.defineProperty(IncomingRequest.prototype, 'headers', {
  get(this: IncomingRequest) {
    this.readHead();
    return this.expectsContinue ? EXPECT : this.hasBody ? BODY : PLAIN;
  },
});
