/**
 * The vantage point on connections, in userspace: loads outcome.bpf.c, tells it which destinations there are, and
 * hands on its edges and what stands of each destination. What an outcome means, evidence knows. Nothing is pinned:
 * close() detaches the hooks, and the ip_vs module can then be unloaded.
 */
import { type BpfMap, type Link, monotonicNs } from '../addon/index.js';
import { decodeIndexes, encodeDestinationKey, encodeIndex, viewOf } from '../decode/keys.js';
import {
	encodeOutcomeState,
	type OutcomeReading,
	type OutcomeState,
	readOutcomeReading,
	readOutcomeState,
	readServiceOutcomes,
	type ServiceOutcomes,
} from '../decode/outcome-state.js';
import { type DestinationId, destinationId } from '../table/identity.js';
import type { ServiceAddress } from '../table/model.js';
import { explain, type HookState, type Unavailable } from './availability.js';
import { loadPartly, ownNetns, type PartlyLoaded, u32Constant, u64Constant } from './programs.js';
import { type EventSink, EventStream, type StreamLosses } from './stream.js';

/** As in attempts.bpf.h. */
const destinationsMaxDefault = 32_768;
const connectionsMaxDefault = 65_536;
/** 4 MiB hold 21,000 edges: all gates of the largest table aimed at opening once in the same reader's pause. */
const ringBytesDefault = 4 * 1024 * 1024;
const patienceFloorMsDefault = 100;
const nanosecondsPerMillisecond = 1_000_000;

/** SEC functions of outcome.bpf.c: without the first there is nothing to see. */
const coreHook = 'watch_tcp';
/** Without them: UDP and SCTP flows are not counted, early ends not known as such, services without destinations not told. */
const optionalHooks = ['watch_schedule', 'watch_expire', 'watch_leave'] as const;

/** All of them: what has to be told of as missing where nothing could be opened. */
export const outcomeHooks: readonly string[] = [coreHook, ...optionalHooks];

export interface ListedDestination {
	service: ServiceAddress;
	destination: { address: string; port: number };
}

export interface DestinationOutcomes extends ListedDestination, OutcomeState {}

export interface OutcomeOptions extends EventSink {
	/** Beyond it, destinations are refused and not judged. */
	destinationsMax?: number;
	/** Connections under way; of more, those that have been silent longest are forgotten. 110 octets each. */
	connectionsMax?: number;
	/** A power of two, and whole pages. */
	ringBytes?: number;
	/** No wait below this is suspicious, however quick handshakes are. */
	patienceFloorMs?: number;
	/** Events carry the head of their packet. */
	packets?: boolean;
}

export interface ListingChanges {
	added: number;
	removed: number;
	/** More destinations than fit: these are not watched. */
	refused: ListedDestination[];
}

interface Listed extends ListedDestination {
	/** Its number in the kernel, never used twice. */
	number: number;
}

function load(options: OutcomeOptions): PartlyLoaded {
	const destinationsMax = options.destinationsMax ?? destinationsMaxDefault;
	const patienceFloorMs = options.patienceFloorMs ?? patienceFloorMsDefault;
	return loadPartly(
		{
			object: 'outcome',
			programs: [coreHook],
			constants: {
				own_netns: u32Constant(ownNetns()),
				patience_floor_ns: u64Constant(patienceFloorMs * nanosecondsPerMillisecond),
				send_packets: Uint8Array.of(options.packets ? 1 : 0),
			},
			maxEntries: {
				events: options.ringBytes ?? ringBytesDefault,
				numbers: destinationsMax,
				destinations: destinationsMax,
				connections: options.connectionsMax ?? connectionsMaxDefault,
			},
		},
		optionalHooks,
	);
}

export class OutcomeCapture {
	readonly available = true;
	/** The first is attached in any case. */
	readonly hooks: readonly HookState[];
	readonly #loaded: PartlyLoaded;
	readonly #links: Link[] = [];
	readonly #stream: EventStream;
	readonly #numbers: BpfMap;
	readonly #destinations: BpfMap;
	readonly #services: BpfMap;
	readonly #listed = new Map<DestinationId, Listed>();
	#numbersUsed = 0;

	/** `loaded` is closed with the capture; of its programs those are attached that are loaded. */
	constructor(loaded: PartlyLoaded, sink: EventSink) {
		const { object } = loaded;
		this.#loaded = loaded;
		this.#numbers = object.map('numbers');
		this.#destinations = object.map('destinations');
		this.#services = object.map('services');
		this.hooks = [this.#attachCore(), ...optionalHooks.map((hook) => this.#tryHook(hook))];
		this.#stream = new EventStream(object.map('events'), object.map('losses'), sink);
	}

	/**
	 * The destinations whose connections count from now on; counters of those that stay go on.
	 *
	 * @throws what the kernel said of one of them: the next call goes on from there.
	 */
	setDestinations(wanted: readonly ListedDestination[]): ListingChanges {
		const byId = new Map(wanted.map((each) => [destinationId(each.service, each.destination), each]));
		const gone = [...this.#listed].filter(([id]) => !byId.has(id));
		for (const [id, listed] of gone) this.#remove(id, listed);
		const missing = [...byId].filter(([id]) => !this.#listed.has(id));
		const room = this.#destinations.maxEntries - this.#listed.size;
		for (const [id, each] of missing.slice(0, room)) this.#add(id, each);
		const refused = missing.slice(room).map(([, each]) => each);
		return { added: missing.length - refused.length, removed: gone.length, refused };
	}

	/** Every listed destination with what stands of its attempts. */
	outcomes(): DestinationOutcomes[] {
		const nowNs = Number(monotonicNs());
		return [...this.#states()].map(([, { service, destination }, view, base]) => {
			return { service, destination, ...readOutcomeState(view, base, nowNs) };
		});
	}

	/** Every listed destination with what it is compared with others by. */
	readings(): Map<DestinationId, OutcomeReading> {
		return new Map([...this.#states()].map(([id, , view, base]) => [id, readOutcomeReading(view, base)]));
	}

	/** Where the state of each listed destination lies in one reading of the map. */
	*#states(): Generator<[DestinationId, Listed, DataView, number]> {
		if (this.#listed.size === 0) return;
		const { keys, values } = this.#destinations.entries(this.#destinations.maxEntries);
		const view = viewOf(values);
		const stride = this.#destinations.valueStride;
		const baseByNumber = new Map(decodeIndexes(keys).map((number, index) => [number, index * stride]));
		for (const [id, listed] of this.#listed) {
			const base = baseByNumber.get(listed.number);
			if (base !== undefined) yield [id, listed, view, base];
		}
	}

	/** Services for which the scheduler has found no destination since we watch. */
	services(): ServiceOutcomes[] {
		return readServiceOutcomes(this.#services.entries(this.#services.maxEntries));
	}

	losses(): StreamLosses {
		return this.#stream.losses();
	}

	/** Delivers what is in the ring now; the number of records. */
	drain(): number {
		return this.#stream.drain();
	}

	/** Detaches first, so that nothing counts into what is being closed. */
	close(): void {
		for (const link of this.#links.splice(0)) link.close();
		this.#stream.close();
		for (const map of [this.#numbers, this.#destinations, this.#services]) map.close();
		this.#loaded.object.close();
	}

	/** What it counts in comes first. A number is not used again even where the kernel refuses. */
	#add(id: DestinationId, { service, destination }: ListedDestination): void {
		const number = this.#numbersUsed++;
		const value = encodeOutcomeState(service, destination, this.#destinations.valueSize);
		this.#destinations.set(encodeIndex(number), value);
		try {
			this.#numbers.set(encodeDestinationKey(service, destination), encodeIndex(number));
		} catch (error) {
			this.#destinations.delete(encodeIndex(number));
			throw error;
		}
		this.#listed.set(id, { service, destination, number });
	}

	#remove(id: DestinationId, { service, destination, number }: Listed): void {
		this.#numbers.delete(encodeDestinationKey(service, destination));
		this.#destinations.delete(encodeIndex(number));
		this.#listed.delete(id);
	}

	#attachCore(): HookState {
		const { object } = this.#loaded;
		if (object.loadedProgramNames().includes(coreHook)) this.#links.push(object.attachTracing(coreHook));
		return { hook: coreHook, attached: this.#links.length > 0, reason: '' };
	}

	#tryHook(hook: string): HookState {
		const refused = this.#loaded.refused.get(hook);
		if (refused) return { hook, attached: false, reason: refused.reason };
		try {
			this.#links.push(this.#loaded.object.attachTracing(hook));
			return { hook, attached: true, reason: '' };
		} catch (error) {
			return { hook, attached: false, reason: explain(hook, error).reason };
		}
	}
}

/** The outcomes, recorded from now on; or why they are not to be had. */
export function openOutcome(options: OutcomeOptions): OutcomeCapture | Unavailable {
	try {
		const loaded = load(options);
		try {
			return new OutcomeCapture(loaded, options);
		} catch (error) {
			loaded.object.close();
			throw error;
		}
	} catch (error) {
		return explain('outcome', error);
	}
}
