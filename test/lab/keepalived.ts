/**
 * keepalived as the director's monitor: it makes the service, tries each server by TCP_CHECK, and by FILE_CHECK listens
 * to ipvigil. Its own check comes so rarely that what it does in between is the file's doing.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Background, Lab } from './scenario.js';

export const trackDirectory = '/run/ipvigil/keepalived';

/** Between two TCP checks; the first is at the start (`warmup 0`). */
const checkEveryMs = 20_000;
/** How close to a check nothing may be begun: it ends a moment before the next, and starts when the last is surely over. */
const quietFromMs = 1_000;
const quietUntilMs = 10_000;
const startLimitMs = 20_000;

export interface Keepalived {
	readonly process: Background;
	/** Waits for a moment in which no TCP check is due for half a round: a removal then is not keepalived's own finding. */
	quiet(): Promise<void>;
}

export async function startKeepalived(lab: Lab): Promise<Keepalived> {
	const directory = join(lab.directory, 'keepalived');
	await mkdir(directory, { recursive: true });
	const config = join(directory, 'keepalived.conf');
	await writeFile(config, configuration(lab));
	const pidFiles = ['-p', 'keepalived', '-c', 'checkers', '-r', 'vrrp'].map((word) =>
		word.startsWith('-') ? word : join(directory, `${word}.pid`),
	);
	// In the foreground, only the checkers, its log on standard output, with details.
	const words = ['-f', config, '-n', '-C', '-l', '-D', ...pidFiles];
	const process = lab.background(lab.topology.director, 'keepalived', words);
	await lab.until('keepalived has put every server in', startLimitMs, async () => {
		lab.expect(process.ended === undefined, 'keepalived runs', process.lines);
		return (await lab.director.weights()).size === lab.servers.length;
	});
	const startedMs = lab.nowMs();
	return { process, quiet: () => quiet(lab, startedMs) };
}

async function quiet(lab: Lab, startedMs: number): Promise<void> {
	const phaseMs = (lab.nowMs() - startedMs) % checkEveryMs;
	if (phaseMs > quietUntilMs) await lab.sleep(checkEveryMs - phaseMs + quietFromMs);
	else if (phaseMs < quietFromMs) await lab.sleep(quietFromMs - phaseMs);
}

/** keepalived.conf(5): a keyword and its values to a line. */
function configuration({ topology: { vip, servers } }: Lab): string {
	return [
		...servers.flatMap(({ node, address, port }) => [
			`track_file ${node} {`,
			`file "${trackDirectory}/tcp_${vip.address}_${vip.port}_${address}_${port}"`,
			'weight 0',
			'}',
		]),
		`virtual_server ${vip.address} ${vip.port} {`,
		`delay_loop ${checkEveryMs / 1000}`,
		'warmup 0',
		'lvs_sched wrr',
		'lvs_method NAT',
		'protocol TCP',
		...servers.flatMap(({ node, address, port }) => [
			`real_server ${address} ${port} {`,
			'weight 100',
			'FILE_CHECK {',
			`track_file ${node}`,
			'weight 0',
			'}',
			'TCP_CHECK {',
			'connect_timeout 3',
			'retry 0',
			'}',
			'}',
		]),
		'}',
		'',
	].join('\n');
}
