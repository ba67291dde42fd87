/**
 * Netlink attributes: type, length, value, padded to four octets (struct nlattr, include/uapi/linux/netlink.h).
 * The reader walks one level; a nested attribute opens a reader of its own. As with `ByteReader`, bad lengths never
 * throw: they end the walk with `malformed` set, and the codec that sees it drops its object. Attributes that a codec
 * does not know are passed over, so that newer kernels can be read. PURE.
 */
import { aligned, type ByteWriter, type Extent, littleEndian } from './bytes.js';

const headerLength = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are flags in the type. */
const typeMask = 0x3fff;
const nestedFlag = 0x8000;

const textDecoder = new TextDecoder();
const textEncoder = new TextEncoder();

export class AttributeReader {
	readonly #view: DataView;
	readonly #end: number;
	#next: number;
	/** Of the attribute that `next` stopped at. */
	type: number;
	start: number;
	length = 0;
	malformed = false;

	constructor({ view, start, end }: Extent) {
		this.#view = view;
		this.#next = start;
		this.type = 0;
		this.start = start;
		this.#end = end;
	}

	/** Moves to the next attribute; false at the end, and at bytes that are no attribute. */
	next(): boolean {
		const at = this.#next;
		const left = this.#end - at;
		if (this.malformed || left <= 0) return false;
		const length = left >= headerLength ? this.#view.getUint16(at, littleEndian) : 0;
		if (length < headerLength || length > left) {
			this.malformed = true;
			return false;
		}
		this.type = this.#view.getUint16(at + 2, littleEndian) & typeMask;
		this.start = at + headerLength;
		this.length = length - headerLength;
		this.#next = at + aligned(length);
		return true;
	}

	u8(): number {
		return this.#holds(1) ? this.#view.getUint8(this.start) : 0;
	}

	u16(): number {
		return this.#holds(2) ? this.#view.getUint16(this.start, littleEndian) : 0;
	}

	u32(): number {
		return this.#holds(4) ? this.#view.getUint32(this.start, littleEndian) : 0;
	}

	u64(): bigint {
		return this.#holds(8) ? this.#view.getBigUint64(this.start, littleEndian) : 0n;
	}

	/** Network order: ports. */
	be16(): number {
		return this.#holds(2) ? this.#view.getUint16(this.start, false) : 0;
	}

	/** The value's octets, not copied; at least `lengthMin` of them, or the whole is malformed. */
	octets(lengthMin = 0): Uint8Array {
		const length = this.#holds(lengthMin) ? this.length : 0;
		return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.start, length);
	}

	/** A string up to its closing zero, with or without one (NLA_STRING, NLA_NUL_STRING). */
	text(): string {
		const octets = this.octets();
		const zero = octets.indexOf(0);
		return textDecoder.decode(zero < 0 ? octets : octets.subarray(0, zero));
	}

	/** What is inside a nested attribute. */
	inside(): Extent {
		return { view: this.#view, start: this.start, end: this.start + this.length };
	}

	#holds(length: number): boolean {
		if (this.length >= length) return true;
		this.malformed = true;
		return false;
	}
}

function header(writer: ByteWriter, type: number, length: number): ByteWriter {
	return writer.u16(headerLength + length).u16(type);
}

export function putU8(writer: ByteWriter, type: number, value: number): void {
	header(writer, type, 1).u8(value).align();
}

export function putU16(writer: ByteWriter, type: number, value: number): void {
	header(writer, type, 2).u16(value).align();
}

export function putBe16(writer: ByteWriter, type: number, value: number): void {
	header(writer, type, 2).be16(value).align();
}

export function putU32(writer: ByteWriter, type: number, value: number): void {
	header(writer, type, 4).u32(value);
}

export function putOctets(writer: ByteWriter, type: number, value: Uint8Array): void {
	header(writer, type, value.length).bytes(value).align();
}

/** With its closing zero. */
export function putText(writer: ByteWriter, type: number, value: string): void {
	putOctets(writer, type, textEncoder.encode(`${value}\0`));
}

/** Writes what `fill` writes inside a nested attribute. */
export function putNest(writer: ByteWriter, type: number, fill: (writer: ByteWriter) => void): void {
	const start = writer.length;
	header(writer, type | nestedFlag, 0);
	fill(writer);
	writer.patchU16(start, writer.length - start);
}
