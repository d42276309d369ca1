/** Whether a line of the source may hold a key: the data of a Secret is not printed, whatever is wrong with it. */
export function isConfidential({ origin, path }: { origin?: string | undefined; path?: string | undefined }): boolean {
  return origin?.startsWith('Secret') === true && /^(?:data|stringData)\b/.test(path ?? '');
}
