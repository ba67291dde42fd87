/**
 * The BPF object of these tests (addon_fixture.bpf.c), loaded for real: they need root and a kernel with BTF. Each test
 * file is a process of its own, so that nothing attached outlives it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BpfObject, objectPath } from '../../src/addon/index.js';

/** BpfMap types of linux/bpf.h that appear here. */
export const mapTypeHash = 1;
export const mapTypePerCpuHash = 5;

/** What xdp_record returns for every packet: XDP_PASS, so that it may also be attached. */
export const answer = 2;

/** `struct fixture_record` in addon_fixture.bpf.c. */
export const recordBytes = 16;

export function u32(...values: number[]): Uint8Array {
	return new Uint8Array(Uint32Array.from(values).buffer);
}

export function u64(...values: bigint[]): Uint8Array {
	return new Uint8Array(BigUint64Array.from(values).buffer);
}

export function wordsOf(bytes: Uint8Array): number[] {
	return [...new Uint32Array(bytes.slice().buffer)];
}

export function openFixture(): BpfObject {
	const object = BpfObject.open(objectPath('addon_fixture'));
	object.setVariable('answer', u32(answer));
	return object;
}

export function loadFixture(): BpfObject {
	const object = openFixture();
	object.load();
	return object;
}

/** Instructions of classic BPF as SO_ATTACH_FILTER takes them: code, jump if true, jump if false, value. */
export function filterOf(...instructions: readonly (readonly [number, number, number, number])[]): Uint8Array {
	const words = instructions.map(([code, jumpTrue, jumpFalse, value]) => {
		const word = new Uint8Array(8);
		new Uint16Array(word.buffer)[0] = code;
		word.set([jumpTrue, jumpFalse], 2);
		new Uint32Array(word.buffer)[1] = value;
		return [...word];
	});
	return Uint8Array.from(words.flat());
}

/** ret #0xffff: every frame, whole. */
export const returnAll = filterOf([0x06, 0, 0, 0xffff]);

/** A packet that only its length tells apart. */
export function packetOf(length: number): Uint8Array {
	return new Uint8Array(length);
}

/** What the kernel or the addon refused, as `code syscall`; 'no error' if it did not. */
export function refusalOf(action: () => unknown): string {
	try {
		action();
		return 'no error';
	} catch (error) {
		const { code, syscall } = error as { code?: string; syscall?: string };
		return `${code} ${syscall}`;
	}
}

/** Runs `use` with the path of a bpffs of its own: the host may have none mounted. */
export async function withBpffs(use: (directory: string) => void | Promise<void>): Promise<void> {
	const directory = mkdtempSync(join(tmpdir(), 'addon-bpffs-'));
	execFileSync('mount', ['-t', 'bpf', 'bpf', directory]);
	try {
		await use(directory);
	} finally {
		execFileSync('umount', [directory]);
		rmdirSync(directory);
	}
}
