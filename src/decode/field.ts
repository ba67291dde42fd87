/**
 * The words that layout.generated.ts is written in: one small object per struct member, which reads it from, or
 * writes it to, a view at a base offset. Host order is little-endian (x86-64 and arm64, which Node supports on
 * Linux servers); be16 and be32 are network order. Nothing here checks bounds: decode.ts compares sizes once per
 * record, and a DataView would throw on our own mistake. PURE.
 */

export interface NumberField {
	readonly offset: number;
	read(view: DataView, base: number): number;
	write(view: DataView, base: number, value: number): void;
}

export interface BytesField {
	readonly offset: number;
	readonly length: number;
	/** A view into the same memory, not a copy. */
	read(view: DataView, base: number): Uint8Array;
	write(view: DataView, base: number, value: Uint8Array): void;
}

export interface TextField {
	readonly offset: number;
	readonly length: number;
	/** Up to the first zero octet, each octet one character (Latin-1): the kernel promises no encoding. */
	read(view: DataView, base: number): string;
}

/** Every generated struct opens with it: its name in C and its size in octets. */
export interface Layout {
	readonly name: string;
	readonly size: number;
}

export interface StructField<Struct> {
	readonly offset: number;
	readonly of: Struct;
}

/** An array; element `index` lies at `offset + index * stride`, and `of` reads it from there. */
export interface ListField<Element> {
	readonly offset: number;
	readonly length: number;
	readonly stride: number;
	readonly of: Element;
}

const TWO_TO_32 = 2 ** 32;

export function u8(offset: number): NumberField {
	return {
		offset,
		read: (view, base) => view.getUint8(base + offset),
		write: (view, base, value) => view.setUint8(base + offset, value),
	};
}

export function be16(offset: number): NumberField {
	return {
		offset,
		read: (view, base) => view.getUint16(base + offset, false),
		write: (view, base, value) => view.setUint16(base + offset, value, false),
	};
}

export function u16(offset: number): NumberField {
	return {
		offset,
		read: (view, base) => view.getUint16(base + offset, true),
		write: (view, base, value) => view.setUint16(base + offset, value, true),
	};
}

export function u32(offset: number): NumberField {
	return {
		offset,
		read: (view, base) => view.getUint32(base + offset, true),
		write: (view, base, value) => view.setUint32(base + offset, value, true),
	};
}

export function s32(offset: number): NumberField {
	return {
		offset,
		read: (view, base) => view.getInt32(base + offset, true),
		write: (view, base, value) => view.setInt32(base + offset, value, true),
	};
}

/**
 * As a number, because a BigInt per field costs more than all the rest of a record. Exact below 2^53: counters, and
 * nanoseconds for the first 104 days of uptime; afterwards off by 2 ns, which microseconds do not see.
 */
export function u64(offset: number): NumberField {
	return {
		offset,
		read: (view, base) => view.getUint32(base + offset + 4, true) * TWO_TO_32 + view.getUint32(base + offset, true),
		write: (view, base, value) => {
			view.setUint32(base + offset, value % TWO_TO_32, true);
			view.setUint32(base + offset + 4, Math.floor(value / TWO_TO_32), true);
		},
	};
}

export function octets(offset: number, length: number): BytesField {
	const bytesAt = (view: DataView, base: number) =>
		new Uint8Array(view.buffer, view.byteOffset + base + offset, length);
	return { offset, length, read: bytesAt, write: (view, base, value) => bytesAt(view, base).set(value) };
}

export function text(offset: number, length: number): TextField {
	return {
		offset,
		length,
		read: (view, base) => {
			let characters = '';
			for (let index = 0; index < length; index++) {
				const octet = view.getUint8(base + offset + index);
				if (octet === 0) break;
				characters += String.fromCharCode(octet);
			}
			return characters;
		},
	};
}

export function inside<Struct>(offset: number, of: Struct): StructField<Struct> {
	return { offset, of };
}

export function list<Element>(offset: number, length: number, stride: number, of: Element): ListField<Element> {
	return { offset, length, stride, of };
}
