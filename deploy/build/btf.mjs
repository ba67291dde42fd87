// Reads the type information (BTF) that clang leaves in a BPF object, as far as the layout generator needs it:
// named structs, unions, enums, integers, arrays and what wraps them. Source of the format: the kernel's
// Documentation/bpf/btf.rst and include/uapi/linux/btf.h. It does not judge the types; layout.mjs does.
import { readFileSync } from 'node:fs';

const KINDS = [
	'void', 'int', 'pointer', 'array', 'struct', 'union', 'enum', 'forward', 'typedef', 'volatile', 'const',
	'restrict', 'function', 'prototype', 'variable', 'section', 'float', 'declTag', 'typeTag', 'enum64',
];

/** Words of 32 bits that follow the three common ones: fixed ones, and ones per member (struct btf_member: 3, btf_enum: 2, ...). */
const EXTRA_WORDS = { int: [1, 0], array: [3, 0], struct: [0, 3], union: [0, 3], enum: [0, 2], prototype: [0, 2],
	variable: [1, 0], section: [0, 3], declTag: [1, 0], enum64: [0, 3] };

const ELF_MAGIC = 0x464c457f;

/** The section `name` of a 64-bit little-endian ELF file (elf(5)), or an error that names the file. */
function elfSection(path, name) {
	const file = readFileSync(path);
	if (file.readUInt32LE(0) !== ELF_MAGIC || file[4] !== 2 || file[5] !== 1) {
		throw new Error(`${path} is not a 64-bit little-endian ELF object`);
	}
	const headersAt = Number(file.readBigUInt64LE(40));
	const headerSize = file.readUInt16LE(58);
	const header = (index) => {
		const at = headersAt + index * headerSize;
		const [offset, size] = [Number(file.readBigUInt64LE(at + 24)), Number(file.readBigUInt64LE(at + 32))];
		return { name: file.readUInt32LE(at), bytes: file.subarray(offset, offset + size) };
	};
	const names = header(file.readUInt16LE(62)).bytes;
	for (let index = 0; index < file.readUInt16LE(60); index++) {
		const section = header(index);
		if (textAt(names, section.name) === name) return section.bytes;
	}
	throw new Error(`${path} has no section ${name}: was it compiled with -g?`);
}

function textAt(strings, offset) {
	return strings.toString('latin1', offset, strings.indexOf(0, offset));
}

/** struct btf_type and what follows it, as a value; `next` is the offset of the following type. */
function readType(types, at, text) {
	const info = types.readUInt32LE(at + 4);
	const kind = KINDS[(info >> 24) & 0x1f];
	const count = info & 0xffff;
	const [fixed, perMember] = EXTRA_WORDS[kind] ?? [0, 0];
	const type = { kind, name: text(types.readUInt32LE(at)), sizeOrType: types.readUInt32LE(at + 8), bitfields: info >>> 31 === 1 };
	const word = (index) => types.readUInt32LE(at + 12 + 4 * index);
	if (kind === 'int') type.signed = ((word(0) >> 24) & 1) === 1;
	if (kind === 'array') [type.element, type.length] = [word(0), word(2)];
	if (kind === 'struct' || kind === 'union') {
		type.members = Array.from({ length: count }, (_, member) => ({
			name: text(word(3 * member)), type: word(3 * member + 1), bitOffset: word(3 * member + 2),
		}));
	}
	if (kind === 'enum') {
		type.values = Array.from({ length: count }, (_, value) => ({ name: text(word(2 * value)), value: word(2 * value + 1) | 0 }));
	}
	return { type, next: at + 12 + 4 * (fixed + perMember * count) };
}

/** Every type of the object at `path`; the index is the BTF type id, 0 being void. */
export function readBtf(path) {
	const btf = elfSection(path, '.BTF');
	const headerSize = btf.readUInt32LE(4);
	const [typesAt, typesSize, stringsAt] = [8, 12, 16].map((offset) => btf.readUInt32LE(offset));
	const types = btf.subarray(headerSize + typesAt, headerSize + typesAt + typesSize);
	const strings = btf.subarray(headerSize + stringsAt);
	const all = [{ kind: 'void', name: 'void' }];
	for (let at = 0; at < types.length; ) {
		const { type, next } = readType(types, at, (offset) => textAt(strings, offset));
		all.push(type);
		at = next;
	}
	return all;
}
