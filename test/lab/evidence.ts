/**
 * What ipvigil counted of each destination, as its metrics tell it, and what must hold of it: so that a scenario reads
 * as the testimony it expects. It asks the daemon and compares; it makes nothing happen.
 */
import { type Series, scrape } from './metrics.js';
import type { Lab, RealServer } from './scenario.js';

/** The label `outcome` of ipvigil_attempts_total. */
export type Outcome = (typeof outcomes)[number];

const failures = ['refused', 'syn_repeated', 'unanswered', 'data_repeated', 'reset', 'gave_up'] as const;
const outcomes = ['scheduled', 'accepted', 'asked', 'answered', 'withdrawn', ...failures] as const;

export interface Testimony {
	attempts(server: RealServer): Record<Outcome, number>;
	/** ICMP errors that count against it. */
	unreachables(server: RealServer): number;
	/** Over all servers. */
	sum(outcome: Outcome): number;
}

export async function testimony(lab: Lab): Promise<Testimony> {
	const all = await scrape(lab);
	const attempts = (server: RealServer) =>
		Object.fromEntries(
			outcomes.map((outcome) => [outcome, total(all, 'ipvigil_attempts_total', server, { outcome })]),
		) as Record<Outcome, number>;
	return {
		attempts,
		unreachables: (server) => total(all, 'ipvigil_unreachable_total', server, {}),
		sum: (outcome) => lab.servers.reduce((sum, server) => sum + attempts(server)[outcome], 0),
	};
}

function total(all: Series[], name: string, { destination }: RealServer, labels: Record<string, string>): number {
	const wanted = Object.entries({ ...labels, ...remote(destination) });
	return all
		.filter((series) => series.name === name && wanted.every(([label, value]) => series.labels[label] === value))
		.reduce((sum, { value }) => sum + value, 0);
}

function remote(destination: string): Record<string, string> {
	const colon = destination.lastIndexOf(':');
	return {
		remote_address: destination.slice(0, colon).replace(/^\[|\]$/g, ''),
		remote_port: destination.slice(colon + 1),
	};
}

/** Waits until each of the outcomes was counted so often. */
export async function awaitAttempts(
	lab: Lab,
	server: RealServer,
	least: Partial<Record<Outcome, number>>,
	limitMs = 30_000,
): Promise<void> {
	const wanted = Object.entries(least) as [Outcome, number][];
	const words = wanted.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
	let counted: Record<Outcome, number> | undefined;
	const complete = async () => {
		counted = (await testimony(lab)).attempts(server);
		return wanted.every(([outcome, count]) => (counted?.[outcome] ?? 0) >= count);
	};
	await lab.until(`${server.destination} has ${words}`, limitMs, complete).catch((error: Error) => {
		throw new Error(`${error.message}; counted: ${JSON.stringify(counted)}`);
	});
}

/** Nothing speaks against the server: it accepted and answered, and no attempt failed. */
export function expectBlameless(lab: Lab, told: Testimony, server: RealServer): void {
	expectOnly(lab, told, server, []);
	const counted = told.attempts(server);
	lab.expect(counted.accepted > 0 && counted.answered > 0, `${server.destination} accepts and answers`, counted);
	lab.expect(told.unreachables(server) === 0, `${server.destination} is reachable`, told.unreachables(server));
}

/** Of the ways to fail, only these were counted. */
export function expectOnly(lab: Lab, told: Testimony, server: RealServer, allowed: Outcome[]): void {
	const counted = told.attempts(server);
	const others = failures.filter((outcome) => counted[outcome] > 0 && !allowed.includes(outcome));
	lab.expect(others.length === 0, `${server.destination} has only ${allowed.join(', ') || 'successes'}`, counted);
}
