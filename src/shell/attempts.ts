/**
 * Keeps the hooks inside IPVS on the table's destinations, where they can be had, and says who tells of connection
 * attempts: they, or else the wire. It sees no event and decides nothing.
 */
import type { Logger } from 'pino';
import type { Unavailable } from '../capture/availability.js';
import type { ListedDestination, ListingChanges, OutcomeCapture } from '../capture/outcome.js';
import type { AttemptSource } from '../evidence/signal.js';
import { destinationId } from '../table/identity.js';
import type { Snapshot } from '../table/model.js';

export interface AttemptParts {
	/** Undefined where the configuration leaves the hooks alone. */
	open: (() => OutcomeCapture | Unavailable) | undefined;
	log: Logger;
	onSource: (source: AttemptSource) => void;
}

export class AttemptWatch {
	readonly #parts: AttemptParts;
	#capture: OutcomeCapture | undefined;
	#listed = '';

	constructor(parts: AttemptParts) {
		this.#parts = parts;
		this.#open();
	}

	/** Undefined where the hooks are not attached. */
	get capture(): OutcomeCapture | undefined {
		return this.#capture;
	}

	/** Lists the table's destinations. Never throws: what fails is told and tried again with the next snapshot. */
	follow(snapshot: Snapshot): void {
		if (!this.#capture) return;
		const destinations = destinationsOf(snapshot);
		const listed = destinations.map(({ service, destination }) => destinationId(service, destination)).join();
		if (listed === this.#listed) return;
		try {
			this.#tell(this.#capture.setDestinations(destinations));
			this.#listed = listed;
		} catch (error) {
			this.#parts.log.error({ err: error }, 'not every destination is listed for the hooks inside IPVS; trying again');
		}
	}

	close(): void {
		this.#capture?.close();
		this.#capture = undefined;
	}

	#open(): void {
		const { open, log, onSource } = this.#parts;
		const opened = open?.();
		if (opened && !opened.available) {
			const { reason, remedy } = opened;
			log.warn({ reason, remedy }, 'no hooks inside IPVS: attempts are told by the wire alone, and only in NAT');
		} else if (opened) this.#take(opened);
		onSource(this.#capture ? 'outcome' : 'wire');
	}

	#take(capture: OutcomeCapture): void {
		this.#capture = capture;
		for (const { hook, reason } of capture.hooks.filter(({ attached }) => !attached))
			this.#parts.log.warn({ hook, reason }, 'a hook inside IPVS is not attached: what it counts is missing');
	}

	#tell({ added, removed, refused }: ListingChanges): void {
		const { log } = this.#parts;
		if (refused.length > 0)
			log.error({ refused: refused.length }, 'more destinations than the hooks inside IPVS can hold: these are not');
		if (added + removed > 0) log.info({ added, removed }, 'destinations watched inside IPVS');
	}
}

function destinationsOf({ services }: Snapshot): ListedDestination[] {
	return services.flatMap(({ address, destinations }) =>
		destinations.map((destination) => ({ service: address, destination })),
	);
}
