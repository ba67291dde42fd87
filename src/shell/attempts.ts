/**
 * Keeps the hooks inside IPVS on the table's destinations, while they are attached, and says who tells of connection
 * attempts: they, or else the wire. It sees no event, decides nothing, and neither attaches nor lets go (hooks.ts).
 */
import type { Logger } from 'pino';
import type { ListedDestination, ListingChanges, OutcomeCapture } from '../capture/outcome.js';
import type { AttemptSource } from '../evidence/signal.js';
import { destinationId } from '../table/identity.js';
import type { Snapshot } from '../table/model.js';

export interface AttemptParts {
	log: Logger;
	onSource: (source: AttemptSource) => void;
}

export class AttemptWatch {
	readonly #parts: AttemptParts;
	#capture: OutcomeCapture | undefined;
	#snapshot: Snapshot | undefined;
	#listed = '';

	/** Until hooks are given to it, the wire tells. */
	constructor(parts: AttemptParts) {
		this.#parts = parts;
		parts.onSource('wire');
	}

	/** The hooks as they are attached now; undefined where they are not. */
	use(capture: OutcomeCapture | undefined): void {
		if (capture === this.#capture) return;
		this.#capture = capture;
		this.#listed = '';
		for (const { hook, reason } of capture?.hooks.filter(({ attached }) => !attached) ?? [])
			this.#parts.log.warn({ hook, reason }, 'a hook inside IPVS is not attached: what it counts is missing');
		if (this.#snapshot) this.follow(this.#snapshot);
		this.#parts.onSource(capture ? 'outcome' : 'wire');
	}

	/** Lists the table's destinations. Never throws: what fails is told and tried again with the next snapshot. */
	follow(snapshot: Snapshot): void {
		this.#snapshot = snapshot;
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
