/** Who tells of connection attempts, and which destinations the hooks inside IPVS are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { ListedDestination, OutcomeCapture } from '../../src/capture/outcome.js';
import type { AttemptSource } from '../../src/evidence/signal.js';
import { AttemptWatch } from '../../src/shell/attempts.js';
import { parseRules } from '../../src/table/rules.js';

function snapshotOf(...servers: string[]) {
	const lines = servers.map((server) => `-a -t 10.0.0.100:80 -r ${server}:80 -g -w 1`);
	const parsed = parseRules(['-A -t 10.0.0.100:80 -s rr', ...lines].join('\n'));
	assert.ok(parsed.ok);
	return parsed.snapshot;
}

/** A capture that notes what it is told; the first `failures` listings fail. */
class Recorder {
	readonly available = true;
	readonly hooks = [{ hook: 'watch_leave', attached: false, reason: 'inlined' }];
	readonly listings: string[][] = [];

	constructor(private failures = 0) {}

	setDestinations(wanted: readonly ListedDestination[]) {
		this.listings.push(wanted.map(({ destination }) => destination.address));
		if (this.failures-- > 0) throw new Error('E2BIG');
		return { added: wanted.length, removed: 0, refused: wanted.slice(2) };
	}
}

interface Line {
	msg: string;
	hook?: string;
	refused?: number;
}

function watch(capture: OutcomeCapture | undefined) {
	const lines: Line[] = [];
	const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) });
	const sources: AttemptSource[] = [];
	const watching = new AttemptWatch({ log, onSource: (source) => sources.push(source) });
	watching.use(capture);
	return { watching, lines, sources };
}

const recorded = (recorder: Recorder) => recorder as unknown as OutcomeCapture;

test('where the hooks are attached they tell, and a hook that is missing is named', () => {
	const { sources, lines } = watch(recorded(new Recorder()));
	assert.deepEqual(sources, ['wire', 'outcome']);
	assert.deepEqual(
		lines.map(({ hook }) => hook),
		['watch_leave'],
	);
});

test('without hooks the wire tells, and nothing is listed', () => {
	const { sources, lines, watching } = watch(undefined);
	watching.follow(snapshotOf('10.1.0.11'));
	assert.deepEqual([sources, lines], [['wire'], []]);
});

test('hooks that come late are told the table at once, and when they go the wire tells again', () => {
	const recorder = new Recorder();
	const { sources, watching } = watch(undefined);
	watching.follow(snapshotOf('10.1.0.11'));
	watching.use(recorded(recorder));
	watching.use(recorded(recorder));
	assert.deepEqual(recorder.listings, [['10.1.0.11']]);
	watching.use(undefined);
	assert.deepEqual(sources, ['wire', 'outcome', 'wire']);
});

test('destinations are listed when they change, and not with every snapshot', () => {
	const recorder = new Recorder();
	const { watching } = watch(recorded(recorder));
	for (const servers of [['10.1.0.11'], ['10.1.0.11'], ['10.1.0.11', '10.1.0.12']])
		watching.follow(snapshotOf(...servers));
	assert.deepEqual(recorder.listings, [['10.1.0.11'], ['10.1.0.11', '10.1.0.12']]);
});

test('a listing that fails is told and made again', () => {
	const recorder = new Recorder(1);
	const { watching, lines } = watch(recorded(recorder));
	for (let i = 0; i < 3; i++) watching.follow(snapshotOf('10.1.0.11'));
	assert.equal(recorder.listings.length, 2);
	assert.ok(lines.some(({ msg }) => msg.includes('trying again')));
});

test('destinations that do not fit are told', () => {
	const { watching, lines } = watch(recorded(new Recorder()));
	watching.follow(snapshotOf('10.1.0.11', '10.1.0.12', '10.1.0.13'));
	assert.equal(lines.find(({ refused }) => refused !== undefined)?.refused, 1);
});
