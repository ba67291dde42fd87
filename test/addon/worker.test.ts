/** Threads that end while the kernel delivers: nothing crashes, and nothing stays open. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

const rounds = 20;

function start(behaviour: string): Worker {
	return new Worker(new URL('./flow-worker.js', import.meta.url), { workerData: behaviour });
}

/** What BPF objects and netlink sockets would leave behind. */
function openDescriptors(): number {
	const targets = readdirSync('/proc/self/fd').map((fd) => {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`);
		} catch {
			return ''; // The descriptor of this very directory is closed by now.
		}
	});
	return targets.filter((target) => /bpf|socket/.test(target)).length;
}

test('a worker that is terminated in mid-flow leaves nothing behind, twenty times', async () => {
	const before = openDescriptors();
	for (let round = 0; round < rounds; round++) {
		const worker = start('flow');
		await once(worker, 'message');
		assert.equal(await worker.terminate(), 1);
	}
	assert.equal(openDescriptors(), before);
});

test('a worker that exits inside its own callback leaves nothing behind', async () => {
	const before = openDescriptors();
	assert.deepEqual(await once(start('exit'), 'exit'), [0]);
	assert.equal(openDescriptors(), before);
});

test('what onBatch throws is an uncaught exception', async () => {
	const [error] = await once(start('throwInCallback'), 'error');
	assert.equal(error.message, 'from onBatch');
});

test('a reader that nobody refers to goes on delivering', async () => {
	const worker = start('forget');
	assert.deepEqual(await once(worker, 'message', { signal: AbortSignal.timeout(5000) }), ['ready']);
	await worker.terminate();
});

test('an open ring keeps its thread alive, a closed one does not', async () => {
	const worker = start('stayAlive');
	const exited = once(worker, 'exit');
	assert.deepEqual(await once(worker, 'message', { signal: AbortSignal.timeout(5000) }), ['closed']);
	assert.deepEqual(await exited, [0]);
});
