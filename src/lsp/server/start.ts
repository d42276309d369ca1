/** The language server: what an editor asks, and what it is told, over one connection. */
import {
  type CancellationToken,
  createConnection,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  LSPErrorCodes,
  ResponseError,
  TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Finding } from '../../analysis/finding.ts';
import { codeActions } from '../features/code-actions.ts';
import { complete } from '../features/completion.ts';
import { hover } from '../features/hover.ts';
import { findDefinitions, findReferences } from '../features/navigate.ts';
import { documentSymbols, workspaceSymbols } from '../features/symbols.ts';
import type { View } from '../view.ts';
import { type Client, clientOf, initializeResult, WATCHED } from './capabilities.ts';
import { createSession } from './session.ts';
import { readSettings, type Settings } from './settings.ts';
import { pathOf } from './uris.ts';

/** How a server is set up. */
export interface ServerOptions {
  readonly version: string;
  /** Settings of the command line, which an editor's own go before. */
  readonly settings: Settings;
  /** Where a finding's code is explained, as a URL. */
  documentation(finding: Finding): string | undefined;
  /** One line for people who look for a mistake. */
  log(text: string): void;
}

/**
 * Serves the Language Server Protocol on two streams, until the editor says `exit` or its stream ends; the process ends then, by the
 * protocol: 0 after `shutdown`, else 1.
 */
export function startServer(input: NodeJS.ReadableStream, output: NodeJS.WritableStream, options: ServerOptions): void {
  const connection = createConnection(input, output);
  const documents = new TextDocuments(TextDocument);
  const failed = (error: unknown): void => options.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const session = createSession({
    documents: () => documents.all(),
    publish: (params) => void connection.sendDiagnostics(params).catch(failed),
    documentation: options.documentation,
    failed,
  });
  let client: Client = clientOf({});
  let settings = options.settings;
  let folders: string[] = [];

  const background = (work: () => Promise<unknown>): void => void work().catch(failed);
  /** What happens to documents, and questions, wait for the folders to be known. */
  let ready: Promise<void> = Promise.resolve();
  /** One after the other, with what is known by then. */
  const configure = (before: () => Promise<void> = async () => {}): void => {
    ready = ready
      .then(before)
      .then(() => session.configure(folders, settings))
      .catch(failed);
  };

  function take(given: unknown): void {
    const wrong: string[] = [];
    settings = readSettings(given, options.settings, wrong);
    for (const text of wrong) connection.window.showWarningMessage(`Fairlead: ${text}`);
  }

  connection.onInitialize((params: InitializeParams) => {
    client = clientOf(params.capabilities);
    const roots = params.workspaceFolders?.map(({ uri }) => uri) ?? (params.rootUri ? [params.rootUri] : []);
    folders = roots.flatMap((uri) => pathOf(uri) ?? []);
    take(params.initializationOptions);
    return initializeResult(options.version);
  });
  connection.onInitialized(() =>
    configure(async () => {
      if (client.watches)
        background(() => connection.client.register(DidChangeWatchedFilesNotification.type, { watchers: [{ globPattern: WATCHED }] }));
      if (client.folders) {
        connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
          const gone = new Set(removed.map(({ uri }) => pathOf(uri)));
          folders = [...folders.filter((folder) => !gone.has(folder)), ...added.flatMap(({ uri }) => pathOf(uri) ?? [])];
          configure();
        });
      }
      if (!client.configuration) return;
      background(() => connection.client.register(DidChangeConfigurationNotification.type, { section: 'fairlead' }));
      await ask();
    }),
  );
  /** What the editor's configuration says, where it says something. */
  async function ask(): Promise<void> {
    const given: unknown = await connection.workspace.getConfiguration('fairlead');
    if (given !== null && given !== undefined) take(given);
  }
  connection.onDidChangeConfiguration(({ settings: given }) =>
    configure(async () => {
      if (client.configuration) await ask();
      else take((given as { fairlead?: unknown } | null)?.fairlead ?? given);
    }),
  );
  connection.onDidChangeWatchedFiles(({ changes }) => background(() => filesChanged(changes.flatMap(({ uri }) => pathOf(uri) ?? []))));
  const filesChanged = async (files?: readonly string[]): Promise<void> => {
    await ready;
    await session.filesChanged(files);
  };
  const anyFile = (): void => background(() => filesChanged());
  connection.workspace.onDidCreateFiles(anyFile);
  connection.workspace.onDidRenameFiles(anyFile);
  connection.workspace.onDidDeleteFiles(anyFile);

  documents.onDidChangeContent(({ document }) => void ready.then(() => session.changed(document.uri)));
  documents.onDidClose(({ document }) => void ready.then(() => session.closed(document.uri)));
  // An editor that tells of no changed files has them looked at when one is saved.
  documents.onDidSave(({ document }) => {
    const path = pathOf(document.uri);
    background(() => filesChanged(client.watches && path !== undefined ? [path] : undefined));
  });

  interface At {
    textDocument: { uri: string };
  }
  /** Answers about an open document; nothing about others. An answer that fails is logged, and is none. */
  const about =
    <Params extends At, Answer>(otherwise: Answer, answer: (document: TextDocument, params: Params) => Answer | Promise<Answer>) =>
    async (params: Params, token: CancellationToken): Promise<Answer | ResponseError<void>> => {
      const document = documents.get(params.textDocument.uri);
      if (document === undefined) return otherwise;
      try {
        const found = await answer(document, params);
        return token.isCancellationRequested ? new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled') : found;
      } catch (error) {
        failed(error);
        return otherwise;
      }
    };
  const fresh = async (uri: string): Promise<View> => {
    await ready;
    return (await session.stateOf(uri)?.fresh()) ?? NOTHING;
  };
  /** What is typed is in the document itself; the names to choose from need not wait for an analysis. */
  const quick = async (uri: string): Promise<View> => session.stateOf(uri)?.latest ?? fresh(uri);

  connection.onHover(
    about(null, async (document, { position }) => {
      const { namespace } = settings;
      return hover(document, position, await fresh(document.uri), { namespace, markdown: client.markdown }) ?? null;
    }),
  );
  connection.onCompletion(
    about(null, async (document, { position }) => {
      const { namespace } = settings;
      return complete(document, position, await quick(document.uri), { namespace, multiline: client.multiline });
    }),
  );
  connection.onDefinition(
    about(null, async (document, { position }) => findDefinitions(document, position, await fresh(document.uri), settings.namespace)),
  );
  connection.onReferences(
    about(null, async (document, { position, context }) => {
      const { includeDeclaration } = context;
      return findReferences(document, position, await fresh(document.uri), { namespace: settings.namespace, includeDeclaration });
    }),
  );
  connection.onDocumentSymbol(about(null, (document) => documentSymbols(document)));
  connection.onCodeAction(
    about(null, (document, { context }) => {
      const state = session.stateOf(document.uri);
      return codeActions(document, context.diagnostics, async (fingerprint) => state?.fixOf(fingerprint));
    }),
  );
  connection.onWorkspaceSymbol(async ({ query }) => {
    await ready;
    const views = await Promise.all(session.states.map((state) => state.fresh()));
    return views.flatMap((view) => workspaceSymbols(view, query));
  });
  connection.onShutdown(async () => {
    await ready;
    await session.close();
  });

  documents.listen(connection);
  connection.listen();
}

const NOTHING: View = {
  index: { resources: [], declarations: () => [], references: () => [], all: () => new Map(), namespaces: new Set() },
  textOf: () => undefined,
  uriOf: (file) => file,
};
