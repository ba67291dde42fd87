/**
 * From a refusal on the wire to the octets of SET_DEST, with the probe between them, held against one ring wake-up and
 * one such probe done alone. Rounds of both sides alternate; the daemon is started anew a few times, because its first
 * decision runs through code that has never run before.
 */
import { hastyPolicy, kill, refusalsSeen, restore, type Stage, setStage, startDirector } from '../director.js';
import type { Context, Figure, Row } from '../figure.js';
import { address, link, Network } from '../network.js';
import type { Peer } from '../processes.js';

/** Nobody listens there on the other server. */
const closedPort = 9;
/** The kernel lets one event per endpoint through every 20 ms once five have passed: rounds stay apart. */
const pauseMs = 25;

interface Limit {
	heardUs: number[];
	wholeUs: number[];
}

interface Decisions {
	first: number[];
	later: number[];
}

async function measureLimit({ client }: Stage, limit: Peer, into: Limit): Promise<void> {
	client.say({ action: 'ask', address: address.otherServer, port: closedPort });
	const { outcome, heardUs, wholeUs } = await limit.next('limit', ({ kind }) => kind === 'limit');
	if (outcome !== 'refused') throw new Error(`the limit's probe was ${outcome}`);
	await client.next('asked', ({ kind }) => kind === 'asked');
	into.heardUs.push(Number(heardUs));
	into.wholeUs.push(Number(wholeUs));
}

/** One life of the daemon. */
async function life(director: Peer, stage: Stage, limit: Peer, rounds: number, beside: Limit): Promise<number[]> {
	const setUs: number[] = [];
	for (let round = 0; round < rounds; round++) {
		await new Promise((resolve) => setTimeout(resolve, pauseMs));
		setUs.push(await kill(stage, director));
		await restore(stage, director);
		await measureLimit(stage, limit, beside);
	}
	const seenUs = await refusalsSeen(director);
	if (seenUs.length !== rounds) throw new Error(`${seenUs.length} refusals were recorded in ${rounds} rounds`);
	return setUs.map((atUs, index) => atUs - (seenUs[index] ?? Number.NaN));
}

async function measure(context: Context, stage: Stage, attach: 'tc' | 'xdp'): Promise<Row[]> {
	const lives = context.quick ? 2 : 4;
	const rounds = context.quick ? 10 : 60;
	const words = [link.otherBack, attach, address.otherServer, String(closedPort), address.otherBack];
	const limit = context.processes.script(stage.network.name('director'), 'limit', ...words);
	await limit.next('ready', ({ kind }) => kind === 'ready');
	const beside: Limit = { heardUs: [], wholeUs: [] };
	const decisions: Decisions = { first: [], later: [] };
	for (let count = 1; count <= lives; count++) {
		context.say(`${attach}: start ${count} of ${lives}, ${rounds} kills`);
		const director = await startDirector(context, stage, attach, hastyPolicy);
		const [first = Number.NaN, ...later] = await life(director, stage, limit, rounds, beside);
		decisions.first.push(first);
		decisions.later.push(...later);
		await director.stop();
	}
	await limit.stop();
	return rowsOf(attach, decisions, beside);
}

const inMs = (values: number[]) => values.map((us) => us / 1e3);

function rowsOf(attach: string, { first, later }: Decisions, { heardUs, wholeUs }: Limit): Row[] {
	const limit = { what: 'one wake-up and one probe, alone', measured: inMs(wholeUs) };
	return [
		{ what: `${attach}: refusal to decoded event`, unit: 'ms', measured: inMs(heardUs) },
		{
			what: `${attach}: refusal to SET_DEST, confirmed`,
			unit: 'ms',
			measured: inMs(later),
			beside: limit,
			goals: [
				{ of: 'median', atMost: 3 },
				{ of: 'p99', atMost: 10 },
			],
		},
		{ what: `${attach}: the same, first after a start`, unit: 'ms', measured: inMs(first), beside: limit },
	];
}

async function run(context: Context): Promise<Row[]> {
	const network = await Network.open();
	try {
		const stage = await setStage(context, network);
		return [...(await measure(context, stage, 'tc')), ...(await measure(context, stage, 'xdp'))];
	} finally {
		context.processes.killAll();
		await network.close();
	}
}

export const decision: Figure = {
	name: 'decision',
	sentence: 'from a refusal on the wire to the octets of SET_DEST, the confirming probe included',
	conditions:
		'The real daemon in mode assist on veth in network namespaces of this machine; no IPVS: clients reach the server ' +
		'by routing, the table is a file and SET_DEST goes to a stand-in. Ratios are to the median of the limit. The first ' +
		'decision after each start is counted apart.',
	run,
};
