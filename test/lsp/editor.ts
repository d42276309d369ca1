/** An editor for tests: a real client of the protocol, on the standard streams of a server's process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  type ClientCapabilities,
  type CompletionItem,
  type CompletionList,
  createProtocolConnection,
  type Diagnostic,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver-protocol/node';

const sources = [fileURLToPath(new URL('./server-main.ts', import.meta.url))];

/** Longest that anything is waited for. Milliseconds; generous, machines are slow. */
const DEADLINE = 20_000;

export interface Editor {
  readonly connection: ProtocolConnection;
  readonly child: ChildProcess;
  readonly initialized: InitializeResult;
  /** All that was published, in order. */
  readonly published: PublishDiagnosticsParams[];
  /** What the server asked to be told of. */
  readonly registered: string[];
  stderr(): string;
  open(uri: string, text: string): void;
  /** The whole text anew; its version counts up. */
  change(uri: string, text: string): void;
  close(uri: string): void;
  /** The diagnostics of a file once they fulfil a condition. */
  diagnostics(uri: string, until: (diagnostics: readonly Diagnostic[], params: PublishDiagnosticsParams) => boolean): Promise<Diagnostic[]>;
  complete(uri: string, position: Position): Promise<CompletionItem[]>;
  /** Ends it by the protocol; the exit code. */
  quit(): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

/** What editors of today can do. */
export const CAPABILITIES: ClientCapabilities = {
  textDocument: {
    hover: { contentFormat: ['markdown', 'plaintext'] },
    completion: { completionItem: { insertTextModeSupport: { valueSet: [1, 2] } } },
  },
  workspace: { didChangeWatchedFiles: { dynamicRegistration: true }, workspaceFolders: true },
};

/** Starts a server on folders and waits until it is ready. */
export async function startEditor(
  folders: readonly string[],
  options: { command?: readonly string[]; capabilities?: ClientCapabilities; settings?: unknown } = {},
): Promise<Editor> {
  const { command = sources, capabilities = CAPABILITIES, settings } = options;
  const child = spawn(process.execPath, [...command], { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const connection = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  const published: PublishDiagnosticsParams[] = [];
  const waiting = new Set<() => void>();
  connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
    published.push(params);
    for (const look of [...waiting]) look();
  });
  const registered: string[] = [];
  connection.onRequest('client/registerCapability', (params: { registrations: { method: string }[] }) => {
    registered.push(...params.registrations.map(({ method }) => method));
    return null;
  });
  connection.listen();
  const initialized = await connection.sendRequest<InitializeResult>('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities,
    workspaceFolders: folders.map((folder) => ({ uri: pathToFileURL(folder).href, name: folder })),
    ...(settings === undefined ? {} : { initializationOptions: settings }),
  });
  await connection.sendNotification('initialized', {});
  const versions = new Map<string, number>();
  const send = (method: string, params: unknown): void => void connection.sendNotification(method, params);
  return {
    connection,
    child,
    initialized,
    published,
    registered,
    ended,
    stderr: () => errors,
    open(uri, text) {
      versions.set(uri, 1);
      send('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    },
    change(uri, text) {
      const version = versions.get(uri)! + 1;
      versions.set(uri, version);
      send('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ text }] });
    },
    close(uri) {
      versions.delete(uri);
      send('textDocument/didClose', { textDocument: { uri } });
    },
    diagnostics(uri, until) {
      return new Promise((resolve, reject) => {
        const seen = (): PublishDiagnosticsParams | undefined => published.findLast((params) => params.uri === uri);
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`no such diagnostics of ${uri}; the last are ${JSON.stringify(seen(), null, 1)}\n${errors}`));
        }, DEADLINE);
        const look = (): void => {
          const last = seen();
          if (last === undefined || !until(last.diagnostics, last)) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(last.diagnostics);
        };
        waiting.add(look);
        look();
      });
    },
    async complete(uri, position) {
      const list = await connection.sendRequest<CompletionList | null>('textDocument/completion', { textDocument: { uri }, position });
      return list?.items ?? [];
    },
    async quit() {
      await connection.sendRequest('shutdown');
      await connection.sendNotification('exit');
      const code = await ended;
      connection.dispose();
      return code;
    },
  };
}

/** A text with its cursor, which is written `|`. */
export function cursorIn(marked: string): { text: string; position: Position } {
  const at = marked.indexOf('|');
  const before = marked.slice(0, at).split('\n');
  return { text: marked.slice(0, at) + marked.slice(at + 1), position: { line: before.length - 1, character: before.at(-1)!.length } };
}
