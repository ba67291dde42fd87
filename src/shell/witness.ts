/**
 * From what the kernel tells to what the judge hears: one kernel event becomes one input, or none. The daemon and a
 * replay use the same. It decides nothing, and carries out nothing.
 */
import type { KernelEvent, LearnedEvent, WriteEvent } from '../decode/event.js';
import { createEvidence, type EvidencePool, note, observe, retain } from '../evidence/evidence.js';
import type { AttemptSource, Scope, Signal } from '../evidence/signal.js';
import type { State } from '../judge/state.js';
import type { TermsBook } from '../judge/terms.js';
import { destinationId, endpointId, serviceId } from '../table/identity.js';
import type { Endpoint, Snapshot } from '../table/model.js';
import type { Message } from './loop.js';

export class Witness {
	readonly #pool: EvidencePool;
	readonly #pid: number;

	/** @param pid Of the process whose writes are our own. */
	constructor(windowMs: EvidencePool['windowMs'], pid: number) {
		this.#pool = createEvidence(windowMs);
		this.#pid = pid;
	}

	/** Who tells what became of TCP connections. */
	get attempts(): AttemptSource {
		return this.#pool.attempts;
	}

	set attempts(source: AttemptSource) {
		this.#pool.attempts = source;
	}

	hear(event: KernelEvent, nowMs: number): Message | undefined {
		if (event.kind === 'write') return written(event, this.#pid);
		if (event.kind === 'learned') return learned(event);
		const edge = observe(this.#pool, event, nowMs);
		return edge && { kind: 'evidence', edge };
	}

	/** A neighbour of the director's has failed: the kernel asked for its MAC address and had no answer. */
	neighbourFailed(address: string, nowMs: number): Extract<Message, { kind: 'evidence' }> {
		const scope = { kind: 'host', address } as const;
		const said = { scope, verified: false, count: 1, client: undefined, detail: '' } as const;
		return this.inferred({ name: 'neighbour-failed', ...said }, nowMs);
	}

	/** What no event of the kernel says by itself. */
	inferred(signal: Signal, nowMs: number): Extract<Message, { kind: 'evidence' }> {
		return { kind: 'evidence', edge: note(this.#pool, signal, nowMs) };
	}

	/** Forgets what is in the table no more. */
	retain(state: State): void {
		retain(this.#pool, (scope) => isKnown(scope, state));
	}
}

/** A write that IPVS refused has changed nothing. */
function written(event: WriteEvent, own: number): Message | undefined {
	const { service, destination, operation, newWeight, pid, comm, result } = event;
	if (result !== 0) return undefined;
	const id = destinationId(service, destination);
	return { kind: 'write', destination: id, operation, weight: newWeight, writer: { pid, comm, own: pid === own } };
}

/** What the operator knows of services that name no port: each of their destinations stands on that one. */
export function configuredEndpoints(
	{ services }: Snapshot,
	configured: Readonly<Record<string, { port?: Pick<Endpoint, 'protocol' | 'port'> | undefined }>>,
): Message[] {
	return services.flatMap(({ address, destinations }) => {
		const at = configured[serviceId(address)]?.port;
		if (!at) return [];
		return destinations.map(
			(destination): Message => ({
				kind: 'learned',
				destination: destinationId(address, destination),
				endpoint: { ...at, family: destination.family, address: destination.address },
				configured: true,
			}),
		);
	});
}

function learned({ service, destination, endpoint }: LearnedEvent): Message {
	return { kind: 'learned', destination: destinationId(service, destination), endpoint, configured: false };
}

function isKnown(scope: Scope, state: State): boolean {
	switch (scope.kind) {
		case 'host':
			return state.hosts.has(scope.address);
		case 'endpoint':
			return hasEndpoint(state, scope.endpoint);
		case 'destination':
			return state.destinations.has(scope.destination);
	}
}

function hasEndpoint({ hosts }: State, endpoint: Endpoint): boolean {
	const wanted = endpointId(endpoint);
	return [...(hosts.get(endpoint.address) ?? [])].some((listener) => endpointId(listener.endpoint) === wanted);
}

/** How long a signal counts: as its service says; of a host or an endpoint, which may serve several, as for all. */
export function windowOf({ others, named }: TermsBook): EvidencePool['windowMs'] {
	if (named.size === 0) return () => others.policy.windowMs;
	return (scope) => {
		const service = scope.kind === 'destination' ? scope.destination.split(' > ')[0] : undefined;
		return (named.get(service ?? '') ?? others).policy.windowMs;
	};
}
