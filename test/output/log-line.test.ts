/** Events of the agent's log as `up` and `demo` show them. */
import { stripVTControlCharacters } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { logLine } from '../../src/output/log-line.ts';

const line = (level: 'info' | 'warning' | 'error', message: string, fields: Record<string, unknown> = {}): string =>
  logLine(level, message, fields, false);

test('what happened, to whom, why, and what comes next: one line', () => {
  assert.is(
    line('error', 'Envoy ended', { proxy: 'web.default', pid: 12, why: 'exit code 1', restartInMs: 250 }),
    'error: Envoy ended (web.default): exit code 1; it starts again in 0.25 s',
  );
  assert.is(
    line('warning', 'xDS: refused', { type: 'CDS', resources: ['a'], reason: 'no' }),
    'warning: xDS: refused: no [type CDS, resources ["a"]]',
  );
  assert.is(line('info', 'took over the running proxy', { pid: 3 }), 'took over the running proxy');
});

test('what a proxy said does not steer the terminal, and stays on its line', () => {
  assert.is(line('error', 'Envoy ended', { why: 'two\nlines \x1b[2J' }), 'error: Envoy ended: two lines \ufffd[2J');
  assert.is(stripVTControlCharacters(logLine('error', 'x', {}, true)), 'error: x');
});

test.run();
