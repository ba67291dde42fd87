/**
 * keepalived at its quickest and alone with its own check: TCP_CHECK every second, no second try, and of ipvigil it
 * knows nothing. It makes the service that it is given; keepalived.ts has the one that listens to ipvigil.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Background, Lab } from './scenario.js';
import { hostPort } from './topologies.js';

const startLimitMs = 60_000;

interface Place {
	address: string;
	port: number;
}

export interface PlainService {
	method: 'NAT' | 'DR' | 'TUN';
	vip: Place;
	servers: readonly Place[];
}

/** Resolves when every server has the weight 100. */
export async function startPlainKeepalived(lab: Lab, service: PlainService): Promise<Background> {
	const file = join(lab.directory, 'keepalived.conf');
	await mkdir(lab.directory, { recursive: true });
	await writeFile(file, configuration(service));
	const words = ['-n', '-l', '-D', '-C', '-f', file];
	const keepalived = lab.background(lab.topology.director, 'keepalived', words);
	await lab.until('keepalived has made its service', startLimitMs, async () => {
		lab.expect(keepalived.ended === undefined, 'keepalived runs', keepalived.lines.slice(-10));
		const weights = await lab.director.weights();
		return service.servers.every((place) => weights.get(hostPort(place)) === 100);
	});
	return keepalived;
}

/** keepalived.conf(5): the shortest delay_loop that 2.2's manual speaks of, and no second try before it acts. */
function configuration({ method, vip, servers }: PlainService): string {
	const head = `delay_loop 1\n lb_algo wrr\n lb_kind ${method}\n protocol TCP`;
	return `virtual_server ${vip.address} ${vip.port} {\n ${head}\n ${servers.map(realServer).join('\n')}\n}\n`;
}

function realServer({ address, port }: Place): string {
	const check = 'TCP_CHECK {\n connect_timeout 1\n retry 0\n }';
	return `real_server ${address} ${port} {\n weight 100\n inhibit_on_failure\n ${check}\n }`;
}
