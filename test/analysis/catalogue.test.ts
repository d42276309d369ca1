import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ANALYZERS } from '../../src/analysis/analyzers/all.ts';
import { CATALOGUE, messageByCode, renderMessage } from '../../src/analysis/catalogue/catalogue.ts';
import { analyzeText } from './support.ts';

for (const { code, wrong, right, level, args } of CATALOGUE) {
  if (wrong === undefined || right === undefined) continue;
  test(`${code} is given for its wrong example, with position and arguments, and not for its right one`, async () => {
    const { findings } = await analyzeText(wrong, { ownProxies: true });
    const found = findings.filter((finding) => finding.code === code);
    assert.ok(found.length > 0, `not found; there are ${findings.map((f) => `${f.code} ${f.message}`).join('; ')}`);
    for (const finding of found) {
      assert.is(finding.level, level);
      assert.is(finding.position?.file, 'mesh.yaml');
      assert.equal(Object.keys(finding.args).sort(), args.map((arg) => arg.split(':')[0]!).sort());
      assert.not.match(finding.message, /[{}]|undefined|\[object|, $/);
    }
    const { findings: others } = await analyzeText(right, { ownProxies: true });
    assert.equal(
      others.filter((finding) => finding.code === code).map((finding) => finding.message),
      [],
    );
  });
}

test('every code has one message, and every code of an analyzer is in the catalogue', () => {
  const codes = CATALOGUE.map((message) => message.code);
  assert.equal(new Set(codes).size, codes.length);
  for (const { name, codes: own } of ANALYZERS) for (const code of own) assert.ok(messageByCode(code), `${name}: ${code}`);
});

test('every message that is not for clusters has examples', () => {
  const without = CATALOGUE.filter((message) => !message.precheck && (message.wrong === undefined || message.right === undefined));
  // Several clusters cannot be written into one file; cluster-services.test.ts has it.
  assert.equal(
    without.map((message) => message.code),
    ['IST0170'],
  );
});

test('every live code of Istio is there, with its name and level', async () => {
  const { LIVE_CODES } = await import('./live-codes.ts');
  const own = CATALOGUE.filter((message) => message.code.startsWith('IST')).map(({ code, name, level }) => `${code} ${name} ${level}`);
  assert.equal(own, LIVE_CODES);
});

test('templates leave out what is empty', () => {
  assert.is(renderMessage('a{x: (}{x::)} b', { x: '' }), 'a b');
  assert.is(renderMessage('a{x: (}{x::)} b {y}', { x: 'v', y: [1, 2] }), 'a (v) b 1, 2');
});

test.run();
