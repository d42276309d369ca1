/** A backend as cheap as Node can make one: it answers each request head with the same 1 KiB, without parsing more than its end. */
import { createServer } from 'node:net';

const body = 'x'.repeat(1024);
const answer = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
const END = '\r\n\r\n';

createServer({ noDelay: true }, (socket) => {
  let rest = '';
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1');
    let requests = 0;
    for (let at = rest.indexOf(END); at !== -1; at = rest.indexOf(END)) {
      requests++;
      rest = rest.slice(at + END.length);
    }
    if (requests === 1) socket.write(answer);
    else if (requests > 1) socket.write(Buffer.concat(Array.from({ length: requests }, () => answer)));
  });
  socket.on('error', () => socket.destroy());
}).listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('ready\n'));
