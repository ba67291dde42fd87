/**
 * What the hooks inside IPVS take of a director's forwarding, on a real one in a virtual machine. What happens in the
 * guest is in ../hooks.ts.
 */
import { runScenarios } from '../../lab/session.js';
import { Timeline } from '../../lab/timeline.js';
import { waitForOthers } from '../emulators.js';
import type { Context, Figure, Row } from '../figure.js';
import { type Kind, names, type Pair, pairsOf, throughputLeft } from '../hooks.js';

const loads: { kind: Kind; what: string }[] = [
	{ kind: 'exchange', what: 'an octet there and back on a long connection' },
	{ kind: 'connect', what: 'a short connection' },
];

/** Of each load the share of throughput left, by pairs, which the goal is about; then the times on both paths. */
function rowsOf(pairs: readonly Pair[]): Row[] {
	return loads.flatMap(({ kind, what }): Row[] => {
		const us = (side: keyof Pair, path: 'through_ns' | 'beside_ns') =>
			pairs.map((pair) => pair[side][kind][path] / 1e3);
		return [
			{
				what: `${what}: throughput with the hooks, by pairs`,
				unit: 'times',
				measured: pairs.map((pair) => throughputLeft(pair, kind)),
				goals: [{ of: 'median', atLeast: 0.95 }],
			},
			{
				what: `${what}, with the hooks`,
				unit: 'us',
				measured: us('hooked', 'through_ns'),
				beside: { what: 'the same beside IPVS', measured: us('hooked', 'beside_ns') },
			},
			{
				what: `${what}, without the hooks`,
				unit: 'us',
				measured: us('free', 'through_ns'),
				beside: { what: 'the same beside IPVS', measured: us('free', 'beside_ns') },
			},
		];
	});
}

async function run(context: Context): Promise<Row[]> {
	await waitForOthers(context);
	const timeline = new Timeline(context.say);
	const [outcome] = await runScenarios({
		kernel: '6.1',
		runs: [{ scenario: context.quick ? names.quick : names.whole, blind: false }],
		say: context.say,
		onEvent: (event) => event.kind !== 'fact' && timeline.event(event),
	});
	if (!outcome || outcome.failure !== undefined) throw new Error(outcome?.failure ?? 'the guest told nothing');
	return rowsOf(pairsOf(outcome.facts));
}

export const hooks: Figure = {
	name: 'hooks',
	sentence: 'what the hooks inside IPVS take of a director that forwards as much as it can',
	conditions:
		'Debian 6.1 under emulation, one CPU for client, director and server together; LVS-NAT; medians of slices of 3 s in ' +
		'which each operation through IPVS alternates with the same one routed past it, the one held against the other; ' +
		'slices with the hooks and without in turn, ABBA. The daemon (observe, attach: none) is stopped in the slices.',
	run,
};
