// Writes src/decode/layout.generated.ts from the BTF of the BPF objects, so that bpf/events.h stays the only
// declaration of what crosses into userspace. `node deploy/build/layout.mjs` writes, `--check` fails when the committed
// file differs. It refuses what TypeScript would read wrongly or what would carry stale kernel memory: bitfields,
// and padding that no member names.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readBtf } from './btf.mjs';

const programs = ['wire', 'audit', 'link', 'outcome'];
const target = 'src/decode/layout.generated.ts';
const wrappers = ['typedef', 'const', 'volatile', 'typeTag'];

class LayoutError extends Error {}

function camel(name) {
	return name.toLowerCase().replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}

/** The type under typedefs and qualifiers, and the names met on the way: `__be16` is told by its typedef only. */
function unwrap(types, id) {
	const names = [];
	let type = types[id];
	while (wrappers.includes(type.kind)) {
		names.push(type.name);
		type = types[type.sizeOrType];
	}
	return { type, names };
}

/** A member as `{ size, code }`: what src/decode/field.ts reads it with, at `offset`. */
function field(types, id, offset) {
	const { type, names } = unwrap(types, id);
	switch (type.kind) {
		case 'int':
			return { size: type.sizeOrType, code: `${integerReader(type, names)}(${offset})` };
		case 'enum':
			return { size: type.sizeOrType, code: `u32(${offset})` };
		case 'struct':
			return { size: type.sizeOrType, code: `inside(${offset}, ${camel(type.name)})` };
		case 'array':
			return arrayField(types, type, offset);
		default:
			throw new LayoutError(`a ${type.kind} cannot cross into userspace`);
	}
}

/** Octets and characters are read as one value, anything longer as a list of its element. */
function arrayField(types, { element, length }, offset) {
	const { type } = unwrap(types, element);
	if (type.kind === 'int' && type.sizeOrType === 1) {
		return { size: length, code: `${type.name === 'char' ? 'text' : 'octets'}(${offset}, ${length})` };
	}
	const { size } = field(types, element, 0);
	const of = type.kind === 'struct' ? camel(type.name) : field(types, element, 0).code;
	return { size: size * length, code: `list(${offset}, ${length}, ${size}, ${of})` };
}

function integerReader(type, names) {
	if (names.includes('__be16')) return 'be16';
	if (names.includes('__be32')) return 'be32';
	return `${type.signed ? 's' : 'u'}${type.sizeOrType * 8}`;
}

function structCode(types, struct) {
	if (struct.bitfields) throw new LayoutError(`struct ${struct.name} has bitfields`);
	const lines = [];
	let end = 0;
	for (const member of struct.members) {
		const offset = member.bitOffset / 8;
		if (offset !== end) throw new LayoutError(`struct ${struct.name} has a hole of ${offset - end} octets before ${member.name}`);
		const { size, code } = field(types, member.type, offset);
		end = offset + size;
		if (member.name === 'layout') throw new LayoutError(`struct ${struct.name}: no member may be called layout`);
		if (member.name !== 'pad') lines.push(`\t${camel(member.name)}: ${code},`);
	}
	if (end !== struct.sizeOrType) throw new LayoutError(`struct ${struct.name} has ${struct.sizeOrType - end} octets of padding at its end`);
	const layout = `\tlayout: { name: '${struct.name}', size: ${struct.sizeOrType} },`;
	return [`export const ${camel(struct.name)} = {`, layout, ...lines, '} as const;'].join('\n');
}

/** An enum of one value is a named number; of several, a record without the enum's own name as prefix. */
function enumCode(type) {
	const [only] = type.values;
	if (type.values.length === 1) return `export const ${only.name} = ${only.value};`;
	const prefix = `${type.name.toUpperCase()}_`;
	const lines = type.values.map(({ name, value }) => `\t${camel(name.startsWith(prefix) ? name.slice(prefix.length) : name)}: ${value},`);
	return [`export const ${camel(type.name)} = {`, ...lines, '} as const;'].join('\n');
}

/** All of `union crossing`, in its order, which puts a struct before those that hold it. */
function crossingCode(types) {
	const crossing = types.find(({ kind, name }) => kind === 'union' && name === 'crossing');
	if (crossing === undefined) throw new LayoutError('union crossing is not in the BTF');
	const members = crossing.members.map((member) => unwrap(types, member.type).type);
	return members.map((type) => (type.kind === 'enum' ? enumCode(type) : structCode(types, type)));
}

function readersIn(code) {
	return [...new Set(code.join('\n').match(/\b(?:[us](?:8|16|32|64)|be16|be32|text|octets|inside|list)(?=\()/g))].sort();
}

function generate() {
	const codes = programs.map((program) => {
		const object = `build/layout/${program}.bpf.o`;
		execFileSync('deploy/build/compile-bpf.sh', [`bpf/${program}.bpf.c`, object], { stdio: 'inherit' });
		return crossingCode(readBtf(object));
	});
	if (codes.some((code) => code.join() !== codes[0].join())) throw new LayoutError('the objects disagree about events.h');
	const head = [
		'// Generated from bpf/events.h by deploy/build/layout.mjs (npm run layout). Do not edit.',
		`import { ${readersIn(codes[0]).join(', ')} } from './field.js';`,
	];
	return `${[head.join('\n'), ...codes[0]].join('\n\n')}\n`;
}

function committed() {
	try {
		return readFileSync(target, 'utf8');
	} catch {
		return '';
	}
}

try {
	const text = generate();
	if (!process.argv.includes('--check')) writeFileSync(target, text);
	else if (committed() !== text) throw new LayoutError(`${target} is not what bpf/events.h says: run npm run layout`);
} catch (error) {
	if (!(error instanceof LayoutError)) throw error;
	process.stderr.write(`layout: ${error.message}\n`);
	process.exitCode = 1;
}
