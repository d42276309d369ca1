import type { JwtProviderJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { cookieValue } from '../routing/cookies.ts';
import { removeHeader } from '../routing/header-mutation.ts';
import type { RouteRequest } from '../routing/request.ts';

/** A token as it was found. */
export interface FoundToken {
  readonly token: string;
  /** Whether a provider that names this place has that issuer. */
  mayBeOf(issuer: string): boolean;
  /** Takes it out of the request. */
  remove(request: RouteRequest): void;
}

interface Place {
  readonly issuers: Set<string>;
  find(request: RouteRequest): readonly string[];
  remove(request: RouteRequest): void;
}

const LEGAL = /[A-Za-z0-9_.-]/;

/** Where the tokens of some providers stand; Envoy looks by the places' names: headers, then parameters, then cookies. */
export function compileTokenLocations(providers: readonly JwtProviderJson[]): (request: RouteRequest) => FoundToken[] {
  const headers = new Map<string, Place>();
  const params = new Map<string, Place>();
  const cookies = new Map<string, Place>();
  const put = (places: Map<string, Place>, key: string, issuer: string, make: () => Omit<Place, 'issuers'>): void => {
    let place = places.get(key);
    if (place === undefined) {
      place = { ...make(), issuers: new Set() };
      places.set(key, place);
    }
    place.issuers.add(issuer);
  };
  for (const { issuer = '', fromHeaders = [], fromParams = [], fromCookies = [] } of providers) {
    const none = fromHeaders.length + fromParams.length + fromCookies.length === 0;
    const inHeaders = none ? [{ name: 'authorization', valuePrefix: 'Bearer ' }] : fromHeaders;
    for (const { name = '', valuePrefix = '' } of inHeaders)
      put(headers, name.toLowerCase() + valuePrefix, issuer, () => headerPlace(name.toLowerCase(), valuePrefix));
    for (const name of none ? ['access_token'] : fromParams) put(params, name, issuer, () => paramPlace(name));
    for (const name of fromCookies) put(cookies, name, issuer, () => cookiePlace(name));
  }
  const sorted = [headers, params, cookies].flatMap((places) => [...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place));
  return (request) =>
    sorted.flatMap(({ issuers, find, remove }) =>
      find(request).map((token) => ({ token, mayBeOf: (issuer: string) => issuers.has('') || issuers.has(issuer), remove })),
    );
}

function headerPlace(name: string, prefix: string): Omit<Place, 'issuers'> {
  return {
    find(request) {
      return request.headerValues(name).flatMap((value) => {
        if (prefix === '') return value;
        const at = value.indexOf(prefix);
        if (at < 0) return [];
        const start = value.slice(at + prefix.length).search(LEGAL);
        return start < 0 ? value : value.slice(at + prefix.length + start);
      });
    },
    remove(request) {
      removeHeader(request.headers, name);
      request.headersChanged();
    },
  };
}

function paramPlace(name: string): Omit<Place, 'issuers'> {
  return {
    find(request) {
      const value = parametersOf(request.path).find(([key]) => key === name)?.[1];
      return value === undefined ? [] : [value];
    },
    remove(request) {
      const { path } = request;
      const end = path.indexOf('?');
      if (end < 0) return;
      const kept = parametersOf(path).filter(([key]) => key !== name);
      // Envoy writes the query anew.
      const query = kept.map(([key, value]) => `${encode(key)}=${encode(value)}`).join('&');
      request.path = path.slice(0, end) + (query === '' ? '' : `?${query}`);
      request.headersChanged();
    },
  };
}

function cookiePlace(name: string): Omit<Place, 'issuers'> {
  return {
    find(request) {
      const value = cookieValue(request, name);
      return value === undefined ? [] : [value];
    },
    // Envoy leaves cookies as they are.
    remove() {},
  };
}

/** Decoded names and values of a path's query. */
function parametersOf(path: string): [string, string][] {
  const start = path.indexOf('?');
  if (start < 0) return [];
  const hash = path.indexOf('#', start);
  const query = path.slice(start + 1, hash < 0 ? undefined : hash);
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [decode(pair), ''] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
    });
}

const decode = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
const encode = (text: string): string =>
  text.replace(/[^A-Za-z0-9_.~-]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
