/**
 * One BPF object file, from its bytes on disk to attached programs: open, configure, load, attach. What it may observe,
 * and which of its programs are optional, is for src/capture to say.
 */
import { binding, type InstructionCount, type NativeObject, type TestRunResult } from './binding.js';
import { checkBoolean, checkBytes, checkInteger, checkText } from './check.js';
import { BpfLoadError, isSystemError, type LoggedError } from './errors.js';
import { ClsactFilter, Link } from './link.js';
import { BpfMap } from './map.js';

export interface ClsactPlace {
	/** The filter's own number, 1 to 0xffffffff: one that nobody else uses makes the filter recognisable. */
	handle: number;
	/** tc calls it `pref`: 1 comes first, 65535 last. */
	priority: number;
	/** Take the place of a filter that an earlier run left at this very handle and priority. Else: EEXIST. */
	replace?: boolean;
}

export interface TestRunOptions {
	/** How often; 1 to a million. The mean duration is per repetition. */
	repeat?: number;
	/** The interface that the packet seems to come from. */
	interfaceIndex?: number;
}

/** An Ethernet header: the kernel refuses shorter packets (net/bpf/test_run.c). */
const packetBytesMin = 14;
/** What a test run accepts is about a page; this leaves the exact limit to the kernel. */
const packetBytesMax = 65_535;
const repeatMax = 1_000_000;

function isLogged(error: unknown): error is LoggedError {
	return isSystemError(error) && 'log' in error;
}

export class BpfObject {
	/** For this layer only. */
	readonly native: NativeObject;

	private constructor(native: NativeObject) {
		this.native = native;
	}

	/** Reads the file and its BTF; nothing reaches the kernel yet. ENOENT: no such file. */
	static open(path: string): BpfObject {
		return new BpfObject(new (binding().BpfObject)(checkText(path, 'path')));
	}

	/** Sets a `const volatile` variable before the load. ENOENT: no such variable; EINVAL: it has another size. */
	setVariable(name: string, bytes: Uint8Array): void {
		this.native.setVariable(checkText(name, 'name'), checkBytes(bytes, 'bytes'));
	}

	/** EBUSY after the load. */
	setMaxEntries(map: string, entries: number): void {
		this.native.setMaxEntries(checkText(map, 'map'), checkInteger(entries, 'entries', 1));
	}

	/** The load pins the map here, or takes over the map that is pinned here already (EINVAL if its layout differs). */
	setPinPath(map: string, path: string): void {
		this.native.setPinPath(checkText(map, 'map'), checkText(path, 'path'));
	}

	/** Programs that this kernel may refuse can be left out of the load. */
	setAutoload(program: string, load: boolean): void {
		this.native.setAutoload(checkText(program, 'program'), checkBoolean(load, 'load'));
	}

	/** All or nothing; throws BpfLoadError. After a failure, open the file again. */
	load(): void {
		try {
			this.native.load();
		} catch (error) {
			throw isLogged(error) ? new BpfLoadError(error) : error;
		}
	}

	programNames(): string[] {
		return this.native.programNames();
	}

	loadedProgramNames(): string[] {
		return this.native.loadedProgramNames();
	}

	/** Sections of variables are maps too, and are listed (`wire.rodata`). */
	mapNames(): string[] {
		return this.native.mapNames();
	}

	/** Bytes of a C struct by the object's own BTF: the guard against a layout that TypeScript does not have. */
	structSize(name: string): number | undefined {
		return this.native.structSize(checkText(name, 'name'));
	}

	instructionCount(program: string): InstructionCount {
		return this.native.instructionCount(checkText(program, 'program'));
	}

	/** The map lives on when the object is closed. */
	map(name: string): BpfMap {
		return new BpfMap(this.native.map(checkText(name, 'name')));
	}

	/** EBUSY: another program is there. EOPNOTSUPP: this driver has no native XDP. EINVAL: no such interface. */
	attachXdp(program: string, interfaceIndex: number, mode: 'native' | 'generic'): Link {
		if (mode !== 'native' && mode !== 'generic') throw new RangeError(`mode must be native or generic, not ${mode}`);
		const index = checkInterface(interfaceIndex);
		return new Link(this.native.attachXdp(checkText(program, 'program'), index, mode === 'generic'));
	}

	/**
	 * tcx ingress (Linux 6.6), before or behind all programs that are there already. EINVAL on older kernels: use
	 * attachClsact(). ENODEV: no such interface.
	 */
	attachTcx(program: string, interfaceIndex: number, options: { first?: boolean } = {}): Link {
		const first = checkBoolean(options.first ?? false, 'first');
		return new Link(this.native.attachTcx(checkText(program, 'program'), checkInterface(interfaceIndex), first));
	}

	/** clsact ingress. Creates the qdisc where there is none; no other filter is touched. */
	attachClsact(program: string, interfaceIndex: number, place: ClsactPlace): ClsactFilter {
		const handle = checkInteger(place.handle, 'handle', 1);
		const priority = checkInteger(place.priority, 'priority', 1, 65_535);
		const replace = checkBoolean(place.replace ?? false, 'replace');
		const index = checkInterface(interfaceIndex);
		return new ClsactFilter(this.native.attachClsact(checkText(program, 'program'), index, handle, priority, replace));
	}

	/** tp_btf, fentry, fexit and raw tracepoints. EINVAL: the program is of another type. */
	attachTracing(program: string): Link {
		return new Link(this.native.attachTracing(checkText(program, 'program')));
	}

	/** An `iter/bpf_map_elem` program over a map of this object: pin the link, and `cat` prints the map. */
	attachIterator(program: string, map: string): Link {
		return new Link(this.native.attachIterator(checkText(program, 'program'), checkText(map, 'map')));
	}

	/** Runs a program on one packet without any interface (BPF_PROG_TEST_RUN). */
	testRun(program: string, packet: Uint8Array, options: TestRunOptions = {}): TestRunResult {
		const bytes = checkBytes(packet, 'packet');
		checkInteger(bytes.byteLength, 'packet length', packetBytesMin, packetBytesMax);
		const repeat = checkInteger(options.repeat ?? 1, 'repeat', 1, repeatMax);
		const index = options.interfaceIndex === undefined ? 0 : checkInterface(options.interfaceIndex);
		return this.native.testRun(checkText(program, 'program'), bytes, repeat, index);
	}

	/** Maps and links that were taken from it stay. Twice is harmless. */
	close(): void {
		this.native.close();
	}
}

/** The kernel's interface indexes are positive ints. */
function checkInterface(index: unknown): number {
	return checkInteger(index, 'interface index', 1, 0x7fff_ffff);
}
