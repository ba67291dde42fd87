/**
 * The two hands of every netlink codec: a reader and a writer that move one offset. The reader never throws and
 * never reads past its end: the first read that does not fit marks it `failed`, and from then on it gives zeros;
 * whoever builds an object from it asks `failed` once at the end and drops the object. Netlink speaks the machine's
 * own byte order except where a field is said to be in network order. PURE.
 */

/** Whether this machine, and so its kernel, keeps the lowest octet first. */
export const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** NLMSG_ALIGNTO and NLA_ALIGNTO (include/uapi/linux/netlink.h). */
const alignment = 4;

export function aligned(length: number): number {
	return (length + alignment - 1) & ~(alignment - 1);
}

export function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A stretch of a datagram. Codecs pass stretches on instead of copying them. */
export interface Extent {
	readonly view: DataView;
	readonly start: number;
	readonly end: number;
}

export class ByteReader {
	readonly view: DataView;
	readonly end: number;
	offset: number;
	failed = false;

	constructor({ view, start, end }: Extent) {
		this.view = view;
		this.offset = start;
		this.end = end;
	}

	get left(): number {
		return this.end - this.offset;
	}

	u8(): number {
		const at = this.#take(1);
		return at < 0 ? 0 : this.view.getUint8(at);
	}

	u16(): number {
		const at = this.#take(2);
		return at < 0 ? 0 : this.view.getUint16(at, littleEndian);
	}

	u32(): number {
		const at = this.#take(4);
		return at < 0 ? 0 : this.view.getUint32(at, littleEndian);
	}

	i32(): number {
		return this.u32() | 0;
	}

	/** The rest, or `length` octets of it, not copied. */
	bytes(length = this.left): Uint8Array {
		const at = this.#take(length);
		return at < 0 ? new Uint8Array(0) : new Uint8Array(this.view.buffer, this.view.byteOffset + at, length);
	}

	skip(length: number): void {
		this.#take(length);
	}

	/** The rest as a stretch of its own: where attributes follow a fixed header, which is always a multiple of four. */
	rest(): Extent {
		return { view: this.view, start: Math.min(this.offset, this.end), end: this.end };
	}

	#take(length: number): number {
		const at = this.offset;
		if (this.failed || length < 0 || length > this.end - at) {
			this.failed = true;
			return -1;
		}
		this.offset = at + length;
		return at;
	}
}

/** Requests are small: the largest, a SET_DEST, is about 200 octets. More is a bug of ours; room for more costs zeroing. */
const requestOctetsMax = 512;

export class ByteWriter {
	readonly #octets = new Uint8Array(requestOctetsMax);
	readonly #view = viewOf(this.#octets);
	#offset = 0;

	get length(): number {
		return this.#offset;
	}

	u8(value: number): this {
		this.#view.setUint8(this.#grow(1), value);
		return this;
	}

	u16(value: number): this {
		this.#view.setUint16(this.#grow(2), value, littleEndian);
		return this;
	}

	u32(value: number): this {
		this.#view.setUint32(this.#grow(4), value, littleEndian);
		return this;
	}

	/** Network order: ports. */
	be16(value: number): this {
		this.#view.setUint16(this.#grow(2), value, false);
		return this;
	}

	bytes(octets: Uint8Array): this {
		this.#octets.set(octets, this.#grow(octets.length));
		return this;
	}

	align(): this {
		this.#grow(aligned(this.#offset) - this.#offset);
		return this;
	}

	/** Overwrites the 16-bit length that was written at `offset` before its end was known. */
	patchU16(offset: number, value: number): void {
		this.#view.setUint16(offset, value, littleEndian);
	}

	finish(): Uint8Array {
		return this.#octets.slice(0, this.#offset);
	}

	#grow(length: number): number {
		const at = this.#offset;
		if (at + length > requestOctetsMax)
			throw new RangeError(`a netlink request of more than ${requestOctetsMax} octets`);
		this.#offset = at + length;
		return at;
	}
}
