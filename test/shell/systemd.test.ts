/** What systemd is told, and that nothing is sent where it does not listen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServiceNotifier } from '../../src/shell/systemd.js';

test('outside of systemd nothing is sent', () => {
	const sent: string[][] = [];
	const notifier = createServiceNotifier({}, (assignments) => sent.push(assignments));
	notifier.ready('up');
	notifier.stopping('down');
	assert.deepEqual(sent, []);
});

test('ready, status and stopping carry a status of one line', () => {
	const sent: string[][] = [];
	const notifier = createServiceNotifier({ NOTIFY_SOCKET: '/x' }, (assignments) => sent.push(assignments));
	notifier.ready('up');
	notifier.status('a\nb');
	notifier.stopping('down');
	assert.deepEqual(sent, [['READY=1', 'STATUS=up'], ['STATUS=a b'], ['STOPPING=1', 'STATUS=down']]);
});

test('the watchdog is fed in half of its period, only while we are alive, until it is ended', async () => {
	const sent: string[][] = [];
	let alive = true;
	const environment = { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '40000' };
	const notifier = createServiceNotifier(environment, (assignments) => sent.push(assignments));
	const end = notifier.startWatchdog(() => alive);
	await sleep(100);
	assert.ok(sent.length >= 2, `${sent.length} sent`);
	assert.deepEqual(sent[0], ['WATCHDOG=1']);
	alive = false;
	const before = sent.length;
	await sleep(60);
	assert.equal(sent.length, before);
	end();
});

test('without a watchdog there is none', async () => {
	const sent: string[][] = [];
	const notifier = createServiceNotifier({ NOTIFY_SOCKET: '/x' }, (assignments) => sent.push(assignments));
	notifier.startWatchdog(() => true)();
	await sleep(20);
	assert.deepEqual(sent, []);
});
