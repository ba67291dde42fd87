/**
 * Rules broken on purpose, one for each checker at least, from outside of the shipped code: what a checker does not
 * catch here it would not catch in ipvigil either.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lease } from '../../src/judge/lease.js';
import { leaseName } from '../../src/remedy/lease-file.js';
import { trackDirectory } from './agent.js';
import type { Plan, Trouble } from './plan.js';
import type { LifeParts, Mutation } from './scene.js';

export interface Broken {
	/** Whose checker must catch it. */
	checker: string;
	/** What is wrong with this ipvigil, to be read after "an ipvigil that". */
	sentence: string;
	mutation: Mutation;
	/** A world in which that shows soon. */
	adapt?: (plan: Plan) => Plan;
}

const inAssist = (plan: Plan): Plan => ({ ...plan, mode: 'assist', dryRun: false });

/** The journal says why something was not done, and this ipvigil does it all the same. */
function defying(scenario: string, reason?: string): Mutation {
	return {
		executors: (executors, parts) => ({
			...executors,
			journal: (action) => {
				executors.journal(action);
				const { entry } = action;
				const isMeant = entry.scenario === scenario && (reason === undefined || entry.facts.reason === reason);
				if (isMeant && entry.destination) takeOut(parts, entry.destination);
			},
		}),
	};
}

function takeOut({ state, executors, scene }: LifeParts, id: string): void {
	const { pid, destinations } = state();
	const known = destinations.get(id);
	if (!known || known.destination.weight === 0) return;
	const sinceMs = scene.bootMs();
	const lease: Lease = {
		service: known.service,
		destination: known.destination,
		state: 'held',
		written: 0,
		sinceMs,
		untilMs: sinceMs + scene.plan.policy.leaseMs,
		count: 1,
		pid,
		reason: 'a rule was broken',
	};
	executors().setWeight({ kind: 'setWeight', id: -1, lease, expect: known.destination.weight, to: 0 });
}

function brownEverywhere({ services, endMs }: Plan): Trouble[] {
	const servers = services.flatMap(({ destinations }) => destinations);
	return servers.map(({ address, port }) => {
		return { atMs: 0, untilMs: endMs, address, port, condition: 'brown-out', degree: 0.05 };
	});
}

/** The same trouble for each server of each service, one after the other. */
function everywhere({ services }: Plan, trouble: Pick<Trouble, 'atMs' | 'untilMs'>, apartMs: number): Trouble[] {
	const servers = services.flatMap(({ destinations }) => destinations);
	return servers.map(({ address, port }, index) => {
		const [atMs, untilMs] = [trouble.atMs + index * apartMs, trouble.untilMs + index * apartMs];
		return { atMs, untilMs, address, port, condition: 'dead-process', degree: 0 };
	});
}

/** In mode `notify`, with a monitor that comes round so seldom that it finds nobody dead by itself. */
const inNotify = (plan: Plan): Plan => {
	return { ...plan, mode: 'notify', dryRun: false, binding: true, monitor: 'inhibits', monitorEveryMs: 150_000 };
};

export const broken: Broken[] = [
	{
		checker: 'floor',
		sentence: 'takes out the last usable server',
		mutation: defying('overflow', 'floor'),
		adapt: inAssist,
	},
	{
		checker: 'floor',
		sentence: 'knows no share',
		mutation: { policy: (policy) => ({ ...policy, takenShareMax: 1 }) },
		adapt: inAssist,
	},
	{
		checker: 'floor',
		sentence: 'takes out as many a minute as fail',
		mutation: { policy: (policy) => ({ ...policy, ejectionsPerMinuteMax: 1_000 }) },
		adapt: (plan) => inAssist({ ...plan, policy: { ...plan.policy, ejectionsPerMinuteMax: 1 } }),
	},
	{
		checker: 'ledger-first',
		sentence: 'writes a weight that its ledger does not hold',
		mutation: { forgetfulLedger: true },
		adapt: inAssist,
	},
	{
		checker: 'weight-only',
		sentence: 'forgets a threshold when it writes a weight',
		mutation: {
			table: (table) => ({
				service: (address) => table.service(address),
				setDestination: (service, destination) => table.setDestination(service, { ...destination, upperThreshold: 7 }),
			}),
		},
		adapt: inAssist,
	},
	{
		checker: 'foreign-kept',
		sentence: 'gives back whatever stands there',
		mutation: {
			executors: (executors, { table }) => ({
				...executors,
				giveBack: (action) => {
					const { service, destination } = action.lease;
					void table.service(service).then(
						() => table.setDestination(service, destination).catch(() => {}),
						() => {},
					);
					executors.giveBack(action);
				},
			}),
		},
		adapt: (plan) => inAssist({ ...plan, audit: true, auditLost: 0.5, adminEveryMs: 2_000 }),
	},
	{
		checker: 'lease-ends',
		sentence: 'renews for ever',
		mutation: { policy: (policy) => ({ ...policy, leaseTotalMs: Number.MAX_SAFE_INTEGER }) },
		adapt: (plan) => inAssist({ ...plan, monitor: 'none', policy: { ...plan.policy, leaseTotalMs: 20_000 } }),
	},
	{
		checker: 'debt-ends',
		sentence: 'has no helper and is not started again',
		mutation: { withoutHelper: true, withoutRestart: true },
		adapt: (plan) =>
			inAssist({
				...plan,
				monitor: 'none',
				policy: { ...plan.policy, leaseMs: 5_000, leaseCapMs: 5_000 },
				mishaps: [{ kind: 'crash', atMs: 60_000, atEffect: 3, downMs: 0 }],
			}),
	},
	{
		checker: 'hands-off',
		sentence: 'acts in mode observe',
		mutation: defying('observed-only'),
		adapt: (plan) => ({ ...plan, mode: 'observe' }),
	},
	{
		checker: 'hands-off',
		sentence: 'writes track files in a dry run',
		mutation: {
			executors: (executors, { scene }) => ({
				...executors,
				bind: (action) => {
					executors.bind(action);
					if (action.state === 'down') writeFileSync(join(trackDirectory(scene), leaseName(action)), '0');
				},
			}),
		},
		adapt: (plan) => ({ ...inNotify(plan), dryRun: true }),
	},
	{
		checker: 'no-throw',
		sentence: 'throws when it is to tell something',
		mutation: {
			executors: (executors) => ({
				...executors,
				tell: ({ entry }) => {
					throw new Error(`nobody to tell of ${entry.scenario}`);
				},
			}),
		},
	},
	{
		checker: 'false-ejection',
		sentence: 'has a probe that lies now and then',
		mutation: {
			probe:
				(probe, { scene }) =>
				async (...question) => {
					const result = await probe(...question);
					return scene.random.chance(0.3) ? { ...result, outcome: 'refused' } : result;
				},
		},
		adapt: (plan) => inAssist({ ...plan, forgeEveryMs: 500 }),
	},
	{
		checker: 'forged',
		sentence: 'convicts without asking the server',
		mutation: {
			message: (message, { state }) => {
				if (message.kind !== 'evidence' || message.edge.scope.kind !== 'destination') return [message];
				const listener = state().destinations.get(message.edge.scope.destination)?.listener ?? '';
				return [
					message,
					{ kind: 'probe', listener, purpose: 'confirm', outcome: 'refused', latencyMs: 0, detail: 'never asked' },
				];
			},
		},
		// Where nobody is ever fit, and everybody accepts most of the time: innocence is not what shows it.
		adapt: (plan) => inAssist({ ...plan, forgeEveryMs: 500, troubles: brownEverywhere(plan) }),
	},
	{
		checker: 'ejected',
		sentence: 'never writes what it decided',
		mutation: { executors: (executors) => ({ ...executors, setWeight: () => {} }) },
		adapt: (plan) => inAssist({ ...plan, monitor: 'none', adminEveryMs: Number.POSITIVE_INFINITY, mishaps: [] }),
	},
	{
		checker: 'ejected',
		sentence: 'tells no monitor in mode notify',
		mutation: { executors: (executors) => ({ ...executors, bind: () => {} }) },
		adapt: (plan) => ({ ...inNotify(plan), adminEveryMs: Number.POSITIVE_INFINITY, mishaps: [] }),
	},
	{
		checker: 'restored',
		sentence: 'never gives back',
		mutation: { executors: (executors) => ({ ...executors, giveBack: () => {} }) },
		adapt: (plan) =>
			inAssist({ ...plan, monitor: 'none', policy: { ...plan.policy, leaseMs: 60_000, leaseCapMs: 60_000 } }),
	},
	{
		checker: 'released',
		sentence: 'does not hear a release',
		mutation: { message: (message) => (message.kind === 'release' ? [] : [message]) },
		adapt: (plan) =>
			inAssist({
				...plan,
				monitor: 'none',
				policy: { ...plan.policy, leaseMs: 60_000, leaseCapMs: 60_000 },
				troubles: everywhere(plan, { atMs: 20_000, untilMs: 100_000 }, 100),
				mishaps: [{ kind: 'release', atMs: 40_000 }],
			}),
	},
	{
		checker: 'held',
		sentence: 'does not hear a hold',
		mutation: { message: (message) => (message.kind === 'hold' ? [] : [message]) },
		adapt: (plan) =>
			inAssist({
				...plan,
				mishaps: [
					{ kind: 'hold', atMs: 15_000, scope: 'all', forMs: 100_000, resumedAfterMs: Number.POSITIVE_INFINITY },
				],
			}),
	},
	{
		checker: 'held',
		sentence: 'forgets what is held when it starts again',
		mutation: {
			message: (message) => (message.kind === 'hold' && message.remembered ? [] : [message]),
		},
		adapt: (plan) =>
			inAssist({
				...plan,
				mishaps: [
					{ kind: 'hold', atMs: 15_000, scope: 'all', forMs: 100_000, resumedAfterMs: Number.POSITIVE_INFINITY },
					{ kind: 'crash', atMs: 20_000, atEffect: 0, downMs: 100 },
				],
			}),
	},
	{
		checker: 'flapping',
		sentence: 'takes out whoever flaps as often as it does',
		mutation: { policy: (policy) => ({ ...policy, flapsMax: 1_000 }) },
		adapt: (plan) =>
			inAssist({
				...plan,
				monitor: 'none',
				adminEveryMs: Number.POSITIVE_INFINITY,
				clientEveryMs: 50,
				policy: { ...plan.policy, flapsMax: 2, takenShareMax: 1 },
				troubles: [20_000, 40_000, 60_000, 80_000].flatMap((atMs) =>
					everywhere(plan, { atMs, untilMs: atMs + 8_000 }, 1_000),
				),
			}),
	},
	{
		checker: 'freeze',
		sentence: 'takes nothing for its own fault',
		mutation: { policy: (policy) => ({ ...policy, frozenShare: 1 }) },
		adapt: (plan) =>
			inAssist({
				...plan,
				monitor: 'none',
				clientEveryMs: 50,
				policy: { ...plan.policy, takenShareMax: 1 },
				troubles: everywhere(plan, { atMs: 20_000, untilMs: 60_000 }, 500),
			}),
	},
	{
		checker: 'grace',
		sentence: 'gives nobody the time to come up',
		mutation: { policy: (policy) => ({ ...policy, graceMs: 0 }) },
		adapt: (plan) => inAssist({ ...plan, adminEveryMs: 4_000, policy: { ...plan.policy, graceMs: 5_000 } }),
	},
];
