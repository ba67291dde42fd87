/**
 * One BPF map. Keys and values are bytes as the kernel keeps them, in the machine's own byte order; what they mean is
 * declared in bpf/events.h and read by src/decode.
 */
import { binding, type MapEntries, type NativeMap, type NativeMapDescription } from './binding.js';
import { checkBytes, checkInteger, checkText } from './check.js';

/** `linux/bpf.h`: 0 creates or replaces, 1 only creates (EEXIST), 2 only replaces (ENOENT). */
export type UpdateFlags = 0 | 1 | 2;

export class BpfMap {
	/** For this layer only. */
	readonly native: NativeMap;
	readonly #kernel: NativeMapDescription;

	/** For this layer only: maps come from `BpfObject.map()` and `openPinned()`. */
	constructor(native: NativeMap) {
		this.native = native;
		this.#kernel = native.describe();
	}

	/** EINVAL: something else than a map is pinned there. The name is then cut to 15 characters, as the kernel keeps it. */
	static openPinned(path: string): BpfMap {
		return new BpfMap(binding().BpfMap.openPinned(checkText(path, 'path')));
	}

	get name(): string {
		return this.#kernel.name;
	}

	/** `enum bpf_map_type` of linux/bpf.h. */
	get type(): number {
		return this.#kernel.type;
	}

	get keySize(): number {
		return this.#kernel.keySize;
	}

	/** Bytes of one value as C declares it. */
	get valueSize(): number {
		return this.#kernel.valueSize;
	}

	/**
	 * Bytes of one value as it is read and written here. Of a per-CPU map that is one value for each possible CPU, each
	 * rounded up to 8 bytes: 4 CPUs and a 12-byte value give 64.
	 */
	get valueStride(): number {
		return this.#kernel.valueStride;
	}

	get maxEntries(): number {
		return this.#kernel.maxEntries;
	}

	get perCpu(): boolean {
		return this.#kernel.perCpu;
	}

	get(key: Uint8Array): Uint8Array | undefined {
		return this.native.get(checkBytes(key, 'key', this.keySize));
	}

	/** E2BIG: the map is full. */
	set(key: Uint8Array, value: Uint8Array, options: { flags?: UpdateFlags } = {}): void {
		const flags = checkInteger(options.flags ?? 0, 'flags', 0, 2);
		this.native.set(checkBytes(key, 'key', this.keySize), checkBytes(value, 'value', this.valueStride), flags);
	}

	/** Says whether there was such a key. */
	delete(key: Uint8Array): boolean {
		return this.native.delete(checkBytes(key, 'key', this.keySize));
	}

	/**
	 * Up to `limit` entries. The kernel does not hold the map still for us: an entry that comes or goes meanwhile may be
	 * there or not, and one that moves may be there twice.
	 */
	entries(limit: number): MapEntries {
		return this.native.entries(checkInteger(limit, 'limit', 1));
	}

	/** Sets many at once: `keys` and `values` lie one after the other. After an error some may have been set. */
	setBatch(keys: Uint8Array, values: Uint8Array): void {
		const count = checkBytes(keys, 'keys').byteLength / this.keySize;
		if (!Number.isInteger(count)) throw new RangeError(`keys must be whole keys of ${this.keySize} bytes`);
		this.native.setBatch(keys, checkBytes(values, 'values', count * this.valueStride));
	}

	/** `path` lies in a mounted bpffs, in a directory that exists; bpffs takes no name with a dot (EPERM). */
	pin(path: string): void {
		this.native.pin(checkText(path, 'path'));
	}

	/** What was pinned stays pinned; the kernel frees the map with its last user. Twice is harmless. */
	close(): void {
		this.native.close();
	}
}
