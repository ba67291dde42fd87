/** What the observer takes of a director's forwarding: packets a second through three namespaces, with it and without. */

import type { Context, Figure, Goal, Row } from '../figure.js';
import { buildFlood, macTowards } from '../flood.js';
import { address, link, Network, spoofedPrefix } from '../network.js';
import { exec, type Peer } from '../processes.js';

/** More than any machine forwards: the sender never waits. */
const unlimitedPerS = 100_000_000;
/** Long against the start of a process, short against the moods of a machine that others use too. */
const sliceS = 0.25;
const port = 8080;

interface Load {
	what: string;
	/** TCP flags of the packets in turn, as tools/flood.c reads them. */
	flags: string;
	goals: Goal[];
}

const plain = Array<string>(9).fill('10');
const goals: Goal[] = [{ of: 'median', atLeast: 0.95 }];

/** Nothing but data, nothing but short connections, and, held to no goal, a flood of refusals within the data. */
const loads: Load[] = [
	{ what: 'nothing of interest', flags: '10', goals },
	{ what: 'one SYN|ACK in ten packets', flags: ['12', ...plain].join(), goals },
	{ what: 'one refusal in ten packets', flags: ['14', ...plain].join(), goals: [] },
];

interface Stage {
	context: Context;
	network: Network;
	observer: Peer;
	program: string;
	mac: string;
}

/** The director forwards to the client what else it would throw away, and the client throws it away. */
async function forwardSpoofed(network: Network): Promise<void> {
	await exec(network.name('director'), 'ip', 'route', 'replace', spoofedPrefix, 'via', address.client);
	await exec(network.name('client'), 'ip', 'route', 'add', 'blackhole', spoofedPrefix);
}

/** What arrived at the client, by its interface's own counter. */
async function arrived(network: Network): Promise<number> {
	const text = await exec(network.name('client'), 'ip', '-json', '-stats', 'link', 'show', 'eth0');
	const [shown] = JSON.parse(text) as { stats64: { rx: { packets: number } } }[];
	return shown?.stats64.rx.packets ?? Number.NaN;
}

/** Packets that came through in one slice, for each second that the sender ran: what else the machine does, is left out. */
async function slice(
	{ context, network, observer, program, mac }: Stage,
	load: Load,
	watching: boolean,
): Promise<number> {
	await observer.ask({ watching }, 'set');
	const before = await arrived(network);
	const words = ['eth0', mac, address.server, String(port), String(unlimitedPerS), String(sliceS), load.flags];
	const sender = context.processes.start(network.name('server'), program, words);
	const { cpu_ns } = await sender.next('the end of the slice', ({ kind }) => kind === 'flooded');
	return (((await arrived(network)) - before) * 1e9) / Number(cpu_ns);
}

/** With and without in turn, and the order turned round each time: A B B A. */
async function rowOf(stage: Stage, load: Load, attach: string): Promise<Row> {
	const rounds = stage.context.quick ? 4 : 40;
	const measured: number[] = [];
	const beside: number[] = [];
	for (let round = 0; round < rounds; round++)
		for (const watching of round % 2 === 0 ? [true, false] : [false, true])
			(watching ? measured : beside).push(await slice(stage, load, watching));
	return {
		what: `${attach}: forwarded, ${load.what}`,
		unit: '/s',
		measured,
		beside: { what: 'without the observer', measured: beside },
		goals: load.goals,
	};
}

async function measure(context: Context, network: Network, attach: string): Promise<Row[]> {
	await forwardSpoofed(network);
	const words = [link.back, attach, `${address.server}:${port}`];
	const observer = context.processes.script(network.name('director'), 'observer', ...words);
	await observer.next('ready', ({ kind }) => kind === 'ready');
	const program = await buildFlood(context.directory);
	const stage = { context, network, observer, program, mac: await macTowards(network) };
	const rows: Row[] = [];
	for (const load of loads) {
		context.say(`${attach}: ${load.what}`);
		rows.push(await rowOf(stage, load, attach));
	}
	return rows;
}

async function run(context: Context): Promise<Row[]> {
	const network = await Network.open();
	try {
		return await measure(context, network, 'tc');
	} finally {
		context.processes.killAll();
		await network.close();
	}
}

export const forwarding: Figure = {
	name: 'forwarding',
	sentence: 'what the observer takes of a director that does nothing but forward',
	conditions:
		'tc on veth, packets of 54 octets from the real server to spoofed clients, which one process sends, routes and ' +
		'delivers in its own time: packets for each second of CPU that it got; slices of 0.25 s with the observer and ' +
		'without, in turn. Without IPVS and conntrack, which would make the same cost a smaller share.',
	run,
};
