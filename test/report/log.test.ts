import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../src/report/log.js';

function capture(level: Parameters<typeof createLog>[0]) {
	const lines: string[] = [];
	return { lines, log: createLog(level, { write: (line: string) => void lines.push(line) }) };
}

test('a log line says when, how grave and what, for people and for programs', () => {
	const { lines, log } = capture('info');
	log.warn({ interface: 'eth1' }, 'not attached');
	const { time, pid, ...rest } = JSON.parse(lines[0] ?? '');
	assert.deepEqual(rest, { level: 'warn', interface: 'eth1', msg: 'not attached' });
	assert.equal(pid, process.pid);
	assert.equal(new Date(time).toISOString(), time);
});

test('a log keeps to its level', () => {
	const { lines, log } = capture('warn');
	log.info('too small');
	log.warn('just right');
	assert.equal(lines.length, 1);
});
