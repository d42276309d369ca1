/** `analyze --fix` and `--posture`, as people type them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { analyze } from '../../src/analysis/analyze.ts';
import { planFixes } from '../../src/cli/fix-findings.ts';
import { loadForAnalysis } from '../../src/cli/load-analysis.ts';
import { writeChanges } from '../../src/edit/write-changes.ts';
import { fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const text = `# the shop
apiVersion: networking.istio.io/v1beta1 # old
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop.example.com]
  http:
    - match:
        - headers:
            X-User: {exact: anna} # a tester
      route:
        - destination: {host: shop.example.com}
`;
const fixed = text.replace('v1beta1', 'v1').replace('X-User', 'x-user');

test(
  'a dry run shows the diff and writes nothing; --fix writes it, comments stay, and again there is nothing to do',
  withScratch(async (folder) => {
    const file = join(folder, 'shop.yaml');
    writeFileSync(file, text);
    const dry = await fairlead(['analyze', 'shop.yaml', '--fix', '--dry-run'], { cwd: folder });
    assert.is(dry.code, 0, dry.err);
    assert.match(dry.out, /^--- a\/shop\.yaml\n\+\+\+ b\/shop\.yaml\n/);
    assert.match(dry.out, /\n-apiVersion: networking\.istio\.io\/v1beta1 # old\n\+apiVersion: networking\.istio\.io\/v1 # old\n/);
    assert.match(dry.err, /shop\.yaml:10:13: FL0111: Write X-User as x-user\n/);
    assert.match(dry.err, /2 findings would be fixed in 1 file\n/);
    assert.is(readFileSync(file, 'utf8'), text);
    const ran = await fairlead(['analyze', 'shop.yaml', '--fix', '-o', 'json'], { cwd: folder });
    assert.is(ran.code, 0, ran.err);
    assert.equal(JSON.parse(ran.out), []);
    assert.is(readFileSync(file, 'utf8'), fixed);
    const again = await fairlead(['analyze', 'shop.yaml', '--fix'], { cwd: folder });
    assert.match(again.err, /nothing to fix/);
    assert.is(readFileSync(file, 'utf8'), fixed);
  }),
);

test(
  'what is suppressed, in another namespace or below the threshold is not changed',
  withScratch(async (folder) => {
    const file = join(folder, 'shop.yaml');
    writeFileSync(file, text);
    for (const args of [
      ['-n', 'other'],
      ['--output-threshold', 'warning'],
      ['-S', 'FL0603=*', '-S', 'FL0111=*'],
    ]) {
      const ran = await fairlead(['analyze', 'shop.yaml', '--fix', ...args], { cwd: folder });
      assert.is(ran.code, 0, ran.err);
      assert.is(readFileSync(file, 'utf8'), text, args.join(' '));
    }
  }),
);

test(
  'a file that was changed meanwhile is left alone',
  withScratch(async (folder) => {
    const file = join(folder, 'shop.yaml');
    writeFileSync(file, text);
    const { changes } = await planFixes(async (overlays) => {
      const loaded = await loadForAnalysis([file], { overlays });
      const { findings } = await analyze(loaded);
      return { loaded, all: findings, chosen: findings };
    });
    writeFileSync(file, `${text}# by somebody else\n`);
    try {
      await writeChanges(changes);
      assert.unreachable();
    } catch (error) {
      assert.is((error as { code?: string }).code, 'E_FILE_CHANGED');
    }
    assert.is(readFileSync(file, 'utf8'), `${text}# by somebody else\n`);
  }),
);

test('wrong usage: standard input cannot be fixed, a dry run is one of --fix, and fixes are no posture', async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['-', '--fix'], /standard input cannot be fixed/],
    [['x.yaml', '--dry-run'], /--fix/],
    [['x.yaml', '--posture', '--fix'], /--posture/],
    [['x.yaml', '--posture', '-o', 'sarif'], /--posture has no format sarif/],
  ];
  for (const [args, says] of cases) {
    const ran = await fairlead(['analyze', ...args]);
    assert.is(ran.code, 2, ran.err);
    assert.match(ran.err, says);
    assert.not.match(ran.err, /\n\s+at /);
  }
});

test(
  'the posture as a table and as JSON; what cannot be read makes it exit 3',
  withScratch(async (folder) => {
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, namespace: shop, labels: {app: web}}\nspec: {containers: [{name: app, image: web}]}\n';
    writeFileSync(join(folder, 'a.yaml'), pod);
    const ran = await fairlead(['analyze', 'a.yaml', '--posture'], { cwd: folder });
    assert.is(ran.code, 0, ran.err);
    assert.match(ran.out, /^SCORE +WORKLOAD +PORT +MTLS/);
    const json = JSON.parse((await fairlead(['analyze', 'a.yaml', '--posture', '-o', 'json'], { cwd: folder })).out) as {
      ports: { workload: string; score: number; points: { reason: string }[] }[];
    };
    assert.equal(
      json.ports.map(({ workload, score, points }) => [workload, score, points[0]?.reason]),
      [['Pod shop/web-1', 20, 'it has no sidecar']],
    );
    writeFileSync(join(folder, 'a.yaml'), `${pod}---\nkind: [\n`);
    const broken = await fairlead(['analyze', 'a.yaml', '--posture'], { cwd: folder });
    assert.is(broken.code, 3);
    assert.match(broken.err, /errors? in the input/);
  }),
);

test.run();
