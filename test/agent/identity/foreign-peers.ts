/** TLS peers that are not ours: openssl, curl, Python and Go, as clients and as servers. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where and how a client calls. Certificates and keys are files. */
export interface Call {
  port: number;
  /** Server name and `Host`. */
  host: string;
  /** What the server must be under. */
  roots: string;
  /** False: the server's name is none of DNS, as a workload's. */
  checkName: boolean;
  own?: { cert: string; key: string } | undefined;
}

export interface ForeignClient {
  name: string;
  /** Why it is not on this machine. */
  missing?: string;
  /** All that it says: the answer, with its status line, or what went wrong. */
  ask(call: Call): Promise<string>;
}

const DEADLINE_MS = 20_000;

function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    let said = '';
    child.stdout.on('data', (d) => (said += d));
    child.stderr.on('data', (d) => (said += d));
    child.on('error', reject);
    child.stdin.on('error', () => undefined);
    child.on('close', () => {
      clearTimeout(timer);
      resolve(said);
    });
    child.stdin.end(input);
  });
}

function lacks(command: string, ...args: string[]): { missing: string } | undefined {
  return spawnSync(command, args).status === 0 ? undefined : { missing: `${command} is not installed` };
}

const requestOf = (host: string): string => `GET /hello HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

/** Takes weak keys: who refuses them must be the other side. */
const openssl: ForeignClient = {
  name: 'openssl s_client',
  ...lacks('openssl', 'version'),
  ask({ port, host, roots, checkName, own }) {
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', host, '-CAfile', roots, '-verify_return_error', '-quiet'];
    args.push('-ign_eof', '-cipher', 'DEFAULT@SECLEVEL=0');
    if (checkName) args.push('-verify_hostname', host);
    if (own) args.push('-cert', own.cert, '-cert_chain', own.cert, '-key', own.key);
    return run('openssl', args, requestOf(host));
  },
};

const curl: ForeignClient = {
  name: 'curl',
  ...lacks('curl', '--version'),
  ask({ port, host, roots, checkName, own }) {
    const args = ['-sS', '-i', '--max-time', '15', '--cacert', roots, '--resolve', `${host}:${port}:127.0.0.1`];
    // It cannot check a chain without a name.
    if (!checkName) args.push('--insecure');
    if (own) args.push('--cert', own.cert, '--key', own.key);
    return run('curl', [...args, '--http1.1', `https://${host}:${port}/hello`]);
  },
};

const PYTHON_CLIENT = `
import socket, ssl, sys
port, host, roots, check, cert, key = sys.argv[1:7]
context = ssl.create_default_context(cafile=roots)
context.check_hostname = check == 'yes'
if cert: context.load_cert_chain(cert, key)
try:
    with context.wrap_socket(socket.create_connection(('127.0.0.1', int(port)), 15), server_hostname=host) as s:
        s.sendall(('GET /hello HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n' % host).encode())
        while True:
            data = s.recv(65536)
            if not data: break
            sys.stdout.write(data.decode())
except Exception as e:
    print(repr(e))
`;

const python: ForeignClient = {
  name: 'Python',
  ...lacks('python3', '-c', 'import ssl'),
  ask: ({ port, host, roots, checkName, own }) =>
    run('python3', ['-c', PYTHON_CLIENT, String(port), host, roots, checkName ? 'yes' : 'no', own?.cert ?? '', own?.key ?? '']),
};

const GO_CLIENT = `package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	port, host, roots, check, cert, key := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	pem, _ := os.ReadFile(roots)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	config := &tls.Config{ServerName: host, RootCAs: pool}
	if check == "no" {
		// The chain all the same.
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(state tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, c := range state.PeerCertificates[1:] {
				between.AddCert(c)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool, Intermediates: between})
			return err
		}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			fmt.Println(err)
			return
		}
		config.Certificates = []tls.Certificate{pair}
	}
	conn, err := tls.Dial("tcp", "127.0.0.1:"+port, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn.SetDeadline(time.Now().Add(15 * time.Second))
	fmt.Fprintf(conn, "GET /hello HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n", host)
	all, err := io.ReadAll(conn)
	fmt.Print(string(all))
	if err != nil {
		fmt.Println(err)
	}
}
`;

/** @param folder where the program is built */
export function goClient(folder: string): ForeignClient {
  const name = 'Go';
  const none = { name, ask: (): Promise<string> => Promise.reject(new Error('there is no Go')) };
  const lacking = lacks('go', 'version');
  if (lacking) return { ...none, ...lacking };
  const [source, program] = [join(folder, 'client.go'), join(folder, 'client')];
  writeFileSync(source, GO_CLIENT);
  const built = spawnSync('go', ['build', '-o', program, source], { encoding: 'utf8', cwd: folder });
  if (built.status !== 0) return { ...none, missing: `go build: ${built.stderr}` };
  return {
    name,
    ask: ({ port, host, roots, checkName, own }) =>
      run(program, [String(port), host, roots, checkName ? 'yes' : 'no', own?.cert ?? '', own?.key ?? '']),
  };
}

export { curl, openssl, python };

export interface ForeignServer {
  close(): Promise<void>;
}

interface Serving {
  port: number;
  cert: string;
  key: string;
  /** Clients must show a certificate under these. */
  clients?: string | undefined;
}

const PYTHON_SERVER = `
import ssl, sys, http.server
port, cert, key, clients = sys.argv[1:5]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        peer = self.connection.getpeercert() if clients else None
        body = ('python %s' % (peer['subjectAltName'] if peer else 'nobody',)).encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass
class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *a): pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.set_ciphers('DEFAULT@SECLEVEL=0')
context.load_cert_chain(cert, key)
if clients:
    context.load_verify_locations(clients)
    context.verify_mode = ssl.CERT_REQUIRED
server = Server(('127.0.0.1', int(port)), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print('ready', flush=True)
server.serve_forever()
`;

/** Answers every request with who asked. */
export const pythonServer = ({ port, cert, key, clients }: Serving): Promise<ForeignServer> =>
  serving(
    spawn('python3', ['-c', PYTHON_SERVER, String(port), cert, key, clients ?? ''], { stdio: ['ignore', 'pipe', 'inherit'] }),
    /^ready\n/,
  );

/** Answers every request with a page about the connection. */
export function opensslServer({ port, cert, key, clients }: Serving): Promise<ForeignServer> {
  const args = ['s_server', '-accept', `127.0.0.1:${port}`, '-www', '-cert', cert, '-key', key, '-cipher', 'DEFAULT@SECLEVEL=0'];
  if (clients) args.push('-Verify', '2', '-verify_return_error', '-CAfile', clients);
  return serving(spawn('openssl', args, { stdio: ['pipe', 'pipe', 'ignore'] }), /^ACCEPT/m);
}

async function serving(child: ChildProcess, ready: RegExp): Promise<ForeignServer> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server does not start: ${said}`)), DEADLINE_MS);
    child.stdout?.on('data', (d) => {
      said += d;
      if (!ready.test(said)) return;
      clearTimeout(timer);
      resolve();
    });
    child.once('error', reject);
  });
  return {
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
