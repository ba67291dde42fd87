/**
 * The .node file: its types, and the only place that loads it, at first use, so that commands which need no kernel run
 * without it. Nothing here is for other layers; they use index.ts.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AddonMissingError } from './errors.js';

export interface NativeMapDescription {
	name: string;
	type: number;
	keySize: number;
	valueSize: number;
	valueStride: number;
	maxEntries: number;
	perCpu: boolean;
}

export interface MapEntries {
	/** `count` keys, one after the other. */
	keys: Uint8Array;
	/** `count` values, each as `BpfMap.get()` gives it. */
	values: Uint8Array;
	count: number;
}

export interface NativeMap {
	describe(): NativeMapDescription;
	get(key: Uint8Array): Uint8Array | undefined;
	set(key: Uint8Array, value: Uint8Array, flags: number): void;
	delete(key: Uint8Array): boolean;
	entries(limit: number): MapEntries;
	setBatch(keys: Uint8Array, values: Uint8Array): void;
	pin(path: string): void;
	close(): void;
}

export interface NativeLink {
	describe(): { id: number; programId: number };
	pin(path: string): void;
	update(object: NativeObject, program: string): void;
	close(): void;
}

export interface NativeClsactFilter {
	stands(): boolean;
	close(): void;
}

export interface TestRunResult {
	/** What the program returned, as an unsigned 32-bit number. */
	returnValue: number;
	/** Mean of one repetition. */
	durationNs: number;
	/** The packet after the program. */
	packet: Uint8Array;
}

export interface InstructionCount {
	/** Instructions after the verifier's rewriting. */
	translated: number;
	/** Instructions that the verifier walked through: what its limit of one million counts. 0 before Linux 5.16. */
	verified: number;
}

export interface NativeObject {
	setVariable(name: string, bytes: Uint8Array): void;
	setMaxEntries(map: string, entries: number): void;
	setPinPath(map: string, path: string): void;
	setAutoload(program: string, load: boolean): void;
	load(): void;
	programNames(): string[];
	loadedProgramNames(): string[];
	mapNames(): string[];
	structSize(name: string): number | undefined;
	instructionCount(program: string): InstructionCount;
	map(name: string): NativeMap;
	attachXdp(program: string, interfaceIndex: number, generic: boolean): NativeLink;
	attachTcx(program: string, interfaceIndex: number, first: boolean): NativeLink;
	attachClsact(
		program: string,
		interfaceIndex: number,
		handle: number,
		priority: number,
		replace: boolean,
	): NativeClsactFilter;
	attachTracing(program: string): NativeLink;
	attachIterator(program: string, map: string): NativeLink;
	testRun(program: string, packet: Uint8Array, repeat: number, interfaceIndex: number): TestRunResult;
	close(): void;
}

export interface NativeRingReader {
	drain(): number;
	close(): void;
}

export interface NativeNetlinkSocket {
	portId(): number;
	send(bytes: Uint8Array): void;
	close(): void;
}

export interface NativePacketSocket {
	send(frame: Uint8Array): void;
	close(): void;
}

export interface NativeMarkedConnection {
	close(): void;
}

export interface Binding {
	BpfObject: new (path: string) => NativeObject;
	BpfMap: { openPinned(path: string): NativeMap };
	Link: { openPinned(path: string): NativeLink };
	RingReader: new (
		map: NativeMap,
		maxRecordsPerBatch: number,
		maxBytesPerBatch: number,
		pauseMs: number,
		onBatch: (bytes: Uint8Array, recordSizes: Uint32Array) => void,
		onError: (error: Error) => void,
	) => NativeRingReader;
	NetlinkSocket: new (
		protocol: number,
		groups: readonly number[],
		onBatch: (datagrams: Uint8Array[]) => void,
		onError: (error: Error) => void,
	) => NativeNetlinkSocket;
	PacketSocket: new (
		interfaceIndex: number,
		filter: Uint8Array,
		onBatch: (frames: Uint8Array[]) => void,
		onError: (error: Error) => void,
	) => NativePacketSocket;
	MarkedConnection: new (
		mark: number,
		source: Uint8Array,
		address: Uint8Array,
		port: number,
		onConnect: (fd: number) => void,
		onError: (error: Error) => void,
	) => NativeMarkedConnection;
	openMarkedDatagramSocket(mark: number, source: Uint8Array): number;
	monotonicNs(): bigint;
	bootNs(): bigint;
	possibleCpus(): number;
	interfaceIndex(name: string): number | undefined;
	interfaceHardwareType(name: string): number;
}

/** From dist/src/addon/ to the root of the installation, where build/ lies beside dist/. */
const buildDirectory = fileURLToPath(new URL('../../../build/', import.meta.url));

/** The compiled BPF object of bpf/<name>.bpf.c. */
export function objectPath(name: string): string {
	return join(buildDirectory, 'bpf', `${name}.bpf.o`);
}

let loaded: Binding | undefined;

export function binding(): Binding {
	loaded ??= load(join(buildDirectory, 'Release', 'ipvigil.node'));
	return loaded;
}

/** Exported for its test: a file that is missing or is no addon must say what to do. */
export function load(path: string): Binding {
	try {
		return createRequire(import.meta.url)(path) as Binding;
	} catch (error) {
		throw new AddonMissingError(path, error);
	}
}
