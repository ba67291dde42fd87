/** A recording is decided on as it was told, in its own time, and nothing comes of it but words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEndpointKey } from '../../src/decode/keys.js';
import { eventHeader, eventKind, neighbourEvent, refusalEvent, sender } from '../../src/decode/layout.generated.js';
import type { Assumption } from '../../src/shell/choices.js';
import { parseConfig } from '../../src/shell/config.js';
import { Replay } from '../../src/shell/replay.js';
import { ReplayClock } from '../../src/shell/replay-clock.js';
import { parseAddress } from '../../src/table/address.js';
import { parseRules } from '../../src/table/rules.js';
import { neighbourBytes } from '../decode/samples.js';

const head = { version: '9.9.9', pid: 4711, epochOffsetUs: 0, bootOffsetUs: 0 };

/** One refusal of 10.1.0.11:8080, as the wire's ring would have held it. */
function refusalRecord(atMs: number, client = '192.0.2.7'): Uint8Array {
	const record = new Uint8Array(refusalEvent.layout.size);
	const view = new DataView(record.buffer);
	eventHeader.kind.write(view, 0, eventKind.refusal);
	eventHeader.size.write(view, 0, record.length);
	eventHeader.timeNs.write(view, 0, atMs * 1e6);
	record.set(
		encodeEndpointKey({ protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 }),
		refusalEvent.endpoint.offset,
	);
	refusalEvent.clientPort.write(view, 0, 40_000);
	refusalEvent.answersSyn.write(view, 0, 1);
	refusalEvent.client.write(view, 0, parseAddress(client) ?? assert.fail());
	refusalEvent.sender.write(view, 0, sender.known);
	return record;
}

function tableOf(...servers: string[]) {
	const rules = servers.map((server) => `-a -t 10.0.0.100:80 -r ${server} -m -w 1\n`).join('');
	const parsed = parseRules(`-A -t 10.0.0.100:80 -s wrr\n${rules}`);
	assert.ok(parsed.ok);
	return parsed.snapshot;
}

/** A replay with two servers from second 1 on; its lines. */
function replayOf(probes: Assumption, mode = 'assist') {
	const lines: string[] = [];
	const replay = new Replay(
		{
			config: parseConfig(`mode: ${mode}`, 'x'),
			probes,
			onEntry: (atMs, { scenario }) => lines.push(`${atMs} ${scenario}`),
			onProbe: (atMs, listener, purpose, outcome) => {
				if (purpose === 'confirm') lines.push(`${atMs} probe ${listener}: ${outcome}`);
			},
			onMalformed: (reason) => lines.push(reason),
		},
		head,
	);
	replay.play({ kind: 'opened', vantages: ['wire'] });
	replay.play({ kind: 'table', atMs: 1000, snapshot: tableOf('10.1.0.11:8080', '10.1.0.12:8080') });
	const refuse = (atMs: number) => {
		const bytes = refusalRecord(atMs);
		replay.play({ kind: 'batch', atMs, vantage: 'wire', bytes, sizes: Uint32Array.of(bytes.length) });
	};
	const wait = (atMs: number) => {
		replay.play({ kind: 'batch', atMs, vantage: 'wire', bytes: new Uint8Array(), sizes: new Uint32Array() });
	};
	return { replay, lines, refuse, wait };
}

test('with probes refused, the server fails and its weight would be taken', () => {
	const { lines, refuse, wait } = replayOf('refused');
	refuse(2000);
	wait(2010);
	assert.deepEqual(lines, [
		'2000 probe tcp 10.1.0.11:8080: refused',
		'2000 suspect',
		'2001 failed',
		'2001 quiesce-dry-run',
	]);
});

test('what the last record began is decided too, however the recording ends', () => {
	for (const kind of ['end', 'torn'] as const) {
		const { replay, lines, refuse } = replayOf('refused');
		refuse(2000);
		replay.play({ kind } as Parameters<typeof replay.play>[0]);
		assert.deepEqual(lines, [
			'2000 probe tcp 10.1.0.11:8080: refused',
			'2000 suspect',
			'2001 failed',
			'2001 quiesce-dry-run',
		]);
	}
});

test('with probes accepted, the server is acquitted', () => {
	const { lines, refuse, wait } = replayOf('accepted');
	refuse(2000);
	wait(2010);
	assert.deepEqual(lines, ['2000 probe tcp 10.1.0.11:8080: accepted', '2000 suspect', '2001 acquitted']);
});

test('without an assumption nothing is decided that the evidence does not decide', () => {
	const { lines, refuse } = replayOf('none');
	refuse(2000);
	refuse(2010);
	assert.ok(lines.includes('2000 suspect'), lines.join());
	assert.ok(!lines.some((line) => /failed|quiesce/.test(line)), lines.join());
});

test('what is due between two batches happens in between, as a lease is renewed', () => {
	const { lines, refuse } = replayOf('refused');
	refuse(2000);
	refuse(60_000);
	const renewed = lines.filter((line) => line.endsWith(' renewed')).map((line) => Number.parseFloat(line));
	assert.ok(renewed.length >= 1 && renewed.every((atMs) => atMs > 20_000 && atMs < 60_000), lines.join());
});

test('the mode is as in the configuration', () => {
	const { lines, refuse } = replayOf('refused', 'observe');
	refuse(2000);
	refuse(2010);
	assert.equal(lines.at(-1), '2001 observed-only');
});

test('a refusal of outcome counts instead of one of the wire where outcome was there', () => {
	const { replay, lines, refuse } = replayOf('refused');
	replay.play({ kind: 'opened', vantages: ['wire', 'outcome'] });
	refuse(2000);
	refuse(2010);
	assert.deepEqual(lines, []);
});

test('a neighbour that failed is asked, and one that came back is not', () => {
	const { replay, lines } = replayOf('accepted');
	for (const [atMs, state] of [
		[2000, 2],
		[3000, 32],
	] as const) {
		const bytes = neighbourBytes.slice();
		neighbourEvent.state.write(new DataView(bytes.buffer), 0, state);
		replay.play({ kind: 'batch', atMs, vantage: 'link', bytes, sizes: Uint32Array.of(bytes.length) });
	}
	assert.deepEqual(lines, ['3000 probe tcp 10.1.0.11:8080: accepted', '3000 suspect']);
});

test('what was told before the first table is history', () => {
	const lines: string[] = [];
	const note = (line: string) => lines.push(line);
	const handlers = { onEntry: () => note('entry'), onProbe: () => note('probe'), onMalformed: note };
	const replay = new Replay({ config: parseConfig('', 'x'), probes: 'refused', ...handlers }, head);
	const bytes = refusalRecord(2000);
	replay.play({ kind: 'batch', atMs: 2000, vantage: 'wire', bytes, sizes: Uint32Array.of(bytes.length) });
	assert.deepEqual(lines, []);
});

test('a record that makes no sense is told, and the rest is judged', () => {
	const { replay, lines } = replayOf('refused');
	const bytes = Uint8Array.of(...new Uint8Array(8), ...refusalRecord(2000));
	const sizes = Uint32Array.of(8, bytes.length - 8);
	replay.play({ kind: 'batch', atMs: 2000, vantage: 'wire', bytes, sizes });
	assert.deepEqual(lines, [
		'a record of 8 octets, too short for a header',
		'2000 probe tcp 10.1.0.11:8080: refused',
		'2000 suspect',
	]);
});

test('the clock stands still until it is moved, and then what is due comes in order', () => {
	const clock = new ReplayClock();
	const done: string[] = [];
	clock.begin(100);
	clock.after(10, () => {
		done.push(`first at ${clock.nowMs()}`);
		clock.after(5, () => done.push(`from it at ${clock.nowMs()}`));
	});
	clock.after(5, () => done.push(`sooner at ${clock.nowMs()}`));
	clock.after(7, () => done.push('cancelled'))();
	clock.after(20, () => done.push('later'));
	assert.deepEqual([done, clock.nowMs()], [[], 100]);
	clock.advance(119);
	assert.deepEqual(done, ['sooner at 105', 'first at 110', 'from it at 115']);
	clock.advance(110);
	assert.equal(clock.nowMs(), 119);
	clock.advance(120);
	assert.equal(done.at(-1), 'later');
});
