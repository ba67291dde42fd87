/**
 * A director with the real daemon in it, clients and servers around it: what the figures on decisions have in common.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from './figure.js';
import { address, link, type Network } from './network.js';
import type { Line, Peer } from './processes.js';

export const service = 'tcp 10.0.0.100:80';
/** The first is the victim; the others keep the service above every floor. */
export const ports = [8080, 8081, 8082, 8083] as const;
export const victimPort = ports[0];

/** One server that dies again and again, at once: what lies between a refusal and its answer is untouched. */
const restlessPolicy = { graceMs: 0, slowStartSteps: 1, flapsMax: 1_000_000 };
/** Asked again so soon that 200 rounds end in time, and not so often that questions wait for their turn (remedy/place-turns.ts). */
export const hastyPolicy = { confirmIntervalMs: 1, recoverIntervalMs: 60 };
/** The daemon of the largest start figure needs a tenth of it. */
const startLimitMs = 30_000;
/** Node and the probe's calibration of four endpoints. */
const settleMs = 300;

export interface Stage {
	network: Network;
	client: Peer;
	server: Peer;
}

/** Clients and the server with all its ports open. */
export async function setStage({ processes }: Context, network: Network): Promise<Stage> {
	const client = processes.script(network.name('client'), 'hands');
	const server = processes.script(network.name('server'), 'hands');
	for (const peer of [client, server]) await peer.next('ready', ({ kind }) => kind === 'ready');
	for (const port of ports) await server.ask({ action: 'listen', address: address.server, port }, 'listening');
	return { network, client, server };
}

const rules = [
	'-A -t 10.0.0.100:80 -s wrr',
	...ports.map((port) => `-a -t 10.0.0.100:80 -r ${address.server}:${port} -m -w 100`),
].join('\n');

/** The program as it is installed: bundled. */
export const ipvigil = new URL('../../src/bundle/cli.js', import.meta.url).pathname;

/** The configuration that the figures have in common, over a file of rules that is written here. */
export async function observer(directory: string, text = rules) {
	const file = join(directory, 'rules');
	await writeFile(file, `${text}\n`);
	return {
		mode: 'observe',
		table: { rules: file },
		runtimeDirectory: join(directory, 'run'),
		journalDirectory: join(directory, 'journal'),
	};
}

/** Starts the daemon, and waits until its probes are calibrated. */
export async function startDirector(
	{ directory, processes }: Context,
	stage: Stage,
	attach: string,
	policy: Record<string, number> = {},
): Promise<Peer> {
	const configFile = join(directory, 'ipvigil.yaml');
	const config = {
		...(await observer(directory)),
		mode: 'assist',
		attach,
		metrics: 'off',
		policy: { ...restlessPolicy, ...policy },
	};
	await writeFile(configFile, JSON.stringify(config));
	const words = [configFile, config.table.rules, link.back, `${address.server}:${victimPort}`];
	const director = processes.script(stage.network.name('director'), 'director', ...words);
	await director.next('observing', ({ msg }) => msg?.startsWith('observing') ?? false, startLimitMs);
	await new Promise((resolve) => setTimeout(resolve, settleMs));
	return director;
}

function isSet(weight: number): (line: Line) => boolean {
	return (line) => line.kind === 'set' && line.port === victimPort && line.weight === weight;
}

/** The victim stops listening and one client is refused; when the daemon handed over SET_DEST, in microseconds. */
export async function kill({ client, server }: Stage, director: Peer): Promise<number> {
	await server.ask({ action: 'close', port: victimPort }, 'closed');
	const asked = await client.ask({ action: 'ask', address: address.server, port: victimPort }, 'asked');
	if (asked.result !== 'ECONNREFUSED') throw new Error(`a client of the dead server met ${asked.result}`);
	return Number((await director.next('weight 0', isSet(0))).atUs);
}

/** It listens again; resolves when its weight is given back. */
export async function restore({ server }: Stage, director: Peer): Promise<void> {
	await server.ask({ action: 'listen', address: address.server, port: victimPort }, 'listening');
	await director.next('weight 100', isSet(100));
}

/** When each client's refusal passed the director, in microseconds, in order. */
export async function refusalsSeen(director: Peer): Promise<number[]> {
	const { refusals } = await director.ask({ action: 'refusals' }, 'refusals');
	return (refusals as { atUs: number; client: string }[])
		.filter(({ client }) => client === address.client)
		.map(({ atUs }) => atUs);
}
