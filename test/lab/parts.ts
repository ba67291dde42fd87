/**
 * The people of a scenario: the director's table, the real servers, the clients and what became of their attempts, and
 * the forgers. What each of them does on the wire is in tools/labtool.c.
 */
import { exec, type Processes, script } from './process.js';
import type { Clients, Director, Failure, Lie, RealServer, Totals, Traffic, TrafficOptions } from './scenario.js';
import { labtool } from './tools.js';
import { hostPort } from './topologies.js';
import { portName, type RealServerPlace, switchOf, type Topology } from './topology.js';

/** A listener is up within a second even under load; ten times that. */
const listenLimitMs = 10_000;
/** The last attempts have timed out by then (5 s is the longest time-out in use). */
const trafficStopLimitMs = 20_000;

export function makeDirector(node: string): Director {
	const ipvsadm = (...args: string[]) => exec(node, 'ipvsadm', ...args);
	const weights = async () => parseWeights(await ipvsadm('-Sn'));
	return {
		ipvsadm,
		weights,
		weight: async (destination) => (await weights()).get(destination),
	};
}

/** `-a -t 10.0.0.100:80 -r 10.1.0.11:8080 -m -w 100` is one destination. */
export function parseWeights(rules: string): Map<string, number> {
	const found = new Map<string, number>();
	for (const match of rules.matchAll(/^-a .*?-r (\S+) .*?-w (\d+)/gm)) {
		const [, destination, weight] = match;
		if (destination && !found.has(destination)) found.set(destination, Number(weight));
	}
	return found;
}

export function makeServer(place: RealServerPlace, topology: Topology, processes: Processes): RealServer {
	let running: ReturnType<Processes['start']> | undefined;
	return {
		name: place.node,
		destination: hostPort(place),
		start: async () => {
			running = processes.start(place.node, labtool, servingWords(place, topology));
			await serving(place, running);
		},
		kill: async () => {
			await running?.kill();
			running = undefined;
		},
		hang: () => running?.signal('SIGSTOP'),
		resume: () => running?.signal('SIGCONT'),
		unplug: () => setLink(place, 'down'),
		plug: () => setLink(place, 'up'),
		firewall: async (rules) => void (await script(place.node, `nft -f - <<'END'\nflush ruleset\n${rules}\nEND`)),
	};
}

function servingWords({ node, address, port, listen }: RealServerPlace, topology: Topology): string[] {
	const { address: on, ports } = listen ?? { address, ports: [port] };
	return ['serve', node, topology.protocol ?? 'tcp', on, ...ports.map(String)];
}

function serving(place: RealServerPlace, started: ReturnType<Processes['start']>): Promise<void> {
	return new Promise((resolve, reject) => {
		const late = () => reject(new Error(`${place.node} does not listen: ${started.lines.join(' ')}`));
		const limit = setTimeout(late, listenLimitMs);
		started.onLine = () => {
			clearTimeout(limit);
			if (started.lines[0]?.includes('serving')) resolve();
			else late();
		};
	});
}

/** On the switch: the host's own interface keeps its routes, as when a cable is pulled at the far end. */
async function setLink({ node }: RealServerPlace, state: 'up' | 'down'): Promise<void> {
	const port = portName({ node, interface: 'back0' });
	await exec(switchOf({ name: 'back' }), 'ip', 'link', 'set', 'dev', port, state);
}

export function makeClients(topology: Topology, processes: Processes): Clients {
	return {
		start: (options: TrafficOptions = {}) =>
			watch(processes.start(topology.clients.node, labtool, ['clients', ...clientWords(topology, options)])),
	};
}

function clientWords(topology: Topology, options: TrafficOptions): string[] {
	const { ratePerS = 20, to = topology.vip, from = topology.clients.addresses, timeoutMs = 3_000 } = options;
	return [
		...['--to', hostPort(to), '--protocol', topology.protocol ?? 'tcp', '--rate', String(ratePerS)],
		...['--from', from.join(','), '--timeout-ms', String(timeoutMs)],
	];
}

/** The /16 of all clients of the topologies: lies are about any of its hosts. */
const lyingClients = '10.64.0.0';

export async function forge(topology: Topology, { kind, from, server, count, ratePerS }: Lie): Promise<void> {
	const links = await exec(topology.director, 'ip', '-json', 'link', 'show', 'dev', from.interface);
	const [link] = JSON.parse(links) as { address: string }[];
	await exec(
		from.node,
		labtool,
		...['forge', kind, '--interface', from.interface, '--mac', link?.address ?? '', '--server', server.destination],
		...['--vip', hostPort(topology.vip), '--clients', lyingClients],
		...['--count', String(count), '--rate', String(ratePerS)],
	);
}

interface FailureLine {
	kind: 'failure';
	result: Failure['result'];
	at_ns: number;
	took_us: number;
	from: string;
}

type TotalsLine = Omit<Totals, 'atMs'> & { kind: 'totals'; at_ns: number };

function watch(process: ReturnType<Processes['start']>): Traffic {
	const failures: Failure[] = [];
	const none = { refused: 0, timeout: 0, reset: 0, unreachable: 0, closed: 0, error: 0 };
	let newest: Totals = { atMs: 0, ok: 0, started: 0, skipped: 0, open: 0, ...none, by: {} };
	process.onLine = (line) => {
		if (!line.startsWith('{')) return;
		const read = JSON.parse(line) as FailureLine | TotalsLine;
		if (read.kind === 'totals') newest = totalsOf(read);
		else failures.push({ result: read.result, atMs: read.at_ns / 1e6, tookMs: read.took_us / 1e3, from: read.from });
	};
	return {
		failures,
		totals: () => {
			if (process.ended !== undefined)
				throw new Error(`the clients ended with ${process.ended}: ${process.lines.at(-1)}`);
			return newest;
		},
		stop: async () => {
			await process.stop(trafficStopLimitMs);
			return newest;
		},
	};
}

function totalsOf({ kind: _, at_ns, ...counts }: TotalsLine): Totals {
	return { ...counts, atMs: at_ns / 1e6 };
}
