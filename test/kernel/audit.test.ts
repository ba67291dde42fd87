/**
 * audit.bpf.c as far as a kernel without IPVS goes: the iterator loads and prints, pins are made, recognised and
 * cleaned, and a missing hook is told. The hooks themselves are tried in the lab. Needs root.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BpfMap, type BpfObject } from '../../src/addon/index.js';
import { openAudit } from '../../src/capture/audit.js';
import { PinDirectory } from '../../src/capture/pins.js';
import { loadObject } from '../../src/capture/programs.js';
import { encodeDestinationKey } from '../../src/decode/keys.js';
import { EVENTS_VERSION, operation, writerValue } from '../../src/decode/layout.generated.js';
import type { ServiceAddress } from '../../src/table/model.js';

const sink = { onEvents: () => {}, onError: () => {} };

function lastWrite(pid: number, weight: number, writes: number, comm: string): Uint8Array {
	const value = new Uint8Array(writerValue.layout.size);
	const view = new DataView(value.buffer);
	writerValue.pid.write(view, 0, pid);
	writerValue.weight.write(view, 0, weight);
	writerValue.writes.write(view, 0, writes);
	writerValue.operation.write(view, 0, operation.edit);
	value.set(Buffer.from(comm), writerValue.comm.offset);
	return value;
}

describe('the audit', () => {
	let bpffs: string;
	before(() => {
		bpffs = mkdtempSync(join(tmpdir(), 'ipvigil-bpffs-'));
		execFileSync('mount', ['-t', 'bpf', 'bpf', bpffs]);
	});
	after(() => {
		execFileSync('umount', [bpffs]);
		rmdirSync(bpffs);
	});

	describe('iterator', () => {
		let object: BpfObject;
		before(() => {
			object = loadObject({ object: 'audit', programs: ['show_writers'] });
		});
		after(() => object.close());

		const tcp4: ServiceAddress = {
			kind: 'address',
			protocol: 'tcp',
			family: 'inet',
			address: '10.0.0.100',
			port: 8080,
		};
		const udp6: ServiceAddress = { kind: 'address', protocol: 'udp', family: 'inet6', address: '2001:db8::', port: 53 };
		const entries: [ServiceAddress, string, Uint8Array, string][] = [
			[
				tcp4,
				'10.1.0.11',
				lastWrite(4711, 0, 3, 'ipvigil'),
				'tcp 10.0.0.100:8080 10.1.0.11:80 pid=4711 weight=0 writes=3 comm=ipvigil',
			],
			[
				udp6,
				'2001:0:0:1::1',
				lastWrite(1, 100, 1, 'keepalived'),
				'udp [2001:db8::]:53 [2001:0:0:1::1]:80 pid=1 weight=100 writes=1 comm=keepalived',
			],
			[
				{ kind: 'fwmark', family: 'inet', fwmark: 7 },
				'10.1.0.12',
				lastWrite(2, -1, 2, 'ipvsadm'),
				'fwmark 7 10.1.0.12:80 pid=2 weight=-1 writes=2 comm=ipvsadm',
			],
			[
				{ kind: 'fwmark', family: 'inet6', fwmark: 8 },
				'2001:db8:0:1:1:1:1:1',
				lastWrite(3, 1, 1, 'a b\nc'),
				'fwmark 8 inet6 [2001:db8:0:1:1:1:1:1]:80 pid=3 weight=1 writes=1 comm=a?b?c',
			],
		];

		it('prints one line per destination, which cat can read', () => {
			const writers = object.map('writers');
			for (const [service, address, value] of entries)
				writers.set(encodeDestinationKey(service, { address, port: 80 }), value);
			const path = join(bpffs, 'show_writers');
			const link = object.attachIterator('show_writers', 'writers');
			link.pin(path);
			link.close();
			const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
			assert.deepEqual(lines.sort(), entries.map(([, , , line]) => line).sort());
			execFileSync('rm', [path]);
		});
	});

	describe('pin directory', () => {
		it('unpins what other versions left and keeps its own', () => {
			const root = join(bpffs, 'pins');
			const stale = join(root, `v${EVENTS_VERSION + 1}`);
			mkdirSync(stale, { recursive: true });
			const pins = new PinDirectory(root);
			const object = loadObject({ object: 'audit', programs: [], pins: { writers: join(stale, 'writers') } });
			object.map('writers').pin(pins.path('writers'));
			object.close();
			assert.deepEqual(pins.removeStale(), [`v${EVENTS_VERSION + 1}`]);
			assert.ok(!existsSync(stale));
			assert.ok(pins.has('writers'));
			pins.removeAll();
			assert.ok(!existsSync(pins.path('writers')));
		});

		it('lets the next load take over the maps that are pinned', () => {
			const pins = new PinDirectory(join(bpffs, 'again'));
			const settings = { object: 'audit', programs: [], pins: { writers: pins.path('writers') } } as const;
			const key = encodeDestinationKey(
				{ kind: 'fwmark', family: 'inet', fwmark: 7 },
				{ address: '10.1.0.11', port: 80 },
			);
			const first = loadObject(settings);
			first.map('writers').set(key, lastWrite(1, 2, 3, 'one'));
			first.close();
			const second = loadObject(settings);
			assert.equal(second.map('writers').get(key)?.[0], 3);
			assert.equal(BpfMap.openPinned(pins.path('writers')).keySize, key.length);
			second.close();
			pins.removeAll();
		});

		it('is refused outside of bpffs', () => {
			const directory = mkdtempSync(join(tmpdir(), 'ipvigil-pins-'));
			const audit = openAudit({ pinDirectory: directory, ...sink });
			assert.ok(!audit.available);
			assert.equal(audit.code, 'NO_BPFFS');
			assert.match(audit.remedy, /mount -t bpf/);
			assert.deepEqual(readdirSync(directory), []);
			rmdirSync(directory);
		});
	});

	const loaded = existsSync('/sys/module/ip_vs') && 'ip_vs is loaded on this machine';
	it('without the ip_vs module says so, and leaves no pin behind', { skip: loaded }, () => {
		const directory = join(bpffs, 'audit');
		const audit = openAudit({ pinDirectory: directory, ...sink });
		assert.ok(!audit.available);
		assert.equal(audit.code, 'NO_IP_VS');
		assert.match(audit.remedy, /modprobe ip_vs/);
		assert.deepEqual(readdirSync(directory), []);
	});

	it('without pins says the same', { skip: loaded }, () => {
		const audit = openAudit({ pinDirectory: undefined, ...sink });
		assert.ok(!audit.available);
		assert.equal(audit.code, 'NO_IP_VS');
	});
});
