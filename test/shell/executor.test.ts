/** The order of effects, as far as the executor keeps it; what each part does is tested where the part is. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pino } from 'pino';
import type { Lease } from '../../src/judge/lease.js';
import type { BindingTarget } from '../../src/monitors/contract.js';
import { Calibration } from '../../src/remedy/calibration.js';
import { Ledger } from '../../src/remedy/ledger.js';
import { type TableWriter, Weights } from '../../src/remedy/weights.js';
import { Journal } from '../../src/report/journal.js';
import { createExecutors } from '../../src/shell/executor.js';
import type { Destination } from '../../src/table/model.js';
import { parseRules } from '../../src/table/rules.js';

const directory = mkdtempSync(join(tmpdir(), 'ipvigil-executor-'));
after(() => rmSync(directory, { recursive: true }));

const parsed = parseRules('-A -t 10.0.0.100:80 -s wrr\n-a -t 10.0.0.100:80 -r 10.1.0.11:80 -m -w 5\n');
const [service] = parsed.ok ? parsed.snapshot.services : [];
const [destination] = service?.destinations ?? [];
assert.ok(service && destination);
const lease: Lease = {
	service: service.address,
	destination,
	state: 'held',
	written: 0,
	sinceMs: 0,
	untilMs: 30_000,
	count: 1,
	pid: 1,
	reason: 'a test',
};

/** Executors whose effects are words in `order`. */
function stage(dryRun: boolean) {
	const order: string[] = [];
	let standing = destination as Destination;
	const table: TableWriter = {
		service: async () => service && { ...service, destinations: [standing, { ...standing, address: '10.1.0.12' }] },
		setDestination: async (_service, written) => {
			order.push('written');
			standing = written;
			return 'done';
		},
	};
	const ledger = new Ledger(join(directory, dryRun ? 'dry' : 'wet'));
	const monitor: BindingTarget = {
		name: 'monitor',
		bind: async (_service, _destination, state) => {
			order.push(`monitor ${state}`);
			return { ok: true };
		},
		file: () => undefined,
	};
	const executors = createExecutors({
		probes: {
			probe: async (_listener, { method, request }, timeoutMs) => {
				order.push(`asked by ${method}: ${request}, ${timeoutMs} ms`);
				return { outcome: 'accepted', latencyMs: 0, detail: '' };
			},
		},
		weights: new Weights({ table, ledger, dryRun, nowMs: () => 0 }),
		ledger,
		calibration: new Calibration(directory, () => {}),
		holds: { keep: () => {} },
		binding: [monitor],
		telling: [],
		journal: new Journal({ directory, segmentBytes: 65_536, segments: 2 }),
		log: pino({ level: 'silent' }),
		dryRun,
		nowMs: () => 0,
		hearAudit: () => order.push('audit heard'),
		feed: (message) => order.push(message.kind === 'outcome' ? `outcome ${message.result}` : message.kind),
		noted: () => {},
	});
	const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
	return { order, ledger, executors, settled };
}

test('a probe asks as the judge says, and its answer comes back', async () => {
	const { order, executors, settled } = stage(false);
	const endpoint = { protocol: 'udp', family: 'inet', address: '10.1.0.11', port: 53 } as const;
	const listener = { endpoint, vip: undefined };
	const asking = { method: 'udp', request: 'who' } as const;
	executors.probe({ kind: 'probe', id: 'a', listener, asking, purpose: 'confirm', timeoutMs: 500 });
	await settled();
	assert.deepEqual(order, ['asked by udp: who, 500 ms', 'probe']);
});

test('the audit is heard out after a write and before its outcome', async () => {
	const { order, ledger, executors, settled } = stage(false);
	executors.setWeight({ kind: 'setWeight', id: 1, lease, expect: 5, to: 0 });
	assert.ok(ledger.read(lease), 'the lease is in the ledger before anything is awaited');
	await settled();
	assert.deepEqual(order, ['written', 'audit heard', 'outcome done']);
});

test('a dry run writes nothing and asks no monitor', async () => {
	const { order, executors, settled } = stage(true);
	executors.setWeight({ kind: 'setWeight', id: 1, lease, expect: 5, to: 0 });
	executors.bind({ kind: 'bind', service: service.address, destination, state: 'down' });
	await settled();
	assert.deepEqual(order, ['audit heard', 'outcome dry-run']);
});

test('a monitor is asked where it is no dry run', async () => {
	const { order, ledger, executors, settled } = stage(false);
	ledger.enter(lease);
	executors.bind({ kind: 'bind', service: service.address, destination, state: 'down' });
	await settled();
	assert.deepEqual(order, ['monitor down']);
});

test('a monitor is not asked to act under a lease that is not on record, but always to judge alone again', async () => {
	const { order, ledger, executors, settled } = stage(false);
	ledger.remove(lease);
	executors.bind({ kind: 'bind', service: service.address, destination, state: 'down' });
	executors.bind({ kind: 'bind', service: service.address, destination, state: 'up' });
	await settled();
	assert.deepEqual(order, ['monitor up']);
});
