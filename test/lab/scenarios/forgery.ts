/**
 * Lies about a healthy server: refusals and ICMP errors that somebody else sends in its name, and a flood of SYNs from
 * clients that do not exist. ipvigil runs as it would where it may write, and must write nothing.
 */
import { expectUnsuspected, testimony } from '../evidence.js';
import { metric } from '../metrics.js';
import { setWatchedStage, type WatchedStage } from '../refusals.js';
import type { Lab, Lie, RealServer, Scenario, Totals } from '../scenario.js';
import { direct, nat } from '../topologies.js';

/** Ten times what would raise suspicion; 2 s of it. */
const lies = 100;
const liesPerS = 50;
/** What the last of them did is in the journal by then. */
const settleMs = 1_000;

const fromTheClients = { node: 'cl', interface: 'front0' };
const fromAStranger = { node: 'st', interface: 'back0' };

const liars = [fromTheClients, fromAStranger];

const spoofedRst: Scenario = {
	name: 'spoofed-rst',
	sentence: 'refusals and ICMP errors from the client side or from a wrong MAC address are believed by nobody',
	topology: nat({ stranger: true }),
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, {});
		const server = stage.victim;
		await lieAbout(lab, server, liars, ['rst', 'unreachable']);
		await lab.sleep(settleMs);
		for (const each of lab.servers) await expectUnsuspected(lab, stage.daemon, each);
		const told = await testimony(lab);
		lab.expect(told.attempts(server).refused === 0, 'no refusal is counted', told.attempts(server));
		lab.expect(told.unreachables(server) === 0, 'no ICMP error is counted', told.unreachables(server));
		const strangers = await metric(lab, 'ipvigil_lost_total{place="packet_stranger"}');
		lab.expect((strangers ?? 0) >= 2 * lies, 'what the stranger says is rejected, and counted', strangers);
		lab.fact("a stranger's packets rejected", strangers ?? 0);
		// Whoever sends a SYN knows what refuses it: a lie that is told in time makes us ask the server, and no more.
		await lieAbout(lab, server, [fromTheClients], ['refused-syn']);
		await lab.sleep(settleMs);
		const verified = (await stage.daemon.journal()).filter(({ facts }) => facts.verified === true);
		lab.expect(verified.length === 0, 'no lie from the client side counts as verified', verified);
		await lieAbout(lab, server, [fromAStranger], ['refused-syn']);
		const { started } = await expectUnharmed(lab, stage);
		const scheduled = (await testimony(lab)).sum('scheduled');
		lab.expect(scheduled >= started + lies, 'what the client side sent has arrived', { started, scheduled });
	},
};

async function lieAbout(lab: Lab, server: RealServer, from: Lie['from'][], kinds: Lie['kind'][]): Promise<void> {
	for (const liar of from) {
		for (const kind of kinds) {
			await lab.forge({ kind, from: liar, server, count: lies, ratePerS: liesPerS });
			lab.note(`${lies} lies (${kind}) about ${server.name} were sent by ${liar.node} over ${liar.interface}`);
		}
	}
}

/** 6 s of it: longer than an attempt waits before it counts as unanswered. */
const floodPerS = 500;
const flood = 3_000;

const synFlood: Scenario = {
	name: 'syn-flood',
	sentence: 'a flood of SYNs from clients that do not exist costs no server its weight and no client its answer',
	ci: ['7'],
	topology: direct(),
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, {});
		await lab.forge({ kind: 'syn', from: fromTheClients, server: stage.victim, count: flood, ratePerS: floodPerS });
		lab.note(`${flood} SYNs from hosts that do not exist were sent at ${floodPerS} a second`);
		const told = await testimony(lab);
		lab.expect(told.sum('scheduled') > flood, 'the flood was scheduled', told.sum('scheduled'));
		lab.fact('attempts scheduled', told.sum('scheduled'));
		lab.fact('attempts unanswered', told.sum('unanswered'));
		await expectUnharmed(lab, stage);
	},
};

async function expectUnharmed(lab: Lab, { daemon, traffic }: WatchedStage): Promise<Totals> {
	const totals = await traffic.stop();
	lab.expect(traffic.failures.length === 0, 'every true client is served', traffic.failures.slice(0, 5));
	lab.fact('true clients served meanwhile', totals.ok);
	const taken = (await daemon.journal()).filter(({ scenario }) => ['failed', 'quiesced'].includes(scenario));
	lab.expect(taken.length === 0, 'no server is taken for dead', taken);
	const weights = [...(await lab.director.weights())];
	lab.expect(
		weights.every(([, weight]) => weight === 100),
		'every weight stands',
		weights,
	);
	return totals;
}

export default [spoofedRst, synFlood];
