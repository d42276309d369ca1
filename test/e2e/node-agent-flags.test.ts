/** What `agent run` says of flags of the node's agent that do not go together, or name what is not there. */
import { writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const CASES: readonly [args: string, said: RegExp][] = [
  ['--node-agent pods.sock --node-agent-token-file token', /--node-agent "pods\.sock" is not unix:PATH/],
  ['--node-agent unix:/x', /--node-agent-token-file/],
  ['--node-agent unix:/x --node-agent-token-file token -k', /--kubernetes=true cannot also be provided when using --node-agent/],
  ['--node-agent unix:/x --node-agent-token-file token -f .', /--config=\. cannot also be provided when using --node-agent/],
  ['-k --pod-socket /x --pods own', /--pod-socket serves the pods of a node, --pods own is for one pod/],
  ['--pod-socket /x -f .', /--kubernetes/],
];

for (const [args, said] of CASES)
  test(
    args,
    withScratch(async (folder) => {
      const kubeconfig = `${folder}/kubeconfig`;
      writeFileSync(
        kubeconfig,
        `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: u, user: { token: t } }]
contexts: [{ name: c, context: { cluster: c, user: u } }]
current-context: c
`,
      );
      const ran = await fairlead(['agent', 'run', ...args.split(' '), '--data', `${folder}/data`], { env: { KUBECONFIG: kubeconfig } });
      assert.is(ran.code, 2, ran.err);
      assert.match(ran.err, said);
    }),
  );

test.run();
