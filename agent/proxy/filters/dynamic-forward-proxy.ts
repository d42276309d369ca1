import type { HttpFilterFactory } from './http-filter.ts';

/**
 * Envoy resolves the host here and waits for it. Our dynamic forward proxy clusters resolve by themselves, by the request's
 * authority, so the filter has only to be there.
 */
export const createDynamicForwardProxy: HttpFilterFactory = (name) => ({ filter: { name }, problems: [] });
