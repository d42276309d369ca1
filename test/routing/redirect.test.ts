import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { match } from '../../src/routing/match.ts';
import { redirectLocation } from '../../src/routing/redirect.ts';
import { compiled, request } from './compiled.ts';

const config = compiled({
  virtualHosts: [
    {
      name: 'tls',
      domains: ['tls.com', 'tls.com:*'],
      requireTls: 'ALL',
      routes: [{ match: { prefix: '/' }, directResponse: { status: 200 } }],
    },
    {
      name: 'ext',
      domains: ['ext.com'],
      requireTls: 'EXTERNAL_ONLY',
      routes: [{ match: { prefix: '/' }, directResponse: { status: 200 } }],
    },
    {
      name: 'v',
      domains: ['*'],
      routes: [
        { match: { prefix: '/host' }, redirect: { hostRedirect: 'new.com' } },
        { match: { prefix: '/path' }, redirect: { pathRedirect: '/np' } },
        { match: { prefix: '/pq' }, redirect: { pathRedirect: '/np?z=1' } },
        { match: { prefix: '/https' }, redirect: { httpsRedirect: true } },
        { match: { prefix: '/scheme' }, redirect: { schemeRedirect: 'ftp' } },
        { match: { prefix: '/port' }, redirect: { portRedirect: 8443 } },
        { match: { prefix: '/hp' }, redirect: { hostRedirect: 'n.com', portRedirect: 81, schemeRedirect: 'https', responseCode: 'FOUND' } },
        { match: { prefix: '/pre' }, redirect: { prefixRewrite: '/new' } },
        { match: { prefix: '/rgx' }, redirect: { regexRewrite: { pattern: { regex: '^/rgx/(.*)$' }, substitution: '/o/\\1' } } },
        { match: { prefix: '/strip' }, redirect: { hostRedirect: 'x', stripQuery: true } },
        { match: { prefix: '/p3strip' }, redirect: { pathRedirect: '/np?z=1', stripQuery: true } },
        { match: { path: '/exact' }, redirect: { prefixRewrite: '/new' } },
        { match: { safeRegex: { regex: '/re/.*' } }, redirect: { prefixRewrite: '/new' } },
        { match: { prefix: '/empty' }, redirect: { pathRedirect: '' } },
        { match: { prefix: '/308' }, redirect: { hostRedirect: 'x', responseCode: 'PERMANENT_REDIRECT' } },
        { match: { prefix: '/303' }, redirect: { hostRedirect: 'x', responseCode: 'SEE_OTHER' } },
        { match: { prefix: '/307' }, redirect: { hostRedirect: 'x', responseCode: 'TEMPORARY_REDIRECT' } },
        { match: { prefix: '/toHttp' }, redirect: { schemeRedirect: 'http', portRedirect: 80 } },
        { match: { prefix: '/Case', caseSensitive: false }, redirect: { prefixRewrite: '/new' } },
        { match: { pathSeparatedPrefix: '/psp' }, redirect: { prefixRewrite: '/' } },
      ],
    },
  ],
});

/** As Envoy 1.40 answered. */
const rows: [path: string, authority: string, forwardedProto: string, expected: string][] = [
  ['/host/a?b=c', 'old.com', 'http', '301 http://new.com/host/a?b=c'],
  ['/host', 'old.com:8080', 'http', '301 http://new.com/host'],
  ['/path/x?q=1', 'o.com', 'http', '301 http://o.com/np?q=1'],
  ['/pq?q=1', 'o.com', 'http', '301 http://o.com/np?z=1'],
  ['/https/x?y', 'o.com:8080', 'http', '301 https://o.com:8080/https/x?y'],
  ['/https', 'o.com:80', 'http', '301 https://o.com/https'],
  ['/https', 'o.com:443', 'http', '301 https://o.com:443/https'],
  ['/https', 'o.com:80', 'https', '301 https://o.com:80/https'],
  ['/https', 'o.com:443', 'https', '301 https://o.com:443/https'],
  ['/scheme', 'o.com:80', 'http', '301 ftp://o.com/scheme'],
  ['/scheme', 'o.com:81', 'http', '301 ftp://o.com:81/scheme'],
  ['/port', 'o.com', 'http', '301 http://o.com:8443/port'],
  ['/port', 'o.com:9', 'http', '301 http://o.com:8443/port'],
  ['/port', '[::1]:9', 'http', '301 http://[::1]:8443/port'],
  ['/hp/z', 'o', 'http', '302 https://n.com:81/hp/z'],
  ['/pre/x?y=1', 'o', 'http', '301 http://o/new/x?y=1'],
  ['/rgx/abc?d=e', 'o', 'http', '301 http://o/o/abc?d=e'],
  ['/strip/a?b', 'o', 'http', '301 http://x/strip/a'],
  ['/p3strip?b', 'o', 'http', '301 http://o/np?z=1'],
  ['/exact?q', 'o', 'http', '301 http://o/new?q'],
  ['/re/x?q', 'o', 'http', '301 http://o/new?q'],
  ['/empty/x?q', 'o', 'http', '301 http://o/empty/x?q'],
  ['/308', 'o', 'http', '308 http://x/308'],
  ['/303', 'o', 'http', '303 http://x/303'],
  ['/307', 'o', 'http', '307 http://x/307'],
  ['/toHttp', 'o', 'http', '301 http://o:80/toHttp'],
  ['/toHttp', 'o.com:443', 'https', '301 http://o.com:80/toHttp'],
  ['/cAsE/x', 'o', 'http', '301 http://o/new/x'],
  ['/psp/x', 'o', 'http', '301 http://o//x'],
  ['/psp', 'o', 'http', '301 http://o/'],
  ['/x', 'tls.com', 'http', '301 https://tls.com/x'],
  ['/x?y', 'tls.com:80', 'http', '301 https://tls.com:80/x?y'],
  ['/x', 'ext.com', 'http', '301 https://ext.com/x'],
  ['/x', 'ext.com', 'https', 'direct-response'],
  ['/x', 'tls.com', 'https', 'direct-response'],
];

test('status and Location are those of Envoy', () => {
  for (const [path, authority, forwardedProto, expected] of rows) {
    const r = request(path, [], { authority, forwardedProto, scheme: forwardedProto });
    const decision = match(config, r);
    const got = decision.kind === 'redirect' ? `${decision.status} ${redirectLocation(decision, r)}` : decision.kind;
    assert.is(got, expected, `${path} ${authority} ${forwardedProto}`);
  }
});

test('EXTERNAL_ONLY lets internal requests pass', () => {
  assert.is(match(config, request('/x', [], { authority: 'ext.com', internal: true })).kind, 'direct-response');
});

test.run();
