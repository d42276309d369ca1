import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textFile } from '../../src/config/text-file.ts';
import { FairleadError, type Problem } from '../../src/errors.ts';
import { mergeSettings } from '../../src/install/settings/merge.ts';
import { readSettings } from '../../src/install/settings/read-settings.ts';
import { settingOf } from '../../src/install/settings/set-flag.ts';

const read = (texts: string[], sets: string[] = [], stored = {}) =>
  readSettings({ stored, files: texts.map((text, i) => textFile(`s${i}.yaml`, text)), sets, revision: '', version: '1.2.3' });

async function problems(texts: string[], sets: string[] = []): Promise<readonly Problem[]> {
  const error = await read(texts, sets).then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.instance(error, FairleadError);
  assert.is((error as FairleadError).code, 'E_CONFIG_INVALID');
  return (error as FairleadError).problems;
}

test('without any settings: the default profile', async () => {
  const { settings, file } = await read([]);
  assert.equal(file, {});
  assert.is(settings.namespace, 'fairlead-system');
  assert.is(settings.image, 'fairlead:1.2.3');
  assert.equal(
    settings.gateways.map(({ name, ports, replicas }) => ({ name, ports, replicas })),
    [
      {
        name: 'ingressgateway',
        ports: [
          { name: 'http', port: 80, targetPort: 8080 },
          { name: 'https', port: 443, targetPort: 8443 },
        ],
        replicas: { min: 2, max: 5, cpu: 80 },
      },
    ],
  );
});

test('later files go before earlier ones, --set before all, and null takes away', async () => {
  const { settings, file } = await read(
    ['namespace: a\nimage: one\ngateways: { web: { replicas: { min: 1 } } }', 'namespace: b\n---\ngateways: { ingressgateway: null }'],
    ['namespace=c', 'gateways.web.replicas.max=7', 'gateways.web.labels.app\\.kubernetes\\.io/name=web'],
    { logFormat: 'text' },
  );
  assert.is(settings.namespace, 'c');
  assert.is(settings.image, 'one');
  assert.is(settings.logFormat, 'text');
  const [web, ...others] = settings.gateways;
  assert.is(others.length, 0);
  assert.equal(web?.replicas, { min: 1, max: 7, cpu: 80 });
  assert.equal(web?.labels, { 'app.kubernetes.io/name': 'web' });
  // What an upgrade begins with says so again.
  assert.equal((await read([], [], file)).settings, settings);
});

test('--set has the type of its field', () => {
  assert.equal(settingOf('image=1.10'), { image: '1.10' });
  assert.equal(settingOf('namespace=true'), { namespace: 'true' });
  assert.equal(settingOf('definitions=false'), { definitions: false });
  assert.equal(settingOf('gateways.a.replicas.max=3'), { gateways: { a: { replicas: { max: 3 } } } });
  assert.equal(settingOf('gateways.a.ports=[{name: http, port: 80}]'), { gateways: { a: { ports: [{ name: 'http', port: 80 }] } } });
  assert.equal(settingOf('gateways.a.service.annotations.example\\.com/x=5'), {
    gateways: { a: { service: { annotations: { 'example.com/x': '5' } } } },
  });
  for (const wrong of ['', 'image', '=x', 'a..b=c', 'gateways.a.ports=[']) assert.throws(() => settingOf(wrong), /--set/);
});

test('unknown settings are refused with what was probably meant, where they were written', async () => {
  const [inFile] = await problems(['gateways:\n  web:\n    replica: { max: 3 }\n']);
  assert.match(inFile?.message ?? '', /there is no field `replica`/);
  assert.match(inFile?.hint ?? '', /replicas/);
  assert.equal(inFile?.position, { file: 's0.yaml', line: 3, column: 5 });
  const [typed] = await problems([], ['ca.storage.klassName=x']);
  assert.is(typed?.position?.file, '--set ca.storage.klassName=x');
  assert.match(typed?.hint ?? '', /className/);
  const [profile] = await problems(['profile: defualt']);
  assert.match(profile?.hint ?? '', /Did you mean default\?/);
  const [mesh] = await problems(['meshConfig: { trustDomian: x }']);
  assert.match(mesh?.hint ?? '', /trustDomain/);
});

test('everything that is wrong is said at once', async () => {
  const found = await problems(['namespace: No way\nlogFormat: xml\ngateways: { Web: { ports: [] } }\n']);
  assert.equal(found.map(({ rule }) => rule).sort(), ['schema/enum', 'schema/key', 'schema/pattern', 'schema/size']);
});

test('what is wrong between settings is said too', async () => {
  const cases: [string, RegExp][] = [
    ['gateways: { a: { replicas: { min: 4, max: 2 } } }', /`min` \(4\) is above `max` \(2\)/],
    ['gateways: { a: { ports: [{ name: http, port: 80 }, { name: web, port: 80, targetPort: 9000 }] } }', /two ports have the port 80/],
    ['gateways: { a: { ports: [{ name: http, port: 80 }, { name: web, port: 8080 }] } }', /two ports have the targetPort 8080/],
    ['gateways: { a: { ports: [{ name: http, port: 80, targetPort: 15020 }] } }', /15020 is a port of the agent/],
    ['gateways: { fairlead-ca: {} }', /cannot be called fairlead-ca/],
    ['gateways: { fairlead-webhook-x: {} }', /cannot be called fairlead-webhook-x/],
    [
      'injection: { capture: redirect, engine: envoy }\nmeshConfig: { proxyInboundListenPort: 16006 }',
      /redirected to port 15006, and the proxies would listen on 16006/,
    ],
    ['injection: { capture: redirect }', /redirected to Envoy alone, and `injection.engine` is auto/],
    ['gateways: { fairlead-agent: {} }', /cannot be called fairlead-agent: fairlead-agent is the installation’s own/],
    ['gateways: { a: { credentials: [fairlead-ca-state] } }', /no gateway may read the CA’s keys/],
    ['agent: { enabled: false }', /sidecars would ask an agent of their node, and there is none/],
    ['injection: { agent: pod }', /no namespace’s service accounts may/],
    ['meshConfig: { trustDomain: Prod }', /the trust domain has "P"/],
    ['meshConfig: { connectTimeout: 2h }', /at most 1h/],
    ['gateways: { a: { resources: { requests: { memory: 1Gi } } } }', /how much processor time/],
  ];
  for (const [text, message] of cases) assert.match((await problems([text]))[0]?.message ?? '', message);
});

test('a file of something else is told apart', async () => {
  assert.match((await problems(['kind: Gateway\n']))[0]?.message ?? '', /an object of the kind Gateway/);
  assert.match((await problems(['- a\n']))[0]?.message ?? '', /is a map of settings, not a list/);
  assert.is((await problems(['a: [\n']))[0]?.rule, 'yaml/syntax');
});

test('settings over settings: lists are replaced, what they were made of stays', () => {
  const under = { a: { b: [1, 2], c: 1 }, d: 1 };
  assert.equal(mergeSettings<unknown>(under, { a: { b: [3], e: { f: null, g: 2 } }, d: null }), { a: { b: [3], c: 1, e: { g: 2 } } });
  assert.equal(under, { a: { b: [1, 2], c: 1 }, d: 1 });
  const hostile = JSON.parse('{"__proto__": {"polluted": true}}') as object;
  mergeSettings<unknown>({}, hostile);
  assert.is(({} as { polluted?: boolean }).polluted, undefined);
});

test.run();
