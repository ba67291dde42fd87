/**
 * The guest's part of the figure `hooks`: full load through a NAT director while the daemon's hooks inside IPVS are
 * attached and while they have let go, in turn. Octets a second, and connections, would say nothing here: other work on
 * the host changes them eightfold from slice to slice, and one CPU's batches of segments threefold. So each operation
 * through IPVS is followed by the same one to the server itself, routed by the same director, and medians are compared.
 * The pairs are told as one fact, which figures/hooks.ts reads. No kernel is named, so that `npm run lab -- all` leaves
 * it out.
 */
import { ReleaseRequest } from '../../src/shell/release-request.js';
import { awaitAttempts } from '../lab/evidence.js';
import type { Daemon, Lab, Scenario } from '../lab/scenario.js';
import { labtool } from '../lab/tools.js';
import { natIpv4 } from '../lab/topologies.js';
import type { RealServerPlace, Topology } from '../lab/topology.js';

const pairsWhole = 8;
const pairsQuick = 2;

/** Some hundred operations of each kind on a busy machine, some thousand on a quiet one. */
const sliceMs = 3_000;
/** Fewer are no median. */
const leastCount = 20;
/** The daemon looks for the request every two seconds; loading took 1.4 s under emulation. */
const hooksLimitMs = 30_000;
const listenLimitMs = 10_000;
/** The director, on the clients' side of every topology. */
const gateway = '10.0.0.1';
const longPort = 81;
const echoPort = 8081;

const kinds = ['exchange', 'connect'] as const;
export type Kind = (typeof kinds)[number];

/** Median of one operation, as tools/load.c tells it. */
export interface Times {
	count: number;
	through_ns: number;
	beside_ns: number;
}

export interface Pair {
	hooked: Record<Kind, Times>;
	free: Record<Kind, Times>;
}

/** Through IPVS, as a multiple of what the same operation takes beside it. */
const weighed = ({ through_ns, beside_ns }: Times) => through_ns / beside_ns;

/** What throughput is left with the hooks, as a share of that without. */
export const throughputLeft = ({ hooked, free }: Pair, kind: Kind) => weighed(free[kind]) / weighed(hooked[kind]);

const fact = 'pairs';

export function pairsOf(facts: Record<string, string | number | boolean>): Pair[] {
	return JSON.parse(String(facts[fact] ?? '[]')) as Pair[];
}

/** A second service, to the same server, for the long connections. */
function withLongService(base: Topology): Topology {
	const service = `-t ${base.vip.address}:${longPort}`;
	const [server] = base.servers;
	const more = [`-A ${service} -s wrr`, `-a ${service} -r ${server?.address}:${echoPort} -m -w 100`];
	const nodes = base.nodes.map((node) => (node.ipvs ? { ...node, ipvs: [...node.ipvs, ...more] } : node));
	return { ...base, nodes };
}

async function startServer(lab: Lab): Promise<RealServerPlace> {
	const [place] = lab.topology.servers;
	lab.expect(place !== undefined, 'there is a server');
	await lab.server(place.node).start();
	const echo = lab.background(place.node, labtool, ['echo', place.address, String(echoPort)]);
	await lab.until(`${place.node} gives back`, listenLimitMs, () => echo.lines.length > 0);
	await lab.exec(lab.topology.clients.node, 'ip', 'route', 'add', `${place.address}/32`, 'via', gateway);
	return place;
}

async function load(lab: Lab, kind: Kind, durationMs: number): Promise<Times> {
	const { clients, vip, servers } = lab.topology;
	const [server] = servers;
	const [through, beside] = kind === 'connect' ? [vip.port, server?.port] : [longPort, echoPort];
	const to = [`${vip.address}:${through}`, `${server?.address}:${beside}`];
	const words = [clients.addresses[0] ?? '', ...to, String(durationMs)];
	const times = JSON.parse(await lab.exec(clients.node, labtool, 'load', kind, ...words)) as Times;
	lab.expect(times.count >= leastCount, `there are operations enough of "${kind}"`, times);
	return times;
}

/** The daemon is stopped meanwhile: on the guest's one CPU its own work would be counted as the hooks'. */
async function slice(lab: Lab, daemon: Daemon): Promise<Record<Kind, Times>> {
	daemon.signal('SIGSTOP');
	const exchange = await load(lab, 'exchange', sliceMs);
	const connect = await load(lab, 'connect', sliceMs);
	daemon.signal('SIGCONT');
	return { exchange, connect };
}

/** How often the two vantage points inside IPVS were attached, by the log. */
const attached = (daemon: Daemon) => daemon.log().filter(({ msg }) => / is attached to ip_vs$/.test(msg)).length;

/** As `ipvigil hooks` asks, without the start of a program. */
async function setHooks(lab: Lab, daemon: Daemon, wanted: boolean): Promise<void> {
	const request = new ReleaseRequest(daemon.runtimeDirectory);
	if (wanted === !request.standing) return;
	const before = attached(daemon);
	if (wanted) request.withdraw();
	else request.make();
	const done = () => (wanted ? attached(daemon) === before + 2 : request.acknowledged);
	await lab.until(wanted ? 'the hooks are attached' : 'the hooks have let go', hooksLimitMs, done);
}

/** With and without in turn, and the order turned round each time: A B B A, so that hooks change once a pair. */
async function measure(lab: Lab, daemon: Daemon, count: number): Promise<void> {
	const pairs: Pair[] = [];
	for (let index = 0; index < count; index++) {
		const pair: Partial<Pair> = {};
		for (const side of index % 2 === 0 ? (['hooked', 'free'] as const) : (['free', 'hooked'] as const)) {
			await setHooks(lab, daemon, side === 'hooked');
			pair[side] = await slice(lab, daemon);
		}
		pairs.push(pair as Pair);
		lab.note(`pair ${index + 1}: ${kinds.map((kind) => said(kind, pair as Pair)).join('; ')}`);
	}
	lab.fact(fact, JSON.stringify(pairs));
}

function said(kind: Kind, pair: Pair): string {
	const [hooked, free] = [pair.hooked[kind], pair.free[kind]].map(
		({ through_ns, beside_ns, count }) => `${through_ns} ns, ${beside_ns} beside (n ${count})`,
	);
	return `${kind} ${hooked}; without ${free}; left ${throughputLeft(pair, kind).toFixed(3)} x`;
}

function scenario(name: string, pairs: number): Scenario {
	return {
		name,
		sentence: `${pairs} pairs of full load, with the hooks inside IPVS and without`,
		kernels: [],
		topology: withLongService(natIpv4({ servers: 1 })),
		limitMs: 580_000,
		async run(lab: Lab) {
			const { node } = await startServer(lab);
			const daemon = await lab.daemon({ mode: 'observe', attach: 'none', attempts: 'auto' });
			await lab.until('the hooks are attached', hooksLimitMs, () => attached(daemon) === 2);
			await load(lab, 'connect', sliceMs);
			await awaitAttempts(lab, lab.server(node), { answered: 1 });
			lab.note('the hooks are attached, and count');
			await measure(lab, daemon, pairs);
			lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
		},
	};
}

export const names = { whole: 'bench-hooks', quick: 'bench-hooks-quick' };

export default [scenario(names.whole, pairsWhole), scenario(names.quick, pairsQuick)];
