/** The ledger of ipvigil's leases and the give-back helper, as scenarios look at them: files on tmpfs and a shell script. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './place.js';
import type { Lab, RealServer } from './scenario.js';
import { hostPort } from './topologies.js';

const helper = join(repository, 'deploy/give-back/ipvigil-give-back');
const ledger = '/run/ipvigil/leases';

/** A dot begins what was being written when its writer died. */
export async function leaseFiles(): Promise<string[]> {
	return (await readdir(ledger).catch(() => [])).filter((name) => !name.startsWith('.'));
}

/** When the last of the leases ends, by the boot clock, milliseconds; undefined where there is none. */
export async function lastLeaseEndMs(): Promise<number | undefined> {
	const names = await leaseFiles();
	const texts = await Promise.all(names.map((name) => readFile(join(ledger, name), 'utf8')));
	const ends = texts.map((text) => Number(/^until=(\d+)$/m.exec(text)?.[1]) * 1_000);
	return ends.length === 0 ? undefined : Math.max(...ends);
}

/** The name of the lease of a server behind the service that is named as `10.0.0.100:80`; the topology's own if not. */
export function leaseFile(lab: Lab, { destination }: RealServer, service = hostPort(lab.topology.vip)): string {
	return `tcp_${service}_${destination}`.replaceAll(':', '_');
}

/** The helper as its timer runs it, without the seconds that it leaves a living ipvigil. */
export async function runHelper(lab: Lab): Promise<void> {
	await lab.exec(lab.topology.director, 'sh', helper, '--grace', '0');
}
