/**
 * What BPF maps take, as the kernel accounts for them: every map that a process has open has a line `memlock` in its
 * fdinfo (proc(5)), which is what the map has allocated, all CPUs together.
 */
import { readdir, readFile } from 'node:fs/promises';
import { exec } from './processes.js';

export interface MapMemory {
	/** As the kernel keeps it, 15 characters at most. */
	name: string;
	octets: number;
}

async function openMaps(pid: number): Promise<Map<number, number>> {
	const directory = `/proc/${pid}/fdinfo`;
	const octets = new Map<number, number>();
	for (const name of await readdir(directory)) {
		const text = await readFile(`${directory}/${name}`, 'utf8').catch(() => '');
		const [, memory] = /^memlock:\s+(\d+)$/m.exec(text) ?? [];
		const [, id] = /^map_id:\s+(\d+)$/m.exec(text) ?? [];
		if (memory !== undefined && id !== undefined) octets.set(Number(id), Number(memory));
	}
	return octets;
}

/** Of every map that the process has open, the largest first. */
export async function mapsOf(pid: number): Promise<MapMemory[]> {
	const open = await openMaps(pid);
	const shown = JSON.parse(await exec(undefined, 'bpftool', '-j', 'map', 'show')) as { id: number; name?: string }[];
	return shown
		.flatMap(({ id, name = '' }) => (open.has(id) ? [{ name, octets: open.get(id) ?? 0 }] : []))
		.sort((a, b) => b.octets - a.octets);
}
