/** What `release`, `hold` and `resume` say of what they were answered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentencesOf as held } from '../../src/shell/commands/hold.js';
import { sentencesOf as released } from '../../src/shell/commands/release.js';
import { sentencesOf as resumed } from '../../src/shell/commands/resume.js';
import type { HoldAnswer } from '../../src/shell/control.js';

const [one, two] = ['tcp 10.0.0.100:80 > 10.1.0.11:80', 'tcp 10.0.0.100:80 > 10.1.0.12:80'];

test('a release says what is given back to whom, and what is left to the monitor', () => {
	const leases = [
		{ destination: one, owed: 5, written: 0, state: 'held', rehearsed: false, handsOffMs: 60_000 },
		{ destination: two, owed: 5, written: null, state: 'held', rehearsed: true, handsOffMs: 5_000 },
		{ destination: two, owed: 5, written: null, state: 'with-monitor', rehearsed: false, handsOffMs: 60_000 },
		{ destination: two, owed: 5, written: 0, state: 'held', rehearsed: true, handsOffMs: 60_000 },
	];
	assert.deepEqual(released({ format: 1, destination: 'all', leases }), [
		'4 leases are being ended:',
		`  ${one}: weight 5 will be given back for 0; hands off for 1 min`,
		`  ${two}: the monitor would judge alone again; hands off for 5 s`,
		`  ${two}: the monitor will judge alone again; hands off for 1 min`,
		`  ${two}: weight 5 would be given back for 0; hands off for 1 min`,
		'None of it is taken out again within that time, nor without new evidence.',
	]);
	const none = { format: 1 as const, leases: [] };
	assert.deepEqual(released({ ...none, destination: 'all' }), ['No lease stands.']);
	assert.deepEqual(released({ ...none, destination: one }), [`${one} is under no lease: there is nothing to release.`]);
});

test('a hold says until when, which leases stand, and where it could not be written down', () => {
	const endless: HoldAnswer = {
		format: 1,
		destination: one,
		until: null,
		reason: 'disk',
		leases: [],
		remembered: true,
	};
	assert.deepEqual(held(endless), [`${one} is held until it is resumed.`]);
	const until = '2026-11-22T10:00:00.000Z';
	assert.deepEqual(held({ ...endless, destination: 'all', until, leases: [one, two], remembered: false }), [
		`every destination is held until ${until}.`,
		'2 leases stand and will not be renewed; to end them at once: ipvigil release',
		`  ${one}`,
		`  ${two}`,
		'It could not be written down, and ends with this ipvigil; see its log.',
	]);
});

test('a resume says which holds are over, and whether another one stands', () => {
	assert.deepEqual(resumed({ format: 1, destination: one, ended: [one], stillHeld: false, remembered: true }), [
		`${one} is no longer held.`,
	]);
	assert.deepEqual(resumed({ format: 1, destination: one, ended: [], stillHeld: true, remembered: true }), [
		`${one} was not held by a hold of its own.`,
		'It is still held together with all others: ipvigil resume --all',
	]);
	assert.deepEqual(
		resumed({ format: 1, destination: 'all', ended: ['all', two], stillHeld: false, remembered: true }),
		['every destination is no longer held.', `${two} is no longer held.`],
	);
	assert.deepEqual(resumed({ format: 1, destination: 'all', ended: [], stillHeld: false, remembered: true }), [
		'Nothing was held.',
	]);
	assert.deepEqual(resumed({ format: 1, destination: one, ended: [one], stillHeld: false, remembered: false }), [
		`${one} is no longer held.`,
		'It could not be written down: after a restart of ipvigil it is held again; see its log.',
	]);
});
