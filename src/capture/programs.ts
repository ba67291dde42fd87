/**
 * Opens a BPF object, sets what is fixed before load, and loads it: the first station of the data's way in
 * userspace. The layout guard stands here: an object that was compiled from another events.h than the decoder is
 * refused, because its records would be read wrongly without a sign. What is then attached where is for wire.ts
 * and audit.ts.
 */
import { statSync } from 'node:fs';
import { BpfLoadError, BpfObject, objectPath } from '../addon/index.js';
import type { Layout } from '../decode/field.js';
import * as layouts from '../decode/layout.generated.js';
import { explain, type Unavailable } from './availability.js';

export interface ProgramSettings {
	/** As in bpf/<object>.bpf.c. */
	object: 'wire' | 'audit' | 'link' | 'outcome';
	/** The SEC functions to load; the others are left out, so that what the kernel lacks does no harm. */
	programs: readonly string[];
	/** `const volatile` variables. */
	constants?: Readonly<Record<string, Uint8Array>>;
	maxEntries?: Readonly<Record<string, number>>;
	/** Maps to be pinned at these paths, or taken from there if they are. */
	pins?: Readonly<Record<string, string>>;
}

/** The object and the decoder disagree about a struct. */
export class LayoutMismatchError extends Error {
	readonly code = 'LAYOUT_MISMATCH';

	constructor(layout: Layout, objectSize: number | undefined) {
		const found = objectSize === undefined ? 'is missing' : `has ${objectSize} octets`;
		super(`struct ${layout.name} ${found} in the BPF object, and ${layout.size} octets in layout.generated.ts`);
		this.name = 'LayoutMismatchError';
	}
}

/** The inode number by which the kernel names our network namespace (struct ns_common.inum): hooks see all of them. */
export function ownNetns(): number {
	return statSync('/proc/self/ns/net').ino;
}

export function u32Constant(value: number): Uint8Array {
	return new Uint8Array(Uint32Array.of(value).buffer);
}

export function u64Constant(value: number): Uint8Array {
	return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

/** Of a `__u8`: 1 or 0. */
export function booleanConstant(value: boolean): Uint8Array {
	return Uint8Array.of(value ? 1 : 0);
}

function isStruct(exported: unknown): exported is { layout: Layout } {
	return typeof exported === 'object' && exported !== null && 'layout' in exported;
}

/** Throws LayoutMismatchError for the first struct that the object, asked by name, has in another size or not at all. */
export function checkLayout(sizeInObject: (struct: string) => number | undefined): void {
	for (const { layout } of Object.values<unknown>(layouts).filter(isStruct)) {
		const size = sizeInObject(layout.name);
		if (size !== layout.size) throw new LayoutMismatchError(layout, size);
	}
}

function configure(object: BpfObject, settings: ProgramSettings): void {
	for (const program of object.programNames()) object.setAutoload(program, settings.programs.includes(program));
	for (const [name, bytes] of Object.entries(settings.constants ?? {})) object.setVariable(name, bytes);
	for (const [map, entries] of Object.entries(settings.maxEntries ?? {})) object.setMaxEntries(map, entries);
	for (const [map, path] of Object.entries(settings.pins ?? {})) object.setPinPath(map, path);
}

/** The loaded object; the caller closes it. Throws LayoutMismatchError, or what the addon throws (BpfLoadError with its log). */
export function loadObject(settings: ProgramSettings): BpfObject {
	const object = BpfObject.open(objectPath(settings.object));
	try {
		checkLayout((struct) => object.structSize(struct));
		configure(object, settings);
		object.load();
		return object;
	} catch (error) {
		object.close();
		throw error;
	}
}

export interface PartlyLoaded {
	object: BpfObject;
	/** By program: why this kernel does not take it. */
	refused: ReadonlyMap<string, Unavailable>;
}

/**
 * As loadObject, but of `optional` only what this kernel takes. A load fails as a whole at the first program that it
 * cannot take, whose name libbpf writes, so it is tried again without that one: as often as there are optional ones.
 */
export function loadPartly(settings: ProgramSettings, optional: readonly string[]): PartlyLoaded {
	const refused = new Map<string, Unavailable>();
	for (;;) {
		const wanted = optional.filter((name) => !refused.has(name));
		try {
			return { object: loadObject({ ...settings, programs: [...settings.programs, ...wanted] }), refused };
		} catch (error) {
			const culprit = failedProgram(error);
			if (culprit === undefined || !wanted.includes(culprit)) throw error;
			refused.set(culprit, explain(culprit, error));
		}
	}
}

/** The program at which a load failed: its function is not in the kernel's BTF, or the verifier refused it. */
function failedProgram(error: unknown): string | undefined {
	if (!(error instanceof BpfLoadError)) return undefined;
	return /prog '(\w+)': (?:failed to|BPF program load failed)/.exec(error.log)?.[1];
}
