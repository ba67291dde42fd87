/** Who wrote the director's destinations last, as ipvigil's audit has pinned it for the give-back helper. */
import type { Lab } from './scenario.js';

/** The helper's own text, one line a destination; empty where nobody has written one. Fails where the audit is not pinned. */
export async function lastWriters(lab: Lab): Promise<string> {
	const text = 'cat /sys/fs/bpf/ipvigil/net-"$(stat -Lc %i /proc/self/ns/net)"/v*/show_writers';
	return (await lab.exec(lab.topology.director, 'sh', '-euc', text)).trim();
}
