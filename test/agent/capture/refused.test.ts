/** The embedded proxy cannot know where redirected connections were headed, and says so. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startMesh } from '../../support/mesh.ts';

const workload = (mode: string): string => `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: web
  annotations:
    sidecar.istio.io/interceptionMode: ${mode}
spec: { address: 127.0.0.1 }
`;

test('the embedded proxy refuses workloads whose connections are redirected, with the place; NONE is taken', async () => {
  const mesh = await startMesh({ 'web.yaml': workload('REDIRECT') }, { engine: 'embedded' });
  try {
    const { sync, problems, listening } = mesh.proxy('web.default');
    assert.equal([sync, problems.length, listening], ['ERROR', 1, []]);
    const [problem] = problems;
    assert.is(problem?.rule, 'unsupported/interception');
    assert.match(problem?.message ?? '', /^proxy web\.default: .*SO_ORIGINAL_DST/);
    assert.match(problem?.hint ?? '', /--engine envoy/);
    assert.equal([problem?.position?.line, problem?.path], [6, 'metadata.annotations["sidecar.istio.io/interceptionMode"]']);
    mesh.write('web.yaml', workload('NONE'));
    await mesh.agent.controller.sync();
    assert.is(mesh.proxy('web.default').sync, 'SYNCED');
  } finally {
    await mesh.close();
  }
});

test.run();
