import { type Access, type Exposure, isGuarded, type MtlsInForce, type Points, type PortPosture } from './types.ts';

/**
 * The parts of a score, of 100: 40 for mutual TLS, 40 for who may call, 20 for not being reachable from outside. What cannot be relied on
 * counts less: identities without enforced mutual TLS are 25 of 40.
 */
export function pointsFor(mtls: PortPosture['mtls'], access: Access, exposures: readonly Exposure[]): Points[] {
  return [mtlsPoints(mtls), accessPoints(access, mtls.mode), exposurePoints(exposures)];
}

function mtlsPoints({ mode, references }: PortPosture['mtls']): Points {
  const [points, reason] = {
    STRICT: [40, 'only mutual TLS is accepted'] as const,
    PERMISSIVE: [
      15,
      references.length > 0 ? 'plain text is accepted as well' : 'plain text is accepted as well: no PeerAuthentication says otherwise',
    ] as const,
    DISABLE: [0, 'mutual TLS is switched off'] as const,
    none: [0, 'it has no sidecar'] as const,
    unguarded: [
      0,
      references.length > 1
        ? 'STRICT is not enforced: calls go past its proxy, plain text included'
        : 'calls go past its proxy, in plain text',
    ] as const,
  }[mode];
  return { part: 'mutual TLS', points, of: 40, reason, references };
}

function accessPoints({ callers, byIdentity, references }: Access, mode: MtlsInForce): Points {
  const of = (points: number, reason: string): Points => ({ part: 'callers', points, of: 40, reason, references });
  if (!isGuarded(mode))
    return of(0, references.length > 0 ? 'no policy is enforced there: no proxy is in front' : 'no proxy is in front that could refuse');
  if (callers === 'everyone') return of(0, references.length > 0 ? 'a rule lets everybody in' : 'no AuthorizationPolicy allows only some');
  if (callers === 'nobody') return of(40, 'nobody is let in');
  if (!byIdentity) return of(25, 'some requests are let in, not by who asks');
  return mode === 'STRICT'
    ? of(40, 'only known clients are let in')
    : of(25, 'only known clients are let in, but plain text is accepted, which proves no identity');
}

function exposurePoints(exposures: readonly Exposure[]): Points {
  const of = (points: number, reason: string, those: readonly Exposure[]): Points => ({
    part: 'exposure',
    points,
    of: 20,
    reason,
    references: those.flatMap(({ references }) => references),
  });
  const direct = exposures.filter(({ by }) => by === 'service');
  if (direct.length > 0) return of(0, 'its Service has an address outside of the mesh: no gateway is on the way', direct);
  const plain = exposures.filter(({ tls }) => !tls);
  if (plain.length > 0) return of(5, 'it can be reached from outside in plain text', plain);
  return exposures.length > 0 ? of(15, 'it can be reached from outside, by TLS', exposures) : of(20, 'no gateway leads to it', []);
}
