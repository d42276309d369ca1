import { fileURLToPath, pathToFileURL } from 'node:url';

/** The path of a `file:` URI; undefined for others, and for those that name no file here. */
export function pathOf(uri: string): string | undefined {
  if (!uri.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}

/** The URI of a path; names that are no absolute paths are URIs already. */
export function uriOfPath(path: string): string {
  return /^[a-z][a-z0-9+.-]+:/i.test(path) ? path : pathToFileURL(path).href;
}
