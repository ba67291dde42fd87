/**
 * What ipvigil counted of each destination, as its metrics tell it, and what must hold of it: so that a scenario reads
 * as the testimony it expects. It asks the daemon and compares; it makes nothing happen.
 */
import type { SignalName } from '../../src/evidence/signal.js';
import type { JournalLine } from '../../src/report/segments.js';
import { type AttemptOutcome, attemptOutcomes } from '../../src/report/view.js';
import { type Series, scrape } from './metrics.js';
import { concerns } from './refusals.js';
import type { Daemon, Lab, RealServer } from './scenario.js';

const failures: readonly AttemptOutcome[] = [
	'refused',
	'syn_repeated',
	'unanswered',
	'data_repeated',
	'reset',
	'gave_up',
];

/** Clients repeat a SYN after 1 s and leave after 3 s; several of them, on a busy machine that emulates. */
const countLimitMs = 30_000;
/** Until then all of it is counted where it is counted at all. */
const blindLimitMs = 8_000;

/** A probe that is not answered takes a second, and comes no more than once a second; ten times that. */
const tellLimitMs = 20_000;

export interface Testimony {
	attempts(server: RealServer): Record<AttemptOutcome, number>;
	/** ICMP errors that count against it. */
	unreachables(server: RealServer): number;
	/** Over all servers. */
	sum(outcome: AttemptOutcome): number;
}

export async function testimony(lab: Lab): Promise<Testimony> {
	const all = await scrape(lab);
	const attempts = (server: RealServer) =>
		Object.fromEntries(
			attemptOutcomes.map((outcome) => [outcome, total(all, 'ipvigil_attempts_total', server, { outcome })]),
		) as Record<AttemptOutcome, number>;
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
	least: Partial<Record<AttemptOutcome, number>>,
): Promise<void> {
	const limitMs = lab.blind ? blindLimitMs : countLimitMs;
	const wanted = Object.entries(least) as [AttemptOutcome, number][];
	const words = wanted.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
	let counted: Record<AttemptOutcome, number> | undefined;
	const complete = async () => {
		counted = (await testimony(lab)).attempts(server);
		return wanted.every(([outcome, count]) => (counted?.[outcome] ?? 0) >= count);
	};
	await lab.until(`${server.destination} has ${words}`, limitMs, complete).catch((error: Error) => {
		throw new Error(`${error.message}; counted: ${JSON.stringify(counted)}`);
	});
}

/**
 * Every attempt was accepted and every request answered. SYNs and data may have been sent again: an emulated machine
 * stalls now and then for longer than a client waits.
 */
export function expectBlameless(lab: Lab, told: Testimony, server: RealServer): void {
	expectOnly(lab, told, server, ['syn_repeated', 'unanswered', 'data_repeated']);
	const counted = told.attempts(server);
	const { scheduled, accepted, asked, answered } = counted;
	const good = accepted > 0 && accepted === scheduled && answered === asked;
	lab.expect(good, `${server.destination} accepts and answers everybody`, counted);
	lab.expect(told.unreachables(server) === 0, `${server.destination} is reachable`, told.unreachables(server));
}

/** Of the ways to fail, only these were counted. */
export function expectOnly(lab: Lab, told: Testimony, server: RealServer, allowed: AttemptOutcome[]): void {
	const counted = told.attempts(server);
	const others = failures.filter((outcome) => counted[outcome] > 0 && !allowed.includes(outcome));
	lab.expect(others.length === 0, `${server.destination} has only ${allowed.join(', ')}`, counted);
}

/** The server is suspected by one of these signals: the first one tells, the others find it suspect already. */
export async function awaitSuspicion(
	lab: Lab,
	daemon: Daemon,
	server: RealServer,
	signals: SignalName[],
): Promise<JournalLine> {
	const fits = (line: JournalLine) =>
		concerns('suspect', server)(line) && signals.some((signal) => line.facts.signal === signal);
	const limitMs = lab.blind ? blindLimitMs : tellLimitMs;
	const line = await daemon.journaled(`${server.destination} suspected by ${signals.join(' or ')}`, limitMs, fits);
	lab.note(line.sentence, line.bootMs);
	return line;
}

/** The probe confirms what was suspected. */
export async function awaitFailed(lab: Lab, daemon: Daemon, server: RealServer): Promise<void> {
	const line = await daemon.journaled(`"failed" of ${server.destination}`, tellLimitMs, concerns('failed', server));
	lab.note(line.sentence, line.bootMs);
}

/** Signals that a stalling machine makes: clients wait and repeat, and the probe acquits. */
const excused: unknown[] = ['overdue', 'data-repeated'] satisfies SignalName[];

export async function expectUnsuspected(lab: Lab, daemon: Daemon, server: RealServer): Promise<void> {
	const lines = await daemon.journal();
	const told = lines.filter(
		(line) =>
			(concerns('suspect', server)(line) && !excused.includes(line.facts.signal)) ||
			['failed', 'quiesced'].some((word) => concerns(word, server)(line)),
	);
	lab.expect(told.length === 0, `${server.destination} is not suspected`, told);
}

/** The kernel's hooks have counted each connection that the clients began, and none twice. */
export function expectAllScheduled(lab: Lab, told: Testimony, started: number): void {
	const scheduled = told.sum('scheduled');
	lab.expect(scheduled === started, 'every connection is counted once', { started, scheduled });
}
