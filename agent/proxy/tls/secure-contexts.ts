import type { SecureContext, SecureContextOptions } from 'node:tls';
import { type OwnCertificate, type TrustedCa, tls } from './certificate-material.ts';

/** Stands for no certificate, and for no trusted CA. */
const NONE = {};
/** By certificate and CA: they go when those do. */
const made = new WeakMap<object, WeakMap<object, Map<string, SecureContext>>>();

/**
 * OpenSSL's contexts, made when they are first needed. Clients of the same certificate, CA and settings share one: a mesh has thousands
 * of clusters that differ in the names of their servers alone, and a context is large. Servers have their own.
 */
export function secureContexts(
  options: SecureContextOptions,
  trusted: TrustedCa | undefined,
): (own: readonly OwnCertificate[]) => SecureContext {
  const { ca: _ca, sessionIdContext, ...settings } = options;
  const mine = new WeakMap<object, WeakMap<object, Map<string, SecureContext>>>();
  // A server's sessions are its own.
  const cache = sessionIdContext === undefined ? made : mine;
  const key = JSON.stringify(settings);
  return (own) => {
    const byCa = getOrMake(cache, own.length > 1 ? own : (own[0] ?? NONE), () => new WeakMap<object, Map<string, SecureContext>>());
    const byKey = getOrMake(byCa, trusted ?? NONE, () => new Map<string, SecureContext>());
    let context = byKey.get(key);
    if (context === undefined) {
      context = tls().createSecureContext({
        ...options,
        ...(own.length > 0 && {
          cert: own.map((one) => one.cert),
          key: own.map(({ key: pem, passphrase }) => (passphrase === undefined ? { pem } : { pem, passphrase })),
        }),
      });
      byKey.set(key, context);
    }
    return context;
  };
}

function getOrMake<V>(map: WeakMap<object, V>, key: object, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
