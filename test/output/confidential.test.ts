/** What is wrong with a Secret is told without what is in it, in every form. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const KEY = 'TUlJRXNlY3JldGtleQ==';
const SECRETS = `apiVersion: v1
kind: Secret
metadata: { name: one }
data:
  tls.key: [${KEY}]
  other: { a: ${KEY} }
---
apiVersion: v1
kind: Secret
metadata: { name: two }
data: ${KEY}
---
apiVersion: v1
kind: Secret
metadata: { name: three }
stringData: ${KEY}
`;

for (const args of [['validate'], ['validate', '-o', 'json'], ['analyze'], ['analyze', '-o', 'json'], ['analyze', '-o', 'sarif']])
  test(
    args.join(' '),
    withScratch(async (_folder, write) => {
      const file = write('secrets.yaml', SECRETS);
      const { code, out, err } = await fairlead([...args, file]);
      assert.is(code, 1, out + err);
      assert.match(out + err, /must be a map, not a string/);
      assert.match(out + err, /secrets\.yaml/);
      assert.not.match(out + err, new RegExp(KEY));
    }),
  );

/** Not even YAML: whose field a line is, only the text around it tells. */
const BROKEN: Readonly<Record<string, string>> = {
  quote: `stringData:\n  tls.key: "${KEY}\n  more: x\n`,
  list: `data:\n  tls.key: [${KEY}\n`,
  indentation: `data:\n  tls.key: ${KEY}\n ca.crt: ${KEY}\n`,
  tab: `data:\n\ttls.key: ${KEY}\n`,
  text: `data:\n  ${KEY}\n  a: b\n`,
  value: `data:\n  a: ${KEY}: ${KEY}\n`,
  alias: `data:\n  a: *${KEY}\n`,
  tag: `stringData:\n  a: !${KEY}\n`,
  block: `stringData:\n  a: |${KEY}\n`,
};

for (const [name, data] of Object.entries(BROKEN))
  test(
    `broken: ${name}`,
    withScratch(async (_folder, write) => {
      const head = 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\n---\n';
      const file = write('broken.yaml', `${head}apiVersion: v1\nkind: Secret\nmetadata: { name: one }\n${data}`);
      const json = write('broken.json', `{ "kind": "Secret", "apiVersion": "v1", "data": { "tls.key": "${KEY}", ] }`);
      for (const args of [['validate'], ['analyze'], ['analyze', '-o', 'json'], ['analyze', '-o', 'sarif'], ['analyze', '-o', 'github']]) {
        const { code, out, err } = await fairlead([...args, file, json]);
        assert.is(code, 1, out + err);
        assert.match(out + err, /broken\.yaml/);
        assert.match(out + err, /broken\.json/);
        assert.not.match(out + err, new RegExp(KEY), args.join(' '));
      }
    }),
  );

test(
  'lines of other documents are shown, beside a Secret too',
  withScratch(async (_folder, write) => {
    const file = write('two.yaml', 'kind: Secret\napiVersion: v1\nmetadata: { name: s }\n---\nkind: Service\nspec: [a\n');
    const { out, err } = await fairlead(['validate', file]);
    assert.match(out + err, /6 \| spec: \[a\n/);
  }),
);

test.run();
