import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatSpiffeId, parseSpiffeId, workloadIdentity } from '../../src/pki/spiffe-id.ts';

const good = ['spiffe://example.org', 'spiffe://example.org/ns/a/sa/b', 'spiffe://1.2.3.4/a', 'spiffe://a_b-c.d/A.B_c-9/...x'];
// SPIFFE-ID 2.1 to 2.4.
const bad: [id: string, why: RegExp][] = [
  ['', /begin/],
  ['https://example.org/a', /begin/],
  ['SPIFFE://example.org/a', /begin/],
  ['spiffe://', /empty/],
  ['spiffe:///a', /empty/],
  ['spiffe://Example.org/a', /"E"/],
  ['spiffe://example.org:80/a', /":"/],
  ['spiffe://user@example.org/a', /"@"/],
  ['spiffe://example.org/a/', /slash/],
  ['spiffe://example.org//a', /empty segment/],
  ['spiffe://example.org/a/./b', /segment \./],
  ['spiffe://example.org/a/../b', /segment \.\./],
  ['spiffe://example.org/a%20b', /"%"/],
  ['spiffe://example.org/a?b', /"\?"/],
  ['spiffe://example.org/a#b', /"#"/],
  [`spiffe://example.org/${'a'.repeat(2048)}`, /longer than 2048/],
  [`spiffe://${'a'.repeat(256)}/a`, /longer than 255/],
];

test('IDs of the standard are read and written as they are', () => {
  for (const text of good) {
    const outcome = parseSpiffeId(text);
    assert.ok(outcome.ok, text);
    if (outcome.ok) assert.is(formatSpiffeId(outcome.id), text);
  }
});

test('everything else is refused with its reason', () => {
  for (const [text, why] of bad) {
    const outcome = parseSpiffeId(text);
    assert.match(outcome.ok ? 'taken' : outcome.reason, why, text);
  }
});

test('a workload is named as Istio names it', () => {
  assert.is(workloadIdentity('td@host', 'shop', 'web'), 'spiffe://td.host/ns/shop/sa/web');
});

test.run();
