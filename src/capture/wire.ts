/**
 * The vantage point on the wire, in userspace: loads wire.bpf.c, tells it whom to watch, puts it on the interfaces
 * and hands its events on. Which interfaces and endpoints, the caller knows (routes, table); what an event means,
 * evidence knows. Everything ends with close() or with the process: nothing of it is pinned.
 */
import type { BpfMap, BpfObject } from '../addon/index.js';
import type { EndpointCounters } from '../decode/event.js';
import {
	encodeAddressKey,
	encodeEndpointKey,
	encodeEndpointState,
	encodeIndex,
	sumEndpointCounters,
} from '../decode/keys.js';
import type { Endpoint } from '../table/model.js';
import { type AttachMethod, type Attachment, type AttachPolicy, attach, programFor } from './attach.js';
import { explain, type Unavailable } from './availability.js';
import { loadObject, u32Constant, u64Constant } from './programs.js';
import { type SlotChanges, Slots } from './slots.js';
import { type EventSink, EventStream, type StreamLosses } from './stream.js';

/** As in wire.bpf.c. */
const endpointsMaxDefault = 32_768;
const ringBytesDefault = 4 * 1024 * 1024;
const eventIntervalMsDefault = 20;
const eventBurstDefault = 5;
const nanosecondsPerMillisecond = 1_000_000;

export interface WireOptions extends EventSink {
	/** Interfaces on the real servers' side, by name. */
	interfaces: readonly string[];
	attach: AttachPolicy;
	/** A power of two, and whole pages. */
	ringBytes?: number;
	endpointsMax?: number;
	/** After a burst, one event per endpoint in this time; what lies between is counted and rides on the next. */
	eventIntervalMs?: number;
	eventBurst?: number;
}

/** How one interface was attached, or why it was not. */
export type InterfaceState =
	| { interfaceName: string; attached: true; method: AttachMethod }
	| ({ interfaceName: string; attached: false } & Omit<Unavailable, 'available'>);

export interface WatchedEndpoint {
	endpoint: Endpoint;
	counters: EndpointCounters;
}

function load(options: WireOptions): BpfObject {
	const endpointsMax = options.endpointsMax ?? endpointsMaxDefault;
	const intervalMs = options.eventIntervalMs ?? eventIntervalMsDefault;
	return loadObject({
		object: 'wire',
		programs: [programFor(options.attach)],
		constants: {
			event_interval_ns: u64Constant(intervalMs * nanosecondsPerMillisecond),
			event_burst: u32Constant(options.eventBurst ?? eventBurstDefault),
		},
		maxEntries: {
			events: options.ringBytes ?? ringBytesDefault,
			endpoints: endpointsMax,
			counters: endpointsMax,
		},
	});
}

export class WireCapture {
	readonly available = true;
	readonly #object: BpfObject;
	readonly #stream: EventStream;
	readonly #endpoints: BpfMap;
	readonly #counters: BpfMap;
	readonly #localAddresses: BpfMap;
	readonly #slots: Slots;
	readonly #policy: AttachPolicy;
	readonly #attachments = new Map<string, Attachment>();
	#interfaces: readonly InterfaceState[] = [];
	/** Exactly what is in the map, one by one: a throw in the middle leaves nothing there that is not known here. */
	readonly #local = new Set<string>();

	/** `object` is loaded; it is closed with the capture. */
	constructor(object: BpfObject, options: WireOptions) {
		this.#object = object;
		this.#endpoints = object.map('endpoints');
		this.#counters = object.map('counters');
		this.#localAddresses = object.map('local_addresses');
		this.#slots = new Slots(this.#endpoints.maxEntries);
		this.#stream = new EventStream(object.map('events'), object.map('losses'), options);
		this.#policy = options.attach;
		this.setInterfaces(options.interfaces);
	}

	/** In the order they were named; what could not be attached stands here with its reason. */
	get interfaces(): readonly InterfaceState[] {
		return this.#interfaces;
	}

	/** Watches these interfaces from now on: leaves the others, stays on those it is on, tries the rest (again). */
	setInterfaces(names: readonly string[]): readonly InterfaceState[] {
		const wanted = new Set(names);
		for (const [name, attachment] of this.#attachments) {
			if (wanted.has(name)) continue;
			attachment.close();
			this.#attachments.delete(name);
		}
		this.#interfaces = [...wanted].map((name) => this.#attach(name));
		return this.#interfaces;
	}

	/**
	 * The endpoints whose RST and SYN|ACK count from now on; counters of those that stay go on.
	 *
	 * @throws what the kernel said of one of them: the next call goes on from there.
	 */
	setEndpoints(endpoints: readonly Endpoint[]): SlotChanges {
		const zeros = new Uint8Array(this.#counters.valueStride);
		return this.#slots.replace(endpoints, {
			add: ({ endpoint, slot }) => {
				// The slot may have been another endpoint's: its counters begin again before anything can count.
				this.#counters.set(encodeIndex(slot), zeros);
				this.#endpoints.set(encodeEndpointKey(endpoint), encodeEndpointState(slot));
			},
			remove: ({ endpoint }) => this.#endpoints.delete(encodeEndpointKey(endpoint)),
		});
	}

	/** The director's own addresses, VIPs included: what is sent to them is no testimony. Throws where they do not fit. */
	setLocalAddresses(addresses: readonly string[]): void {
		const wanted = new Set(addresses);
		for (const address of this.#local) {
			if (wanted.has(address)) continue;
			this.#localAddresses.delete(encodeAddressKey(address));
			this.#local.delete(address);
		}
		for (const address of wanted) {
			if (this.#local.has(address)) continue;
			this.#localAddresses.set(encodeAddressKey(address), Uint8Array.of(1));
			this.#local.add(address);
		}
	}

	/** Every watched endpoint with its counters, summed over the CPUs. */
	counters(): WatchedEndpoint[] {
		if (this.#slots.end === 0) return [];
		const { values, count } = this.#counters.entries(this.#slots.end);
		const stride = values.length / count;
		return [...this.#slots.placed()].map(({ endpoint, slot }) => ({
			endpoint,
			counters: sumEndpointCounters(values.subarray(slot * stride, (slot + 1) * stride)),
		}));
	}

	losses(): StreamLosses {
		return this.#stream.losses();
	}

	/** Delivers what is in the ring now; the number of records. */
	drain(): number {
		return this.#stream.drain();
	}

	/** Leaves the interfaces first, so that nothing counts into what is being closed. */
	close(): void {
		for (const attachment of this.#attachments.values()) attachment.close();
		this.#attachments.clear();
		this.#stream.close();
		for (const map of [this.#endpoints, this.#counters, this.#localAddresses]) map.close();
		this.#object.close();
	}

	#attach(interfaceName: string): InterfaceState {
		try {
			const attachment = this.#attachments.get(interfaceName) ?? attach(this.#policy, this.#object, interfaceName);
			this.#attachments.set(interfaceName, attachment);
			return { interfaceName, attached: true, method: attachment.method };
		} catch (error) {
			const { available: _, ...why } = explain(`wire on ${interfaceName}`, error);
			return { interfaceName, attached: false, ...why };
		}
	}
}

/** The wire, attached to one interface at least; or why it is not to be had. */
export function openWire(options: WireOptions): WireCapture | Unavailable {
	try {
		const wire = new WireCapture(load(options), options);
		const [first] = wire.interfaces;
		if (first === undefined || first.attached || wire.interfaces.some(({ attached }) => attached)) return wire;
		wire.close();
		const { code, reason, remedy } = first;
		return { available: false, code, reason, remedy };
	} catch (error) {
		return explain('wire', error);
	}
}
