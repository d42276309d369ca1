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

test.run();
