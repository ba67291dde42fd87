/**
 * The observer's counters of a running daemon, from outside: its map is found among the files that the process has
 * open.
 */
import { readdir, readFile } from 'node:fs/promises';
import { exec } from './processes.js';

/** As in struct endpoint_counters of bpf/events.h. */
const names = ['refusals', 'events_sent', 'events_suppressed', 'events_lost'] as const;
export type Counters = Record<(typeof names)[number], number>;

interface ShownMap {
	id: number;
	name: string;
	max_entries: number;
}

interface ShownEntry {
	formatted: { values: { value: Counters }[] };
}

/** proc(5): fdinfo of a BPF map has a line `map_id:`. */
async function mapIds(pid: number): Promise<Set<number>> {
	const directory = `/proc/${pid}/fdinfo`;
	const ids = new Set<number>();
	for (const name of await readdir(directory)) {
		const text = await readFile(`${directory}/${name}`, 'utf8').catch(() => '');
		const id = /^map_id:\s+(\d+)$/m.exec(text)?.[1];
		if (id !== undefined) ids.add(Number(id));
	}
	return ids;
}

/** The daemon's is the largest of that name: a recorder beside it has a small one. */
async function countersMap(pid: number): Promise<number> {
	const own = await mapIds(pid);
	const maps = JSON.parse(await exec(undefined, 'bpftool', '-j', 'map', 'show')) as ShownMap[];
	const [found] = maps
		.filter(({ id, name }) => own.has(id) && name === 'counters')
		.sort((a, b) => b.max_entries - a.max_entries);
	if (!found) throw new Error(`process ${pid} has no counters`);
	return found.id;
}

/** Summed over the first `endpoints` slots and all CPUs: the daemon fills slots in the order of its table. */
export async function countersOf(pid: number, endpoints: number): Promise<Counters> {
	const id = String(await countersMap(pid));
	const sum: Counters = { refusals: 0, events_sent: 0, events_suppressed: 0, events_lost: 0 };
	for (let slot = 0; slot < endpoints; slot++) {
		const key = ['key', String(slot), '0', '0', '0'];
		const entry = JSON.parse(await exec(undefined, 'bpftool', '-j', 'map', 'lookup', 'id', id, ...key)) as ShownEntry;
		for (const { value } of entry.formatted.values) for (const name of names) sum[name] += value[name];
	}
	return sum;
}
