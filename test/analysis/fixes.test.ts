/** Every fix: the finding is gone, no other came, and nothing else in the text changed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analyze } from '../../src/analysis/analyze.ts';
import { CATALOGUE } from '../../src/analysis/catalogue/catalogue.ts';
import { planFixes } from '../../src/cli/fix-findings.ts';
import { parseFiles } from '../../src/config/parse-config.ts';
import { textFile } from '../../src/config/text-file.ts';
import type { FileChange } from '../../src/edit/draft.ts';

/** Fixes everything in one text. */
async function fixText(text: string) {
  return planFixes(async (changes: readonly FileChange[]) => {
    const file = textFile('mesh.yaml', changes[0]?.after ?? text);
    const { resources, problems, meshConfig } = await parseFiles([file]);
    const { findings } = await analyze({ resources, problems, meshConfig, texts: [file] });
    return { loaded: undefined, all: findings, chosen: findings };
  });
}

const FIXABLE = ['IST0002', 'FL0111', 'FL0201', 'FL0602', 'FL0603', 'FL0604'];

test('the codes whose examples can be fixed', async () => {
  const fixable: string[] = [];
  for (const { code, wrong, precheck } of CATALOGUE) {
    if (wrong === undefined || precheck) continue;
    const { fixed } = await fixText(wrong);
    if (fixed.some((finding) => finding.code === code)) fixable.push(code);
  }
  assert.equal(fixable.sort(), [...FIXABLE].sort());
});

for (const code of FIXABLE) {
  test(`${code}: after the fix of its example the finding is gone, and no other came`, async () => {
    const { wrong = '' } = CATALOGUE.find((message) => message.code === code)!;
    const { after, left, changes } = await fixText(wrong);
    assert.is(changes.length, 1);
    assert.equal(left, []);
    assert.not.ok(after.all.some((finding) => finding.code === code));
  });
}

const vs = (body: string, version = 'v1'): string =>
  `apiVersion: networking.istio.io/${version} # kept\nkind: VirtualService\nmetadata: {name: shop}\nspec:\n${body}`;

const CASES: readonly (readonly [name: string, before: string, after: string])[] = [
  [
    'a weight that is left out gets what is left',
    vs(
      '  hosts: [a.example.com]\n  http:\n    - route:\n        - {destination: {host: a.example.com}, weight: 90} # most\n        - destination: {host: b.example.com}\n',
    ),
    vs(
      '  hosts: [a.example.com]\n  http:\n    - route:\n        - {destination: {host: a.example.com}, weight: 90} # most\n        - destination: {host: b.example.com}\n          weight: 10\n',
    ),
  ],
  [
    'mirrorPercent',
    vs(
      '  hosts: [a.example.com]\n  http:\n    - mirror: {host: c.example.com} # copies\n      mirrorPercent: 7\n      route:\n        - destination: {host: a.example.com}\n',
    ),
    vs(
      '  hosts: [a.example.com]\n  http:\n    - mirror: {host: c.example.com} # copies\n      route:\n        - destination: {host: a.example.com}\n      mirrorPercentage:\n        value: 7\n',
    ),
  ],
  [
    'a host that is there twice, and an old version',
    vs(
      '  hosts: [a.example.com, b.example.com, a.example.com]\n  http:\n    - route:\n        - destination: {host: a.example.com}\n',
      'v1alpha3',
    ),
    vs('  hosts: [a.example.com, b.example.com]\n  http:\n    - route:\n        - destination: {host: a.example.com}\n'),
  ],
  [
    'words and numbers where texts are needed',
    `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a, labels: {app.kubernetes.io/version: 1.10}}
spec:
  host: a.example.com
  subsets:
    - name: v1
      labels:
        version: on # not a boolean
`,
    `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a, labels: {app.kubernetes.io/version: "1.10"}}
spec:
  host: a.example.com
  subsets:
    - name: v1
      labels:
        version: "on" # not a boolean
`,
  ],
  [
    'several headers of one match',
    vs(
      '  hosts: [a.example.com]\n  http:\n    - match:\n        - headers: {X-A: {exact: a}, "X-B": {exact: b}} # who\n      route:\n        - destination: {host: a.example.com}\n',
    ),
    vs(
      '  hosts: [a.example.com]\n  http:\n    - match:\n        - headers: {x-a: {exact: a}, x-b: {exact: b}} # who\n      route:\n        - destination: {host: a.example.com}\n',
    ),
  ],
];

for (const [name, before, after] of CASES) {
  test(`fixed: ${name}`, async () => {
    const { changes, left } = await fixText(before);
    assert.equal(left, []);
    assert.is(changes[0]?.after, after);
    // Once more: nothing is left to do.
    assert.equal((await fixText(after)).changes, []);
  });
}

test('weights that are all written and do not add up are nobody’s to guess', async () => {
  const text = vs(
    '  hosts: [a.example.com]\n  http:\n    - route:\n        - {destination: {host: a.example.com}, weight: 90}\n        - {destination: {host: b.example.com}, weight: 20}\n',
  );
  assert.equal((await fixText(text)).changes, []);
});

test('a fix that would bring another finding is left, the others are made', async () => {
  const text = `${vs(
    '  hosts: [a.example.com]\n  http:\n    - route:\n        - destination: {host: reviews.other}\n',
    'v1beta1',
  )}---\napiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: other}\nspec: {ports: [{name: http, port: 80}, {name: http-b, port: 81}]}\n`;
  const { changes, left, fixed } = await fixText(text);
  assert.equal(
    fixed.map(({ code }) => code),
    ['FL0603'],
  );
  assert.match(left[0]?.why ?? '', /IST0112/);
  assert.match(changes[0]?.after ?? '', /host: reviews\.other}/);
});

test.run();
