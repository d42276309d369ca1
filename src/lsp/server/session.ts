import { isAbsolute, join } from 'node:path';
import type { Diagnostic, PublishDiagnosticsParams } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Finding } from '../../analysis/finding.ts';
import { isBelow } from './disk.ts';
import { createMeshState, type MeshState } from './mesh-state.ts';
import type { Settings } from './settings.ts';
import { pathOf, uriOfPath } from './uris.ts';

/** The configurations that an editor has open: those of its folders, and one for each file that is in none of them. */
export interface Session {
  /** Begins anew with other folders or settings. */
  configure(folders: readonly string[], settings: Settings): Promise<void>;
  /** The configuration that a document belongs to; undefined for those that are no files. */
  stateOf(uri: string): MeshState | undefined;
  readonly states: readonly MeshState[];
  /** A document was opened or changed. */
  changed(uri: string): void;
  /** A document is open no more. */
  closed(uri: string): void;
  /** Files may have changed: those named, or any. */
  filesChanged(files?: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** What a session needs of its connection. */
export interface SessionInput {
  documents(): readonly TextDocument[];
  publish(params: PublishDiagnosticsParams): void;
  documentation(finding: Finding): string | undefined;
  failed(error: unknown): void;
}

/** With more files than this at once everything is read again. */
const MANY_FILES = 200;

export function createSession(input: SessionInput): Session {
  let settings: Settings = { meshes: undefined, meshConfig: undefined, namespace: 'default', complete: false };
  let states: MeshState[] = [];
  const loose = new Map<string, MeshState>();

  /** The name that a document has in its configuration: its path, or its URI when it was never saved. */
  const nameOf = (uri: string): string | undefined => pathOf(uri) ?? (uri.startsWith('untitled:') ? uri : undefined);

  const stateOf = (uri: string): MeshState | undefined => {
    const name = nameOf(uri);
    if (name === undefined) return undefined;
    const own = states.filter(({ paths }) => isBelow(name, paths));
    const nearest = own.sort((a, b) => b.paths[0]!.length - a.paths[0]!.length)[0];
    if (nearest !== undefined || input.documents().every((document) => document.uri !== uri)) return nearest;
    const state = loose.get(uri) ?? createState([], undefined, uri);
    loose.set(uri, state);
    return state;
  };

  function createState(paths: readonly string[], meshConfig: string | undefined, uri?: string): MeshState {
    const published = new Map<string, string>();
    /** Of the buffers that were read last. */
    let versions = new Map<string, number>();
    const state: MeshState = createMeshState({
      paths,
      meshConfig,
      namespace: settings.namespace,
      complete: settings.complete,
      buffers() {
        const own = input.documents().filter((document) => (uri === undefined ? stateOf(document.uri) === state : document.uri === uri));
        versions = new Map(own.map((document) => [document.uri, document.version]));
        return own.map((document) => ({ file: nameOf(document.uri)!, after: document.getText().replace(/^\uFEFF/, '') }));
      },
      uriOf: (file) => input.documents().find((document) => nameOf(document.uri) === file)?.uri ?? uriOfPath(file),
      documentation: input.documentation,
      failed: input.failed,
      publish(byFile) {
        const current = new Map(input.documents().map((document) => [document.uri, document.version]));
        const next = new Map([...byFile].map(([file, list]) => [this.uriOf(file), list]));
        for (const known of [...published.keys(), ...versions.keys()]) if (!next.has(known)) next.set(known, []);
        for (const [at, diagnostics] of next) {
          // What was read is no longer what the editor shows: it is analyzed again already.
          if (versions.get(at) !== current.get(at)) continue;
          send(at, versions.get(at), diagnostics);
        }
      },
    });
    const send = (at: string, version: number | undefined, diagnostics: readonly Diagnostic[]): void => {
      const text = JSON.stringify(diagnostics);
      const before = published.get(at);
      if (diagnostics.length === 0) published.delete(at);
      else published.set(at, text);
      // Of open documents every version is told, so that an editor knows that it was looked at.
      if (version === undefined && before === (diagnostics.length === 0 ? undefined : text)) return;
      input.publish({ uri: at, ...(version === undefined ? {} : { version }), diagnostics: [...diagnostics] });
    };
    forget.set(state, () => {
      for (const at of published.keys()) input.publish({ uri: at, diagnostics: [] });
      published.clear();
    });
    return state;
  }

  /** Takes back what was published. */
  const forget = new Map<MeshState, () => void>();

  async function drop(state: MeshState): Promise<void> {
    await state.close();
    forget.get(state)?.();
    forget.delete(state);
  }

  const dropAll = async (): Promise<void> => {
    const old = [...states, ...loose.values()];
    states = [];
    loose.clear();
    for (const state of old) await drop(state);
  };

  return {
    stateOf,
    get states() {
      return states;
    },
    async configure(folders, given) {
      await dropAll();
      settings = given;
      const resolve = (folder: string, path: string): string => (isAbsolute(path) ? path : join(folder, path));
      const fresh = folders.flatMap((folder) => {
        const meshConfig = settings.meshConfig === undefined ? undefined : resolve(folder, settings.meshConfig);
        return (settings.meshes ?? ['.']).map((mesh) => createState([resolve(folder, mesh)], meshConfig));
      });
      for (const state of fresh) await state.disk.rescan();
      states = fresh;
      for (const state of states) state.touch();
      for (const { uri } of input.documents()) stateOf(uri)?.touch();
    },
    changed: (uri) => stateOf(uri)?.touch(),
    closed(uri) {
      const own = loose.get(uri);
      loose.delete(uri);
      if (own !== undefined) drop(own).catch(input.failed);
      else stateOf(uri)?.touch();
    },
    async filesChanged(files) {
      for (const state of states) {
        const own = files?.filter((file) => isBelow(file, state.paths));
        if (own?.length === 0) continue;
        if (own === undefined || own.length > MANY_FILES) await state.disk.rescan();
        else await state.disk.reread(own);
        state.touch();
      }
    },
    close: dropAll,
  };
}
