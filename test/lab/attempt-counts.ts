/**
 * A stand-in for the agent that counts attempts in the kernel, and the clients of the scenarios that use it: sockets of
 * Node's, which do what they are told.
 */
import { join } from 'node:path';
import type { DestinationOutcomes } from '../../src/capture/outcome.js';
import type { LearnedEvent, OutcomeCounters, OutcomeEvent } from '../../src/decode/event.js';
import type { ServiceOutcomes } from '../../src/decode/outcome-state.js';
import { endpointId } from '../../src/table/identity.js';
import { repository } from './place.js';
import type { Background, Lab } from './scenario.js';
import { hostPort } from './topologies.js';

const openLimitMs = 60_000;
export const answerLimitMs = 30_000;

/** What the lab's servers answer. */
export const request = "'GET / HTTP/1.0\\r\\n\\r\\n'";

/** Connects, then does what `then` says with `socket`; ends with the connection, or when it is killed. */
export const client = ({ address, port }: { address: string; port: number }, options: string, then: string) =>
	`const socket = require('net').connect({ host: '${address}', port: ${port}, ${options} });
	socket.on('error', () => socket.destroy()).on('data', () => {});
	socket.once('connect', () => { ${then}; console.log('connected'); });`;

type Changes = Partial<Record<keyof OutcomeCounters, number>>;

/** The agent's stand-in, and what it has counted of the only server since it was asked last. */
export class AttemptCounts {
	#before: OutcomeCounters | undefined;
	readonly #process: Background;

	/** `destination`: as IPVS names it, in the service that is named. */
	constructor(
		private readonly lab: Lab,
		destination: string,
		service = `tcp ${hostPort(lab.topology.vip)}`,
	) {
		const watch = join(repository, 'dist/test/lab/outcome-watch.js');
		this.#process = lab.background(lab.topology.director, process.execPath, [watch, service, destination]);
	}

	async opened(): Promise<void> {
		await this.lab.until('the hooks are attached', openLimitMs, () => this.#process.lines[0]?.includes('"open"'));
		await this.changes();
	}

	/** Which counters have changed, and by how much. */
	async changes(): Promise<Changes> {
		const { destinations, text } = await this.#standing();
		const [standing] = destinations;
		this.lab.expect(standing !== undefined, 'the server is listed', text);
		const { lastAcceptedNs: _, ...counters } = standing.counters;
		const before = this.#before;
		this.#before = standing.counters;
		const names = Object.keys(counters) as (keyof typeof counters)[];
		const changed = names.map((name) => [name, counters[name] - (before?.[name] ?? 0)] as const);
		return Object.fromEntries(changed.filter(([, change]) => change !== 0));
	}

	/** How often a service had no destination. */
	async withoutDestination(): Promise<number> {
		const { services } = await this.#standing();
		return services.reduce((sum, { noDestination }) => sum + noDestination, 0);
	}

	async #standing(): Promise<{ destinations: DestinationOutcomes[]; services: ServiceOutcomes[]; text: string }> {
		const seen = this.#process.lines.length;
		this.#process.signal('SIGUSR2');
		const text = await this.lab.until('the counters are told', answerLimitMs, () =>
			this.#process.lines.slice(seen).find((each) => each.includes('"standing"')),
		);
		return { ...(JSON.parse(text) as { destinations: DestinationOutcomes[]; services: ServiceOutcomes[] }), text };
	}

	/** Waits for these changes; any other that comes meanwhile makes them wrong. */
	async expect(what: string, wanted: Changes): Promise<void> {
		const sum: Changes = {};
		const fits = () => Object.entries(wanted).every(([name, count]) => (sum[name as keyof Changes] ?? 0) >= count);
		await this.lab.until(`${what}: counted`, answerLimitMs, async () => {
			for (const [name, change] of Object.entries(await this.changes()))
				sum[name as keyof Changes] = (sum[name as keyof Changes] ?? 0) + change;
			return fits();
		});
		const same = Object.keys(sum).length === Object.keys(wanted).length;
		this.lab.expect(same, what, { counted: sum, wanted });
		this.lab.note(`${what}: ${JSON.stringify(sum)}`);
	}

	/** Endpoints that were told as learned. */
	learned(): string[] {
		const events = this.#process.lines.filter((line) => line.includes('"kind":"learned"'));
		return events.map((line) => endpointId((JSON.parse(line) as LearnedEvent).endpoint));
	}

	outcomes(): string[] {
		const events = this.#process.lines.filter((line) => line.includes('"kind":"outcome"'));
		return events.map((line) => (JSON.parse(line) as OutcomeEvent).outcome);
	}
}
