import {
  type ClientCapabilities,
  CodeActionKind,
  type InitializeResult,
  InsertTextMode,
  MarkupKind,
  TextDocumentSyncKind,
} from 'vscode-languageserver';

/** What an editor can do, as far as answers depend on it. */
export interface Client {
  readonly markdown: boolean;
  readonly multiline: boolean;
  /** Tells of changed files when asked to. */
  readonly watches: boolean;
  readonly folders: boolean;
  /** Says its configuration when asked. */
  readonly configuration: boolean;
}

export function clientOf(capabilities: ClientCapabilities): Client {
  const { textDocument, workspace } = capabilities;
  return {
    markdown: textDocument?.hover?.contentFormat?.includes(MarkupKind.Markdown) ?? false,
    multiline: textDocument?.completion?.completionItem?.insertTextModeSupport?.valueSet.includes(InsertTextMode.asIs) ?? false,
    watches: workspace?.didChangeWatchedFiles?.dynamicRegistration ?? false,
    folders: workspace?.workspaceFolders ?? false,
    configuration: workspace?.configuration ?? false,
  };
}

/** The files whose changes are of interest. */
export const WATCHED = '**/*.{yaml,yml,json}';

/** What the server can do. */
export function initializeResult(version: string): InitializeResult {
  // Renamed and deleted folders are told here alone: they match no file's pattern.
  const folders = { filters: [{ scheme: 'file', pattern: { glob: '**', matches: 'folder' as const } }] };
  return {
    serverInfo: { name: 'fairlead', version },
    capabilities: {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: { includeText: false } },
      hoverProvider: true,
      completionProvider: { triggerCharacters: [' ', '/', '.'] },
      definitionProvider: true,
      referencesProvider: true,
      documentSymbolProvider: true,
      workspaceSymbolProvider: true,
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
      workspace: {
        workspaceFolders: { supported: true, changeNotifications: true },
        fileOperations: { didCreate: folders, didRename: folders, didDelete: folders },
      },
    },
  };
}
