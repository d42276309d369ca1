import type { Problem } from '../../src/errors.ts';

/** The object that a problem is about, as `VirtualService shop/reviews`; of objects that could not be read wholly their place tells it. */
export function problemOrigin({ origin, position }: Problem): string | undefined {
  if (origin !== undefined) return origin;
  const file = position?.file ?? '';
  return file.startsWith('cluster/') && file.includes(': ') ? file.slice(file.lastIndexOf(': ') + 2) : undefined;
}
