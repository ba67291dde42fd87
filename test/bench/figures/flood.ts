/**
 * A flood of forged refusals in the name of servers that are alive, and one server that truly dies in the midst of it:
 * what the flood costs the agent, what is lost, whom it convicts, and how late the one true decision is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Counters, countersOf } from '../counters.js';
import { kill, ports, refusalsSeen, restore, type Stage, setStage, startDirector, victimPort } from '../director.js';
import type { Context, Figure, Row } from '../figure.js';
import { buildFlood, macTowards } from '../flood.js';
import { address, Network } from '../network.js';
import { cpuMs, type Peer } from '../processes.js';

const ratePerS = 200_000;
const floodS = 3;
/** The agent is measured over two seconds in the middle of the flood. */
const beforeMs = 500;
const measuredMs = 2_000;
/** The policy lets one endpoint be asked once a second: the next kill comes later than that. */
const pauseMs = 1_500;

const liveServers = ports.filter((port) => port !== victimPort);

interface Flood {
	sent: number;
	seconds: number;
	agentPercent: number;
	counted: Counters;
}

/** One flood, and one kill in the midst of it; when SET_DEST was handed over goes to `setUs`. */
async function flood(context: Context, stage: Stage, director: Peer, program: string, setUs: number[]): Promise<Flood> {
	const { network } = stage;
	const mac = await macTowards(network);
	const words = ['eth0', mac, address.server, liveServers.join(','), String(ratePerS), String(floodS)];
	const before = await countersOf(director.pid, ports.length);
	const sender = context.processes.start(network.name('server'), program, words);
	await sleep(beforeMs);
	const beganMs = performance.now();
	const beganCpuMs = await cpuMs(director.pid);
	setUs.push(await kill(stage, director));
	await sleep(measuredMs - (performance.now() - beganMs));
	const usedMs = (await cpuMs(director.pid)) - beganCpuMs;
	const agentPercent = (100 * usedMs) / (performance.now() - beganMs);
	const { sent, took_ns } = await sender.next('the end of the flood', ({ kind }) => kind === 'flooded', 20_000);
	await restore(stage, director);
	const after = await countersOf(director.pid, ports.length);
	const counted = { ...after };
	for (const name of Object.keys(counted) as (keyof Counters)[]) counted[name] -= before[name];
	return { sent: Number(sent), seconds: Number(took_ns) / 1e9, agentPercent, counted };
}

interface Decisions {
	setUs: number[];
	/** Which of them were made during a flood. */
	flooded: boolean[];
}

async function measure(context: Context, stage: Stage, director: Peer): Promise<Row[]> {
	const program = await buildFlood(context.directory);
	const rounds = context.quick ? 1 : 5;
	const floods: Flood[] = [];
	const decisions: Decisions = { setUs: [], flooded: [] };
	let falseEjections = 0;
	director.seen = ({ kind, port }) => {
		if (kind === 'set' && port !== victimPort) falseEjections += 1;
	};
	for (let round = 1; round <= rounds; round++) {
		context.say(`flood ${round} of ${rounds}: ${ratePerS} refusals a second for ${floodS} s`);
		await sleep(pauseMs);
		decisions.setUs.push(await kill(stage, director));
		decisions.flooded.push(false);
		await restore(stage, director);
		await sleep(pauseMs - beforeMs);
		floods.push(await flood(context, stage, director, program, decisions.setUs));
		decisions.flooded.push(true);
	}
	const seenUs = await refusalsSeen(director);
	const tookMs = decisions.setUs.map((atUs, index) => (atUs - (seenUs[index] ?? Number.NaN)) / 1e3);
	return rowsOf(floods, tookMs, decisions.flooded, falseEjections);
}

/** One refusal of each flood is true. */
function forgedOf({ refusals }: Counters): number {
	return refusals - 1;
}

function rowsOf(floods: readonly Flood[], tookMs: number[], flooded: boolean[], falseEjections: number): Row[] {
	const decisions = (during: boolean) => tookMs.filter((_, index) => flooded[index] === during);
	const perS = (count: (flood: Flood) => number) => floods.map((one) => count(one) / one.seconds);
	const unaccounted = ({ counted }: Flood) =>
		counted.refusals - counted.events_sent - counted.events_suppressed - counted.events_lost;
	return [
		{ what: 'refusals sent', unit: '/s', measured: perS(({ sent }) => sent) },
		{ what: 'of them counted by the observer', unit: '/s', measured: perS(({ counted }) => forgedOf(counted)) },
		{ what: 'events that reached the agent', unit: '/s', measured: perS(({ counted }) => counted.events_sent) },
		{
			what: 'counted refusals that are neither event nor suppressed nor lost',
			unit: 'times',
			measured: floods.map(unaccounted),
			goals: [{ of: 'max', atMost: 0 }],
		},
		{
			what: 'sent and not counted',
			unit: '%',
			measured: floods.map(({ sent, counted }) => (100 * (sent - forgedOf(counted))) / sent),
		},
		{
			what: 'CPU of the agent, of one core',
			unit: '%',
			measured: floods.map(({ agentPercent }) => agentPercent),
			goals: [{ of: 'median', atMost: 5 }],
		},
		{ what: 'false ejections', unit: 'times', measured: [falseEjections], goals: [{ of: 'max', atMost: 0 }] },
		{
			what: 'refusal to SET_DEST of the server that died in the flood',
			unit: 'ms',
			measured: decisions(true),
			beside: { what: 'the same without a flood', measured: decisions(false) },
		},
	];
}

async function run(context: Context): Promise<Row[]> {
	const network = await Network.open();
	try {
		const stage = await setStage(context, network);
		return await measure(context, stage, await startDirector(context, stage, 'tc'));
	} finally {
		context.processes.killAll();
		await network.close();
	}
}

export const floodFigure: Figure = {
	name: 'flood',
	sentence: 'a flood of forged refusals, and one true death in the midst of it',
	conditions:
		'tc on veth; 200,000 RST|ACK a second aimed at for 3 s, in the name of three living endpoints and from 131,070 ' +
		'spoofed clients. Sender, forwarding and agent share this machine. A decision that does not come breaks the figure.',
	run,
};
