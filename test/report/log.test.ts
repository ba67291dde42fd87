import assert from 'node:assert/strict';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLog, type Log, type LogLevel } from '../../src/report/log.js';
import { LogOutput } from '../../src/report/log-output.js';

const folder = mkdtempSync(join(tmpdir(), 'ipvigil-log-'));
after(() => rmSync(folder, { recursive: true }));

/** What a log has written to its file when it was closed, line by line. */
async function written(level: LogLevel, say: (log: Log) => void): Promise<Record<string, unknown>[]> {
	const file = join(folder, `${level}.ndjson`);
	const log = createLog(level, new LogOutput(openSync(file, 'w')));
	say(log);
	await log.close();
	assert.equal(log.lost(), 0);
	return readFileSync(file, 'utf8')
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line));
}

test('a log line says when, how grave and what, for people and for programs', async () => {
	const [line] = await written('info', (log) => log.warn({ interface: 'eth1' }, 'not attached'));
	const { time, pid, ...rest } = line ?? {};
	assert.deepEqual(rest, { level: 'warn', interface: 'eth1', msg: 'not attached' });
	assert.equal(pid, process.pid);
	assert.equal(new Date(String(time)).toISOString(), time);
});

test('a log keeps to its level', async () => {
	const lines = await written('warn', (log) => {
		log.info('too small');
		log.warn('just right');
	});
	assert.deepEqual(
		lines.map(({ msg }) => msg),
		['just right'],
	);
});

test('a log that is written again says how many of its lines are missing', async () => {
	const file = join(folder, 'again.ndjson');
	const output = new LogOutput(openSync(file, 'w'));
	const log = createLog('info', output);
	output.onAgain(3);
	await log.close();
	const { level, lost, msg } = JSON.parse(readFileSync(file, 'utf8'));
	assert.deepEqual([level, lost], ['warn', 3]);
	assert.match(msg, /written again/);
});
