import { request } from 'node:http';

/** The body of a GET through an HTTP proxy on this host; what went wrong in place of it when there is none. */
export function get(port: number, url: string): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ port, host: '127.0.0.1', path: url, headers: { host: new URL(url).host }, timeout: 5000 }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve(text);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}
