/** envoy.service.auth.v3.CheckResponse out of protobuf's wire format (envoy/service/auth/v3/external_auth.proto). */
import type { AuthzAnswer, HeaderChange } from './answer.ts';
import { eachField, readStruct } from './struct.ts';

type Allowed = Extract<AuthzAnswer, { allowed: true }>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

const ACTIONS: Readonly<Record<number, HeaderChange['action']>> = {
  0: 'add',
  1: 'add-if-absent',
  2: 'overwrite',
  3: 'overwrite-if-exists',
};

/** Throws on bytes that are no CheckResponse; undefined: the service says that it failed. */
export function decodeCheckResponse(bytes: Uint8Array): AuthzAnswer | undefined {
  let code = 0;
  let ok: Mutable<Allowed> | undefined;
  let own: Record<string, unknown> | undefined;
  let failed = false;
  let metadata: Record<string, unknown> = {};
  const denied = { allowed: false as const, status: 403, body: Buffer.alloc(0) as Buffer, headers: [] as string[] };
  eachField(bytes, (no, reader) => {
    if (no === 1) code = readCode(reader.bytes());
    else if (no === 2) readDenied(reader.bytes(), denied);
    else if (no === 3) {
      ok = emptyOk();
      own = readOk(reader.bytes(), ok);
    } else if (no === 4) metadata = readStruct(reader.bytes());
    else if (no === 5) {
      failed = true;
      return false;
    } else return false;
    return true;
  });
  if (code === 0) return { ...(ok ?? emptyOk()), metadata: own ?? metadata };
  return failed ? undefined : { ...denied, metadata };
}

const emptyOk = (): Mutable<Allowed> => ({
  allowed: true,
  request: [],
  removeFromRequest: [],
  response: [],
  setQuery: [],
  removeQuery: [],
  metadata: {},
});

function readCode(bytes: Uint8Array): number {
  let code = 0;
  eachField(bytes, (no, reader) => {
    if (no !== 1) return false;
    code = reader.int32();
    return true;
  });
  return code;
}

function readDenied(bytes: Uint8Array, into: { status: number; body: Buffer; headers: string[] }): void {
  eachField(bytes, (no, reader) => {
    if (no === 1) into.status = readCode(reader.bytes()) || into.status;
    else if (no === 2) {
      const { name, value } = readHeader(reader.bytes());
      into.headers.push(name, value);
    } else if (no === 3) into.body = Buffer.from(reader.bytes());
    else return false;
    return true;
  });
}

/** Gives the answer's own dynamic metadata, which the response's gives way to. */
function readOk(bytes: Uint8Array, into: Mutable<Allowed>): Record<string, unknown> | undefined {
  let metadata: Record<string, unknown> | undefined;
  eachField(bytes, (no, reader) => {
    // Envoy 1.40: what is not said to be appended takes the place of what is there.
    if (no === 2) {
      const change = readHeader(reader.bytes());
      into.request.push(change.action === 'append' ? change : { ...change, action: 'overwrite' });
    } else if (no === 3) metadata = readStruct(reader.bytes());
    else if (no === 5) into.removeFromRequest.push(reader.string().toLowerCase());
    else if (no === 6) into.response.push(readHeader(reader.bytes()));
    else if (no === 7) {
      const { name, value } = readPair(reader.bytes());
      into.setQuery.push([name, value]);
    } else if (no === 8) into.removeQuery.push(reader.string());
    else return false;
    return true;
  });
  return metadata;
}

/** config.core.v3.HeaderValueOption. */
function readHeader(bytes: Uint8Array): HeaderChange {
  let pair = { name: '', value: '' };
  let append: boolean | undefined;
  let action = 0;
  eachField(bytes, (no, reader) => {
    if (no === 1) pair = readPair(reader.bytes());
    else if (no === 2) {
      append = false;
      eachField(reader.bytes(), (field, wrapped) => {
        if (field !== 1) return false;
        append = wrapped.bool();
        return true;
      });
    } else if (no === 3) action = reader.int32();
    else return false;
    return true;
  });
  const name = pair.name.toLowerCase();
  if (append !== undefined) return { name, value: pair.value, action: append ? 'append' : 'overwrite' };
  return { name, value: pair.value, action: ACTIONS[action] ?? 'overwrite' };
}

/** HeaderValue and QueryParameter alike; raw_value counts where there is no value. */
function readPair(bytes: Uint8Array): { name: string; value: string } {
  const pair = { name: '', value: '' };
  eachField(bytes, (no, reader) => {
    if (no === 1) pair.name = reader.string();
    else if (no === 2 || no === 3) {
      const value = Buffer.from(reader.bytes()).toString('latin1');
      if (value !== '') pair.value = value;
    } else return false;
    return true;
  });
  return pair;
}
