/** The peer that people know: the npm package http-proxy, with a keep-alive agent. */
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const [port, target] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${target}`, agent: new Agent({ keepAlive: true, maxSockets: 256 }) });
proxy.on('error', () => undefined);
createServer((request, response) => proxy.web(request, response)).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
