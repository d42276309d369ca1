import { type Agent, request } from 'node:http';

/** The body of a GET through an HTTP proxy on this host; what went wrong in place of it when there is none. `agent` false: on a connection of its own. */
export function get(port: number, url: string, agent?: Agent | false): Promise<string> {
  return new Promise((resolve) => {
    const options = { port, host: '127.0.0.1', path: url, headers: { host: new URL(url).host }, timeout: 5000, agent };
    const sent = request(options, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve(text);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}
