/** One BPF object: what is read from its file, what the load makes of it, and what its errors say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BpfLoadError, BpfObject, interfaceIndex } from '../../src/addon/index.js';
import { answer, loadFixture, openFixture, packetOf, recordBytes, refusalOf, u32, u64 } from './fixture.js';

test('a file that does not exist is ENOENT', () => {
	assert.throws(() => BpfObject.open('/nowhere.bpf.o'), {
		code: 'ENOENT',
		errno: -2,
		syscall: 'bpf_object__open_file',
		message: 'ENOENT: No such file or directory, bpf_object__open_file /nowhere.bpf.o',
	});
});

test('a file that is no BPF object is refused with libbpf’s reason', () => {
	assert.throws(
		() => BpfObject.open(process.execPath),
		(error: { log?: string }) => /not.*BPF/i.test(error.log ?? ''),
	);
});

test('names and struct sizes are known before the load', () => {
	const object = openFixture();
	assert.ok(object.programNames().includes('xdp_record') && object.programNames().includes('rejected'));
	assert.ok(['plain', 'per_cpu', 'devices', 'events'].every((name) => object.mapNames().includes(name)));
	assert.deepEqual(object.loadedProgramNames(), []);
	assert.equal(object.structSize('fixture_record'), recordBytes);
	assert.equal(object.structSize('no_such_struct'), undefined);
	assert.match(
		refusalOf(() => object.map('plain')),
		/^ENOENT/,
	);
	assert.match(
		refusalOf(() => object.attachTcx('tc_record', 1)),
		/^ENOENT/,
	);
	object.close();
});

test('a program that is not to be loaded by itself is left out, the others are loaded', () => {
	const object = loadFixture();
	const loaded = object.loadedProgramNames();
	assert.ok(loaded.includes('xdp_record'));
	assert.ok(!loaded.includes('rejected'));
	object.close();
});

test('setAutoload leaves a program out', () => {
	const object = openFixture();
	object.setAutoload('count_calls', false);
	object.load();
	assert.ok(!object.loadedProgramNames().includes('count_calls'));
	assert.match(
		refusalOf(() => object.attachTracing('count_calls')),
		/^ENOENT/,
	);
	object.close();
});

test('a rejected program gives the verifier’s reason', () => {
	const object = openFixture();
	object.setAutoload('rejected', true);
	assert.throws(
		() => object.load(),
		(error: unknown) => {
			assert.ok(error instanceof BpfLoadError);
			assert.equal(error.syscall, 'bpf_object__load');
			assert.equal(error.code, 'EACCES');
			assert.match(error.log, /invalid access to packet/);
			assert.match(error.message, /CAP_BPF/);
			return true;
		},
	);
	object.close();
});

test('variables are set by name, with their size, before the load only', () => {
	const object = openFixture();
	assert.equal(
		refusalOf(() => object.setVariable('no_such_variable', u32(1))),
		'ENOENT setVariable',
	);
	assert.throws(() => object.setVariable('answer', u64(1n)), /answer \(has 4 bytes, not 8\)/);
	object.setVariable('wide_answer', u64(1n));
	object.load();
	assert.equal(
		refusalOf(() => object.setVariable('answer', u32(1))),
		'EBUSY setVariable',
	);
	assert.equal(object.testRun('xdp_record', packetOf(64)).returnValue, answer);
	object.close();
});

test('the size of a map is set before the load only', () => {
	const object = openFixture();
	object.setMaxEntries('plain', 7);
	object.load();
	assert.equal(object.map('plain').maxEntries, 7);
	assert.match(
		refusalOf(() => object.setMaxEntries('plain', 8)),
		/^EBUSY/,
	);
	assert.match(
		refusalOf(() => object.setMaxEntries('no_such_map', 8)),
		/^ENOENT/,
	);
	object.close();
});

test('a test run gives back the verdict, the packet and the time', () => {
	const object = loadFixture();
	const packet = packetOf(100).fill(0xab);
	const result = object.testRun('tc_record', packet, { repeat: 10 });
	assert.equal(result.returnValue, 0xffff_ffff);
	assert.deepEqual(result.packet, packet);
	assert.ok(result.durationNs > 0);
	object.close();
});

test('a test run can come from an interface, in XDP and in tc', () => {
	const object = loadFixture();
	const from = interfaceIndex('lo') ?? 0;
	assert.equal(object.testRun('xdp_interface', packetOf(64), { interfaceIndex: from }).returnValue, from);
	assert.equal(object.testRun('tc_interface', packetOf(64), { interfaceIndex: from }).returnValue, from);
	object.close();
});

test('the verifier’s work is counted', () => {
	const object = loadFixture();
	const count = object.instructionCount('xdp_record');
	assert.ok(count.translated > 10 && count.verified > 10);
	object.close();
});

test('closing twice is harmless, and every other call is EBADF afterwards', () => {
	const object = loadFixture();
	const map = object.map('plain');
	object.close();
	object.close();
	for (const call of [
		() => object.load(),
		() => object.programNames(),
		() => object.map('plain'),
		() => object.structSize('fixture_record'),
		() => object.testRun('xdp_record', packetOf(64)),
		() => object.attachTcx('tc_record', 1),
	])
		assert.match(refusalOf(call), /^EBADF/);
	map.set(u32(1), u64(1n));
	map.close();
});
