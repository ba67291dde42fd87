/**
 * What clients notice when a server's process dies, on a real IPVS director in a virtual machine: ipvigil alone and
 * keepalived alone, in the same boot. What happens in the guest is in ../lab.ts.
 */
import { runScenarios } from '../../lab/session.js';
import { Timeline } from '../../lab/timeline.js';
import { waitForOthers } from '../emulators.js';
import type { Context, Figure, Row } from '../figure.js';
import { names, type Round, roundsOf } from '../lab.js';

function rowsOf(ipvigil: readonly Round[], keepalived: readonly Round[]): Row[] {
	const beside = 'keepalived, delay_loop 1';
	const out = (rounds: readonly Round[]) => rounds.map(({ outMs }) => outMs);
	const sinceKill = (rounds: readonly Round[]) => rounds.map(({ sinceKillMs }) => sinceKillMs);
	const refused = (rounds: readonly Round[]) => rounds.map(({ refused }) => refused);
	return [
		{
			what: "first client's refusal to weight 0, ipvigil",
			unit: 'ms',
			measured: out(ipvigil),
			beside: { what: beside, measured: out(keepalived) },
			goals: [{ of: 'median', atMost: 0.1 }],
		},
		{
			what: 'kill to weight 0, ipvigil',
			unit: 'ms',
			measured: sinceKill(ipvigil),
			beside: { what: beside, measured: sinceKill(keepalived) },
		},
		{
			what: 'clients refused per kill, ipvigil',
			unit: 'clients',
			measured: refused(ipvigil),
			goals: [
				{ of: 'median', atMost: 3 },
				{ of: 'max', atMost: 8 },
			],
		},
		{ what: `clients refused per kill, ${beside}`, unit: 'clients', measured: refused(keepalived) },
	];
}

async function run(context: Context): Promise<Row[]> {
	await waitForOthers(context);
	const { ipvigil, keepalived } = context.quick ? names.quick : names.whole;
	const timeline = new Timeline(context.say);
	const outcomes = await runScenarios({
		kernel: '6.1',
		runs: [ipvigil, keepalived].map((scenario) => ({ scenario, blind: false })),
		say: context.say,
		onEvent: (event) => event.kind !== 'fact' && timeline.event(event),
	});
	const failure = outcomes.find((outcome) => outcome.failure !== undefined);
	if (failure) throw new Error(`${failure.scenario}: ${failure.failure}`);
	const [withIpvigil, withKeepalived] = outcomes.map(({ facts }) => roundsOf(facts));
	return rowsOf(withIpvigil ?? [], withKeepalived ?? []);
}

export const lab: Figure = {
	name: 'lab',
	sentence: 'what clients notice when a server process dies, on a real director',
	conditions:
		'Debian 6.1 under emulation (5 to 20 times slower), LVS-NAT, wrr, 4 equal servers, 50 new connections/s from 10 ' +
		'prefixes, kills at random moments; ipvigil alone in mode assist, then keepalived alone (TCP_CHECK, delay_loop 1, ' +
		'retry 0), in one boot. Stamps: the journal, and the moment at which keepalived logs the change.',
	run,
};
