/**
 * What ipvigil tells of a server that dies, hangs or falls silent, in each forwarding method: one row of the table below
 * for each scenario. It only observes, so the fault goes on and the counts grow; what is decided from them is told by
 * other scenarios.
 */
import type { SignalName } from '../../../src/evidence/signal.js';
import type { AttemptOutcome } from '../../../src/report/view.js';
import {
	awaitAttempts,
	awaitFailed,
	awaitSuspicion,
	expectAllScheduled,
	expectBlameless,
	expectOnly,
	expectUnsuspected,
	testimony,
} from '../evidence.js';
import { observing, setWatchedStage } from '../refusals.js';
import type { Lab, RealServer, Scenario } from '../scenario.js';
import { direct, nat, tunnel } from '../topologies.js';

type Fault = Pick<Fate, 'fault' | 'counted' | 'also' | 'suspicions'>;

interface Fate extends Omit<Scenario, 'run'> {
	/** The server's process is killed, is stopped, or its host falls silent. */
	fault: 'kill' | 'hang' | 'unplug';
	/** The node whose server it is; r1 if not named. */
	victim?: string;
	/** Counted of the victim at least; of the other ways to fail, only `also`. */
	counted: Partial<Record<AttemptOutcome, number>>;
	/** What may be counted of connections that were under way at that moment. */
	also: AttemptOutcome[];
	/** What may raise suspicion; the probe then confirms it. Empty: nothing does. */
	suspicions: SignalName[];
}

/** Enough to be no accident: at 20 connections a second and three servers, a second's worth. */
const several = 5;

/** Killed with a request in hand: reset, or, where that does not pass us, without an answer when the client leaves. */
const cutShort: AttemptOutcome[] = ['reset', 'gave_up', 'data_repeated'];
/** Silent with a request in hand. */
const cutOff: AttemptOutcome[] = ['data_repeated', 'gave_up'];

const refused: Fault = { fault: 'kill', counted: { refused: several }, also: cutShort, suspicions: ['refusal'] };
/** No SYN is repeated: the client was told, only not through us. */
const refusedElsewhere: Fault = {
	fault: 'kill',
	counted: { unanswered: several },
	also: cutShort,
	suspicions: ['overdue'],
};
/** Whichever comes first: two that wait longer than clients do here, or one that asks again after a second. */
const dead: Fault = {
	fault: 'unplug',
	counted: { syn_repeated: several },
	also: cutOff,
	suspicions: ['overdue', 'syn-repeated'],
};
const hung: Fault = { fault: 'hang', counted: { asked: several, gave_up: several }, also: [], suspicions: [] };

const fates: Fate[] = [
	{
		name: 'dr-refused',
		sentence:
			'in DR a refusal does not pass us, and no SYN is repeated: that nobody is accepted any more is what tells',
		signal: 'attempts, by the hooks inside IPVS',
		topology: direct(),
		...refusedElsewhere,
	},
	{
		name: 'dr-dead',
		sentence: 'in DR a silent host shows in the SYNs that its clients repeat',
		topology: direct(),
		...dead,
	},
	{
		name: 'dr-hung',
		sentence: 'in DR a server that accepts and never answers shows in what its clients acknowledge',
		ci: ['6.1'],
		topology: direct(),
		...hung,
	},
	{
		name: 'dr-gateway',
		sentence: 'in DR through the director the refusals pass it, and are counted as in NAT',
		ci: ['7'],
		topology: direct({ gateway: true }),
		...refused,
	},
	{
		name: 'nat-hung',
		sentence: 'in NAT a server that accepts and never answers is told from one that works',
		ci: ['7'],
		topology: nat(),
		...hung,
	},
	{
		name: 'nat-dead',
		sentence: 'in NAT a silent host shows in the SYNs that its clients repeat',
		ci: ['6.1'],
		topology: nat(),
		...dead,
	},
	{
		name: 'tun-refused',
		sentence: 'in TUN a refusal does not pass us, and is noticed as in DR',
		ci: ['7'],
		topology: tunnel(),
		...refusedElsewhere,
	},
	{
		name: 'tun-dead',
		sentence: 'in TUN a silent host shows in the SYNs that its clients repeat',
		topology: tunnel(),
		...dead,
	},
	{
		name: 'v6-nat-refused',
		sentence: 'over IPv6 refusals are verified and counted as over IPv4',
		ci: ['6.1'],
		topology: nat({ family: 'ipv6' }),
		...refused,
	},
	{
		name: 'v6-dr-dead',
		sentence: 'over IPv6 a silent host in DR shows in the SYNs that its clients repeat',
		ci: ['7'],
		topology: direct({ family: 'ipv6' }),
		...dead,
	},
	{
		name: 'persistent',
		sentence: 'a persistent service is counted by its connections, not by its templates',
		ci: ['6.1'],
		topology: nat({ persistentS: 300, prefixes: 12 }),
		...refused,
	},
	{
		name: 'localnode',
		sentence: 'in two boxes the director sees its own server refuse',
		ci: ['7'],
		topology: direct({ servers: 1, localnode: true }),
		victim: 'di',
		...refused,
	},
];

async function tell(lab: Lab, fate: Fate): Promise<void> {
	const { daemon, traffic } = await setWatchedStage(lab, observing(lab));
	const victim = lab.server(fate.victim ?? 'r1');
	await strike(lab, fate, victim);
	await awaitAttempts(lab, victim, fate.counted);
	if (fate.suspicions.length > 0) {
		const { signal, verified } = (await awaitSuspicion(lab, daemon, victim, fate.suspicions)).facts;
		lab.expect(
			verified === (signal === 'refusal'),
			'a refusal that passes us is verified, and nothing else is',
			signal,
		);
		await awaitFailed(lab, daemon, victim);
	}
	const totals = await traffic.stop();
	const told = await testimony(lab);
	lab.fact(victim.destination, JSON.stringify(told.attempts(victim)));
	expectOnly(lab, told, victim, [...(Object.keys(fate.counted) as AttemptOutcome[]), ...fate.also]);
	if (fate.suspicions.length === 0) await expectUnsuspected(lab, daemon, victim);
	for (const other of lab.servers.filter((server) => server !== victim)) {
		expectBlameless(lab, told, other);
		await expectUnsuspected(lab, daemon, other);
	}
	expectAllScheduled(lab, told, totals.started);
}

async function strike(lab: Lab, { fault }: Fate, victim: RealServer): Promise<void> {
	const words = { kill: 'is killed', hang: 'is stopped, and its kernel goes on accepting', unplug: 'is unplugged' };
	await victim[fault]();
	lab.note(`${victim.name} ${words[fault]}`);
}

const scenarios: Scenario[] = fates.map((fate) => ({ ...fate, run: (lab: Lab) => tell(lab, fate) }));

export default scenarios;
