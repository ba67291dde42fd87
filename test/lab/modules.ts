/** ip_vs as a module in the scenarios that load and unload it; `ipvsadm` loads it too, whatever it is asked. */
import { readFile } from 'node:fs/promises';
import { exec } from './process.js';
import type { Lab } from './scenario.js';
import type { Topology } from './topology.js';

/** A namespace that was deleted ends in a kernel thread, and with it its hold on the module. */
const unloadLimitMs = 30_000;

async function loaded(): Promise<string[]> {
	const names = (await readFile('/proc/modules', 'utf8')).split('\n').map((line) => line.split(' ')[0] ?? '');
	return names.filter((name) => /^ip_vs(_|$)/.test(name));
}

export async function isIpvsLoaded(): Promise<boolean> {
	return (await loaded()).includes('ip_vs');
}

/** Schedulers first, then the module that they need; rejects with rmmod's word where something holds one. */
export async function unloadIpvs(): Promise<void> {
	const names = (await loaded()).sort((a, b) => b.length - a.length);
	if (names.length > 0) await exec(undefined, 'rmmod', ...names);
}

/** As on a fresh machine: what earlier scenarios have left loaded goes. */
export async function beginWithoutIpvs(lab: Lab): Promise<void> {
	await lab.until('ip_vs is unloaded', unloadLimitMs, async () => {
		await unloadIpvs();
		return true;
	});
}

/** The same network, with nothing of IPVS in it yet. */
export function withoutIpvs(topology: Topology): Topology {
	return {
		...topology,
		modules: topology.modules.filter((name) => !name.startsWith('ip_vs')),
		nodes: topology.nodes.map(({ ipvs: _, ...node }) => node),
	};
}

/** Loads the module and puts the director's table in, as `topology` has them. */
export async function bringIpvs(lab: Lab, topology: Topology): Promise<void> {
	await exec(undefined, 'modprobe', '-a', ...topology.modules);
	const rules = topology.nodes.find(({ name }) => name === topology.director)?.ipvs ?? [];
	await lab.exec(topology.director, 'sh', '-euc', `ipvsadm -R <<'END'\n${rules.join('\n')}\nEND`);
}
