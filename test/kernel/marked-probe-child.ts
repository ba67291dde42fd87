/** Asks with a mark, by TCP and by UDP, and prints what came of it: for marked-probe.test.ts, which takes its rights away. */
import { Prober } from '../../src/remedy/probe.js';
import { UdpProber } from '../../src/remedy/udp-probe.js';

const place = { family: 'inet', address: '127.0.0.1', port: 9 } as const;

for (const { outcome, detail } of [
	await new Prober().probe({ protocol: 'tcp', ...place }, { method: 'connect', mark: 7 }, 1_000),
	await new UdpProber().probe({ protocol: 'udp', ...place }, { method: 'udp', mark: 7 }, 1_000),
])
	process.stdout.write(`${outcome}: ${detail}\n`);
