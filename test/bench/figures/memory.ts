/** What the maps of each BPF object take, as they are made by default, which is for the largest table aimed at. */
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type BpfMap, BpfObject, objectPath } from '../../../src/addon/index.js';
import { sources } from '../../support/sources.js';
import type { Figure, Row } from '../figure.js';
import { type MapMemory, mapsOf } from '../map-memory.js';

const mebibyte = 1024 * 1024;
/** Smaller ones only lengthen the line. */
const namedFromOctets = 64 * 1024;

/** The vantage points: what is in bpf/ and has been built, and not what only tests load. */
async function objectNames(): Promise<string[]> {
	const own = new Set(sources('bpf', /\.bpf\.c$/).map(({ path }) => path.replace(/^bpf\/(.*)\.c$/, '$1.o')));
	const built = await readdir(dirname(objectPath('any')));
	return built.filter((name) => own.has(name)).map((name) => name.replace(/\.bpf\.o$/, ''));
}

/** enum bpf_map_type: hash, its kind per CPU, and both with eviction. */
const hashTypes = [1, 5, 9, 10];
const destinations = 1_024 * 16;

/** As if each destination had an entry: a hash that is not allocated beforehand grows with them. */
function fill(map: BpfMap): void {
	if (!hashTypes.includes(map.type)) return;
	const count = Math.min(destinations, map.maxEntries);
	const keys = new Uint8Array(count * map.keySize);
	const view = new DataView(keys.buffer);
	for (let index = 0; index < count; index++) {
		if (map.keySize >= 4) view.setUint32(index * map.keySize, index);
		else view.setUint16(index * map.keySize, index);
	}
	map.setBatch(keys, new Uint8Array(count * map.valueStride));
}

interface Filling {
	asMade: MapMemory[];
	filled: MapMemory[];
}

/** The object's maps without its programs, so that those are counted too which this kernel does not load. */
async function measureObject(name: string): Promise<Filling> {
	const object = BpfObject.open(objectPath(name));
	for (const program of object.programNames()) object.setAutoload(program, false);
	object.load();
	const asMade = await mapsOf(process.pid);
	for (const map of object.mapNames().map((each) => object.map(each))) {
		fill(map);
		map.close();
	}
	const filled = await mapsOf(process.pid);
	object.close();
	return { asMade, filled };
}

function sumMb(maps: readonly MapMemory[]): number {
	return maps.reduce((sum, { octets }) => sum + octets, 0) / mebibyte;
}

function rowOf(name: string, { asMade, filled }: Filling): Row {
	const large = filled.filter(({ octets }) => octets >= namedFromOctets);
	const list = large.map((map) => `${map.name} ${(map.octets / mebibyte).toFixed(1)}`).join(', ');
	const beside = { what: 'as made', measured: [sumMb(asMade)] };
	return { what: `${name}: ${filled.length} maps (${list})`, unit: 'MB', measured: [sumMb(filled)], beside };
}

async function run(): Promise<Row[]> {
	const all: Filling = { asMade: [], filled: [] };
	const rows: Row[] = [];
	for (const name of await objectNames()) {
		const filling = await measureObject(name);
		rows.push(rowOf(name, filling));
		all.asMade.push(...filling.asMade);
		all.filled.push(...filling.filled);
	}
	const beside = { what: 'as made', measured: [sumMb(all.asMade)] };
	return [...rows, { what: 'all of them', unit: 'MB', measured: [sumMb(all.filled)], beside }];
}

export const memory: Figure = {
	name: 'memory',
	sentence: 'what the maps take in the kernel',
	conditions:
		'Sizes as they are compiled, which hold 1,024 services of 16 destinations; maps are made without their programs, ' +
		'measured as made and with 16,384 entries in each hash (or as many as it takes). As the kernel accounts for them, ' +
		'per-CPU maps with a copy for every CPU that may come.',
	run,
};
