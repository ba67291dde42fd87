/**
 * The monitors and hooks that the configuration names, and what became of each message to them.
 */
import type { Logger } from 'pino';
import type { BindingTarget, Delivery, TellingTarget } from '../monitors/contract.js';
import { ExecTarget } from '../monitors/exec.js';
import { KeepalivedTarget } from '../monitors/keepalived.js';
import type { LeaseKey } from '../remedy/lease-file.js';
import type { Config } from './config.js';

export interface Targets {
	binding: BindingTarget[];
	telling: TellingTarget[];
	/** The file by which a monitor is bound to a destination, for the ledger; none in a dry run, which binds nobody. */
	trackFile: (key: LeaseKey) => string | undefined;
	/** Ends the bindings of leases that are over, for a daemon that starts. A dry run leaves other daemons' as they are. */
	sweep: (leases: readonly LeaseKey[]) => void;
	noted: (target: string, delivery: Delivery) => void;
	deliveries: () => { target: string; result: 'delivered' | 'failed'; count: number }[];
	/** Notifications that found a hook's queue full. */
	overflow: () => number;
	close: () => Promise<void>;
}

export function openTargets(config: Config, log: Logger, dryRun: boolean): Targets {
	const { keepalived: keepalivedConfig, exec: execConfig } = config.monitors;
	const keepalived = keepalivedConfig && new KeepalivedTarget(keepalivedConfig.trackDirectory);
	if (keepalived?.notice) log.warn(keepalived.notice);
	const exec = execConfig && new ExecTarget(execConfig);
	const counts = new Map<string, { target: string; result: 'delivered' | 'failed'; count: number }>();
	return {
		binding: keepalived ? [keepalived] : [],
		telling: exec ? [exec] : [],
		trackFile: ({ service, destination }) => (dryRun ? undefined : keepalived?.file(service, destination)),
		sweep: (leases) => {
			if (!dryRun) sweep(keepalived, leases, log);
		},
		noted: (target, delivery) => count(counts, target, delivery.ok ? 'delivered' : 'failed'),
		deliveries: () => [...counts.values()],
		overflow: () => exec?.overflow ?? 0,
		close: async () => exec?.close(),
	};
}

function sweep(keepalived: KeepalivedTarget | undefined, leases: readonly LeaseKey[], log: Logger): void {
	try {
		const removed = keepalived?.sweep(leases) ?? [];
		if (removed.length > 0) log.warn({ removed }, 'track files of leases that are over were removed');
	} catch (error) {
		log.error({ err: error }, 'track files of leases that are over could not be removed');
	}
}

function count(
	counts: Map<string, { target: string; result: 'delivered' | 'failed'; count: number }>,
	target: string,
	result: 'delivered' | 'failed',
): void {
	const key = `${target} ${result}`;
	const entry = counts.get(key) ?? { target, result, count: 0 };
	entry.count += 1;
	counts.set(key, entry);
}
