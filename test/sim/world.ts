/**
 * The truth, which only checkers may know: what each server is at this instant, and what a client or a probe meets that
 * asks it now. Troubles and the director's own faults come and go as the plan says. It knows nothing of ipvigil.
 */
import type { ProbeOutcome } from '../../src/judge/input.js';
import type { Random } from '../support/random.js';
import type { Condition, Plan, Trouble } from './plan.js';
import type { Scheduler } from './scheduler.js';

export interface Server {
	address: string;
	port: number;
	condition: Condition;
	degree: number;
	/** When it became what it is. */
	sinceMs: number;
	/** Since when nothing has been wrong with it that a probe could meet; Infinity while something is. */
	fitSinceMs: number;
	/** Since when it has been dead; Infinity while it is not. */
	deadSinceMs: number;
	lastAcceptedMs: number;
}

export interface Meeting {
	answer: 'accepted' | 'refused' | 'silent';
	latencyMs: number;
}

/** Within this a client has its answer before it would send its SYN again (RFC 6298: one second). */
const patienceMs = 1_000;

export class World {
	readonly servers = new Map<string, Server>();
	/** Hosts that the director cannot reach by its own fault now, each with the number of faults between. */
	readonly impaired = new Map<string, number>();
	/** Hosts behind a link that is back and does not forward yet, and until when. */
	readonly darkUntilMs = new Map<string, number>();
	/** Since when the way to a host has been well. */
	readonly #waySinceMs = new Map<string, number>();
	readonly #plan: Plan;
	readonly #scheduler: Scheduler;
	readonly #random: Random;

	constructor(plan: Plan, scheduler: Scheduler, random: Random) {
		this.#plan = plan;
		this.#scheduler = scheduler;
		this.#random = random;
		for (const { address, port } of plan.services.flatMap(({ destinations }) => destinations))
			this.servers.set(`${address}:${port}`, serverAt(address, port));
	}

	begin(story: (line: string) => void): void {
		for (const trouble of this.#plan.troubles) {
			this.#scheduler.at(trouble.atMs, () => this.#strike(trouble, story));
			this.#scheduler.at(trouble.untilMs, () => this.#heal(trouble, story));
		}
	}

	server(address: string, port: number): Server | undefined {
		return this.servers.get(`${address}:${port}`);
	}

	/** What a client meets; `prefix` is the number of the network that it asks from. */
	clientMeets(server: Server, prefix: number): Meeting {
		if (this.#isUnreachable(server.address)) return silent;
		if (server.condition === 'half-firewalled' && prefix % 2 === 1) return { answer: 'refused', latencyMs: 1 };
		const meeting = this.#meets(server);
		if (meeting.answer === 'accepted' && meeting.latencyMs >= patienceMs) return silent;
		if (meeting.answer === 'accepted') server.lastAcceptedMs = this.#scheduler.nowMs;
		return meeting;
	}

	/** What a probe from the director meets. */
	probeMeets(server: Server, onVip: boolean, timeoutMs: number): { outcome: ProbeOutcome; latencyMs: number } {
		if (this.#isUnreachable(server.address)) return { outcome: 'unanswered', latencyMs: timeoutMs };
		const { answer, latencyMs } = this.#meets(server);
		const rarer = this.#rarer(server, answer, timeoutMs);
		if (rarer) return rarer;
		if (answer === 'silent' || latencyMs >= timeoutMs) return { outcome: 'unanswered', latencyMs: timeoutMs };
		const unheard = this.#plan.vipOnly && !onVip;
		return { outcome: answer === 'refused' || unheard ? 'refused' : 'accepted', latencyMs };
	}

	/** What the same fault looks like now and then: a router that says so, a proxy that cuts off, a program that hangs. */
	#rarer({ condition }: Server, answer: Meeting['answer'], timeoutMs: number) {
		if (answer === 'accepted' || !this.#random.chance(0.15)) return undefined;
		if (condition === 'dead-host') return { outcome: 'unreachable' as const, latencyMs: 1 };
		if (condition === 'brown-out') return { outcome: 'hung' as const, latencyMs: timeoutMs };
		return { outcome: 'reset' as const, latencyMs: 0.4 };
	}

	/** Since when the director has had a way to this host; Infinity while it has none. */
	waySinceMs(address: string): number {
		if (this.#isUnreachable(address)) return Number.POSITIVE_INFINITY;
		return this.#waySinceMs.get(address) ?? Number.NEGATIVE_INFINITY;
	}

	breakWay(addresses: string[]): void {
		for (const address of addresses) this.impaired.set(address, (this.impaired.get(address) ?? 0) + 1);
	}

	mendWay(addresses: string[], darkMs: number): void {
		const untilMs = this.#scheduler.nowMs + darkMs;
		for (const address of addresses) {
			const faults = (this.impaired.get(address) ?? 1) - 1;
			if (faults > 0) {
				this.impaired.set(address, faults);
				continue;
			}
			this.impaired.delete(address);
			this.darkUntilMs.set(address, untilMs);
			this.#waySinceMs.set(address, untilMs);
		}
	}

	#isUnreachable(address: string): boolean {
		return this.impaired.has(address) || this.#scheduler.nowMs < (this.darkUntilMs.get(address) ?? 0);
	}

	#meets({ condition, degree }: Server): Meeting {
		switch (condition) {
			case 'dead-process':
				return { answer: 'refused', latencyMs: 0.4 };
			case 'dead-host':
				return silent;
			case 'slow':
				return { answer: 'accepted', latencyMs: degree };
			case 'brown-out':
				return this.#random.chance(degree) ? silent : { answer: 'accepted', latencyMs: 2 };
			case 'healthy':
			case 'half-firewalled':
				return { answer: 'accepted', latencyMs: 0.4 };
		}
	}

	#strike({ address, port, condition, degree }: Trouble, story: (line: string) => void): void {
		for (const server of this.#hit(address, condition === 'dead-host' ? 0 : port))
			this.#become(server, condition, degree, story);
	}

	#heal({ address, port, condition }: Trouble, story: (line: string) => void): void {
		for (const server of this.#hit(address, condition === 'dead-host' ? 0 : port))
			if (server.condition === condition) this.#become(server, 'healthy', 0, story);
	}

	#hit(address: string, port: number): Server[] {
		return [...this.servers.values()].filter((one) => one.address === address && (port === 0 || one.port === port));
	}

	#become(server: Server, condition: Condition, degree: number, story: (line: string) => void): void {
		const { nowMs } = this.#scheduler;
		const wasDead = isDead(server);
		Object.assign(server, { condition, degree, sinceMs: nowMs });
		if (!isFit(server, this.#plan)) server.fitSinceMs = Number.POSITIVE_INFINITY;
		else if (server.fitSinceMs === Number.POSITIVE_INFINITY) server.fitSinceMs = nowMs;
		if (!isDead(server)) server.deadSinceMs = Number.POSITIVE_INFINITY;
		else if (!wasDead) server.deadSinceMs = nowMs;
		story(`${server.address}:${server.port} is ${condition}${degree > 0 ? ` (${degree.toFixed(2)})` : ''}`);
	}
}

const silent: Meeting = { answer: 'silent', latencyMs: patienceMs };

function serverAt(address: string, port: number): Server {
	return {
		address,
		port,
		condition: 'healthy',
		degree: 0,
		sinceMs: 0,
		fitSinceMs: Number.NEGATIVE_INFINITY,
		deadSinceMs: Number.POSITIVE_INFINITY,
		lastAcceptedMs: Number.NEGATIVE_INFINITY,
	};
}

/** Fit: whoever asks it with a probe's patience is accepted, every time. */
function isFit({ condition, degree }: Server, { policy }: Plan): boolean {
	if (condition === 'slow') return degree < policy.probeTimeoutMs;
	return condition === 'healthy' || condition === 'half-firewalled';
}

export function isDead({ condition }: Server): boolean {
	return condition === 'dead-process' || condition === 'dead-host';
}
