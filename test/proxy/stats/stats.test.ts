import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { statsJson } from '../../../agent/proxy/stats/json.ts';
import { LogLinearHistogram } from '../../../agent/proxy/stats/log-linear-histogram.ts';
import { prometheusText } from '../../../agent/proxy/stats/prometheus.ts';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import { resetCounters } from '../../../agent/proxy/stats/reset.ts';
import { statsText } from '../../../agent/proxy/stats/text.ts';

const CLUSTER = 'cluster.outbound|80||a.b;';

function example() {
  const stats = createStatsRegistry();
  stats.counter(`${CLUSTER}.upstream_rq_total`).inc(7);
  stats.counter(`${CLUSTER}.upstream_rq_503`).inc(3);
  stats.counter(`${CLUSTER}.upstream_rq_5xx`).inc(6);
  stats.counter(`${CLUSTER}.upstream_rq_timeout`);
  stats.gauge(`${CLUSTER}.upstream_cx_active`).set(0);
  stats.gauge('server.live');
  for (const ms of [0, 0, 0, 0, 0, 2, 28]) stats.histogram(`${CLUSTER}.upstream_rq_time`).record(ms);
  return stats;
}

test('the same name is the same stat, until its prefix is removed', () => {
  const stats = createStatsRegistry();
  assert.is(stats.counter('a.b.c'), stats.counter('a.b.c'));
  stats.counter('a.b.c').inc();
  stats.counter('a.bc').inc(2);
  stats.gauge('a.b.g').set(1);
  stats.remove('a.b');
  assert.is(statsText(stats), 'a.bc: 2\n');
  assert.is(stats.counter('a.b.c').value, 0);
});

test('text: what Envoy 1.40 printed for the same values', () => {
  assert.is(
    statsText(example(), { filter: '^cluster' }),
    `${CLUSTER}.upstream_cx_active: 0
${CLUSTER}.upstream_rq_503: 3
${CLUSTER}.upstream_rq_5xx: 6
${CLUSTER}.upstream_rq_timeout: 0
${CLUSTER}.upstream_rq_total: 7
${CLUSTER}.upstream_rq_time: P0(nan,0) P25(nan,0) P50(nan,0) P75(nan,2.05) P90(nan,28.5) P95(nan,28.5) P99(nan,28.5) P99.5(nan,28.5) P99.9(nan,28.5) P100(nan,28.5)
`,
  );
});

test('quantiles within one bin go by rank, as in Envoy', () => {
  const seven = new LogLinearHistogram();
  for (let i = 0; i < 7; i++) seven.record(1);
  assert.equal(
    seven.quantiles([0, 0.25, 0.5, 0.75, 0.9, 1]).map((q) => q.toFixed(4)),
    ['1.0125', '1.0250', '1.0500', '1.0750', '1.0875', '1.0875'],
  );
  assert.ok(new LogLinearHistogram().quantiles([0.5]).every(Number.isNaN));
});

test('values keep two digits: no quantile is off by more than a tenth', () => {
  const histogram = new LogLinearHistogram();
  const values = Array.from({ length: 5000 }, (_, i) => Math.floor(1.003 ** i));
  for (const value of values) histogram.record(value);
  for (const q of [0.01, 0.25, 0.5, 0.9, 0.999]) {
    const exact = values[Math.ceil(q * values.length) - 1]!;
    assert.ok(Math.abs(histogram.quantiles([q])[0]! / exact - 1) <= 0.1, `${q}: ${exact}`);
  }
  assert.is(histogram.count, 5000);
});

test('odd values do no harm', () => {
  const histogram = new LogLinearHistogram();
  for (const value of [Number.NaN, -5, 0, 0.4, 99.99, 100, 4_294_967_295, 1e15]) histogram.record(value);
  assert.is(histogram.count, 8);
  assert.ok(histogram.quantiles([1])[0]! >= 1e15);
});

test('used only, filters, and a filter that is no regular expression', () => {
  const used = statsText(example(), { usedOnly: true });
  assert.not.match(used, 'upstream_rq_timeout');
  assert.not.match(used, 'server.live');
  assert.match(used, 'upstream_cx_active: 0');
  assert.is(statsText(example(), { filter: 'rq_5(03|xx)$' }).split('\n').length, 3);
  assert.match(statsText(example(), { filter: '(' }), /^Invalid re2 regex: missing closing \)/);
  // A look-ahead is none of RE2's.
  assert.match(statsText(example(), { filter: '(?=a)' }), 'Invalid re2 regex');
});

test("JSON in Envoy's form", () => {
  const json = statsJson(example(), { filter: 'rq_(503|time$)' });
  assert.ok('stats' in json);
  assert.equal(json.stats[0], { name: `${CLUSTER}.upstream_rq_503`, value: 3 });
  const last = json.stats[1]!;
  assert.ok('histograms' in last);
  assert.equal(last.histograms.supported_quantiles, [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]);
  assert.equal(last.histograms.computed_quantiles[0]!.values[3], { cumulative: 2.05, interval: null });
});

test('counters reset, and count as used still', () => {
  const stats = example();
  resetCounters(stats);
  assert.is(stats.counter(`${CLUSTER}.upstream_rq_total`).value, 0);
  assert.match(statsText(stats, { usedOnly: true }), 'upstream_rq_total: 0');
});

test("Prometheus: what Envoy 1.40 with Istio's tags printed for the same values", () => {
  const text = prometheusText(example(), { filter: '^cluster' });
  assert.is(
    text.slice(0, text.indexOf('# TYPE envoy_cluster_upstream_rq_time histogram')),
    `# TYPE envoy_cluster_upstream_rq counter
envoy_cluster_upstream_rq{cluster_name="outbound|80||a.b",response_code="503"} 3
envoy_cluster_upstream_rq{cluster_name="outbound|80||a.b",response_code_class="5xx"} 6
# TYPE envoy_cluster_upstream_rq_timeout counter
envoy_cluster_upstream_rq_timeout{cluster_name="outbound|80||a.b"} 0
# TYPE envoy_cluster_upstream_rq_total counter
envoy_cluster_upstream_rq_total{cluster_name="outbound|80||a.b"} 7
# TYPE envoy_cluster_upstream_cx_active gauge
envoy_cluster_upstream_cx_active{cluster_name="outbound|80||a.b"} 0
`,
  );
  const buckets = [...text.matchAll(/_bucket\{cluster_name="outbound\|80\|\|a\.b",le="([^"]+)"\} (\d+)/g)].map((m) => [m[1], Number(m[2])]);
  assert.equal(buckets.slice(0, 7), [
    ['0.5', 5],
    ['1', 5],
    ['5', 6],
    ['10', 6],
    ['25', 6],
    ['50', 7],
    ['100', 7],
  ]);
  assert.equal(buckets.slice(-2), [
    ['3600000', 7],
    ['+Inf', 7],
  ]);
  assert.is(buckets.length, 20);
  assert.match(text, 'envoy_cluster_upstream_rq_time_sum{cluster_name="outbound|80||a.b"} 30.540008557980314662927412427962\n');
  assert.match(text, 'envoy_cluster_upstream_rq_time_count{cluster_name="outbound|80||a.b"} 7\n');
});

test('Prometheus: tags of listeners, TCP and connection managers; names and values are made safe', () => {
  const stats = createStatsRegistry();
  stats.counter('tcp.outbound|80||a.b.downstream_cx_total').inc();
  stats.counter('listener.127.0.0.1_29002.downstream_cx_total').inc(12);
  stats.counter('listener.127.0.0.1_29002.http.outbound_0.0.0.0_80.downstream_rq_2xx').inc(4);
  stats.counter('http.outbound_0.0.0.0_80.downstream_rq_total').inc();
  stats.counter('http.inbound_0.0.0.0_80;.downstream_rq_total').inc();
  stats.counter('cluster.a"b\\c;.upstream_rq_total').inc();
  stats.counter('odd-name.1').inc();
  const text = prometheusText(stats);
  for (const line of [
    'envoy_tcp_downstream_cx_total{tcp_prefix="outbound|80||a.b"} 1',
    'envoy_listener_downstream_cx_total{listener_address="127.0.0.1_29002"} 12',
    'envoy_listener_http_outbound_0_0_0_0_80_downstream_rq{response_code_class="2xx",listener_address="127.0.0.1_29002"} 4',
    'envoy_http_outbound_0_0_0_0_80_downstream_rq_total{} 1',
    'envoy_http_downstream_rq_total{http_conn_manager_prefix="inbound_0.0.0.0_80"} 1',
    'envoy_cluster_upstream_rq_total{cluster_name="a\\"b\\\\c"} 1',
    'envoy_odd_name_1{} 1',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\n--- not in\n${text}`);
  }
  // The exposition format: every line is a comment or a sample, every metric's samples follow its one TYPE line.
  const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map((m) => m[1]);
  assert.is(new Set(types).size, types.length);
  for (const line of text.trimEnd().split('\n')) {
    assert.match(line, /^(# TYPE [a-z_][\w]* (counter|gauge|histogram)|[a-zA-Z_]\w*\{([a-z_]+="(\\.|[^"\\])*"(,|(?=\})))*\} \S+)$/);
  }
});

test.run();
