/** An HTTP/2 answer that is complete while its request is not: the whole answer comes, and only then is the request cut off (RFC 9113 8.1). */
import { connect, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startHarness, until } from './harness.ts';

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const END_HEADERS = 4;

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal field without indexing and without Huffman (RFC 7541 6.2.2). */
const field = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
/** SETTINGS_INITIAL_WINDOW_SIZE. */
const initialWindow = (size: number): Buffer => Buffer.concat([Buffer.from([0, 4]), uint32(size)]);

interface Frame {
  type: number;
  flags: number;
  payload: Buffer;
}

/** Frames of stream 1, as they come. */
function framesOf(socket: Socket): Frame[] {
  const frames: Frame[] = [];
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      if (rest.readUInt32BE(5) === 1) frames.push({ type: rest[3]!, flags: rest[4]!, payload: rest.subarray(9, end) });
      rest = rest.subarray(end);
    }
  });
  return frames;
}

const body = 'x'.repeat(1000);

for (const window of [0, 1, 999, 1000, 1001, 65_535]) {
  test(`the client takes ${window} of ${body.length} bytes at first, and goes on sending`, async () => {
    const proxy = await startHarness({
      routes: [{ match: { prefix: '/' }, directResponse: { status: 404, body: { inlineString: body } } }],
    });
    const socket = connect(proxy.port, '127.0.0.1');
    const frames = framesOf(socket);
    const received = (): string =>
      frames
        .filter(({ type }) => type === DATA)
        .map(({ payload }) => payload.toString())
        .join('');
    try {
      const request = [field(':method', 'PATCH'), field(':scheme', 'http'), field(':path', '/'), field(':authority', 'a')];
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      socket.write(frame(SETTINGS, 0, 0, initialWindow(window)));
      socket.write(frame(HEADERS, END_HEADERS, 1, Buffer.concat(request)));
      socket.write(frame(DATA, 0, 1, Buffer.alloc(10_000)));
      await until('as much of the answer as fits', () => received().length === Math.min(window, body.length) && frames.length > 0);
      // What would come too early comes before the answer to this.
      const acknowledged = new Promise((resolve) => socket.on('data', (chunk: Buffer) => chunk.includes('12345678') && resolve(undefined)));
      socket.write(frame(6, 0, 0, Buffer.from('12345678')));
      await acknowledged;
      const reset = frames.findIndex(({ type }) => type === RST_STREAM);
      const ended = frames.findIndex(({ type, flags }) => (type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0);
      if (reset >= 0) assert.ok(ended >= 0 && ended < reset, 'cut off before its answer was complete');
      if (window <= body.length) socket.write(frame(WINDOW_UPDATE, 0, 1, uint32(10_000)));
      await until('the request is let go', () => frames.some(({ type }) => type === RST_STREAM));
      assert.is(received(), body);
      const order = frames.map(({ type, flags }) => ((type === DATA || type === HEADERS) && flags & END_STREAM ? 'end' : String(type)));
      assert.ok(order.includes('end') && order.indexOf('end') < order.indexOf(String(RST_STREAM)), order.join(' '));
      assert.is(frames.find(({ type }) => type === RST_STREAM)?.payload.readUInt32BE(), 0, 'NO_ERROR');
      assert.is((await proxy.record()).status, 404);
    } finally {
      socket.destroy();
      await proxy.close();
    }
  });
}

test.run();
