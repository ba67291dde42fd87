/**
 * The vantage point on the wire, in userspace: loads wire.bpf.c, tells it whom to watch, puts it on the interfaces
 * and hands its events on. Which interfaces and endpoints, the caller knows (routes, table); what an event means,
 * evidence knows. Everything ends with close() or with the process: nothing of it is pinned.
 */
import type { BpfObject } from '../addon/index.js';
import type { Endpoint } from '../table/model.js';
import {
	type AttachMethod,
	type Attachment,
	type AttachPolicy,
	attach,
	handleBeside,
	isCurrent,
	programsFor,
} from './attach.js';
import { explain, type Unavailable } from './availability.js';
import { booleanConstant, loadObject, u32Constant, u64Constant } from './programs.js';
import type { SlotChanges } from './slots.js';
import { type EventSink, EventStream, type StreamLosses } from './stream.js';
import { type HostSenders, type WatchedEndpoint, type WatchedHost, WatchList } from './watch-list.js';

/** As in wire_maps.bpf.h. */
const endpointsMaxDefault = 32_768;
const hostsMaxDefault = 16_384;
const ringBytesDefault = 4 * 1024 * 1024;
const eventIntervalMsDefault = 20;
const eventBurstDefault = 5;
const nanosecondsPerMillisecond = 1_000_000;

export interface WireOptions extends EventSink {
	/** Interfaces on the real servers' side, by name. */
	interfaces: readonly string[];
	attach: AttachPolicy;
	/** A daemon may watch here too: nobody's place is taken, not even that of a crashed one. */
	beside?: boolean;
	/** A power of two, and whole pages. */
	ringBytes?: number;
	endpointsMax?: number;
	hostsMax?: number;
	/** Each event carries the first octets of its packet. */
	packets?: boolean;
	/** After a burst, one event per endpoint in this time; what lies between is counted and rides on the next. */
	eventIntervalMs?: number;
	eventBurst?: number;
}

/** How one interface was attached, or why it was not. */
export type InterfaceState =
	| {
			interfaceName: string;
			attached: true;
			method: AttachMethod;
			/** How often by now: again where the interface was made anew, or somebody took the program off. */
			times: number;
	  }
	| ({ interfaceName: string; attached: false } & Omit<Unavailable, 'available'>);

function load(options: WireOptions): BpfObject {
	const endpointsMax = options.endpointsMax ?? endpointsMaxDefault;
	const hostsMax = options.hostsMax ?? hostsMaxDefault;
	const intervalMs = options.eventIntervalMs ?? eventIntervalMsDefault;
	return loadObject({
		object: 'wire',
		programs: programsFor(options.attach),
		constants: {
			event_interval_ns: u64Constant(intervalMs * nanosecondsPerMillisecond),
			event_burst: u32Constant(options.eventBurst ?? eventBurstDefault),
			with_packets: booleanConstant(options.packets ?? false),
		},
		maxEntries: {
			events: options.ringBytes ?? ringBytesDefault,
			endpoints: endpointsMax,
			counters: endpointsMax,
			hosts: hostsMax,
			senders: hostsMax,
			learned: hostsMax,
		},
	});
}

export class WireCapture {
	readonly available = true;
	readonly #object: BpfObject;
	readonly #stream: EventStream;
	readonly #list: WatchList;
	readonly #policy: AttachPolicy;
	readonly #handle: number | undefined;
	readonly #attachments = new Map<string, Attachment>();
	readonly #times = new Map<string, number>();
	#interfaces: readonly InterfaceState[] = [];

	/** `object` is loaded; it is closed with the capture. */
	constructor(object: BpfObject, options: WireOptions) {
		this.#object = object;
		this.#list = new WatchList(object);
		this.#stream = new EventStream(object.map('events'), object.map('losses'), options);
		this.#policy = options.attach;
		this.#handle = options.beside ? handleBeside : undefined;
		this.setInterfaces(options.interfaces);
	}

	/** In the order they were named; what could not be attached stands here with its reason. */
	get interfaces(): readonly InterfaceState[] {
		return this.#interfaces;
	}

	/**
	 * Watches these interfaces from now on: leaves the others and those that are gone, stays on those it is on, tries the
	 * rest (again), those included from which somebody has taken the program off. A packet is seen once on each of them: `attachable` (layers.ts) leaves one layer of bonds and VLANs.
	 */
	setInterfaces(names: readonly string[]): readonly InterfaceState[] {
		const wanted = new Set(names);
		for (const [name, attachment] of this.#attachments) {
			if (wanted.has(name) && isCurrent(attachment)) continue;
			attachment.close();
			this.#attachments.delete(name);
		}
		for (const name of this.#times.keys()) if (!wanted.has(name)) this.#times.delete(name);
		this.#interfaces = [...wanted].map((name) => this.#attach(name));
		return this.#interfaces;
	}

	/** See WatchList.setEndpoints. */
	setEndpoints(endpoints: readonly Endpoint[], hosts: readonly string[] = []): SlotChanges<Endpoint> {
		return this.#list.setEndpoints(endpoints, hosts);
	}

	/** See WatchList.setSenders. */
	setSenders(list: readonly HostSenders[]): HostSenders[] {
		return this.#list.setSenders(list);
	}

	/** See WatchList.setLocalAddresses. */
	setLocalAddresses(addresses: readonly string[]): void {
		this.#list.setLocalAddresses(addresses);
	}

	/** See WatchList.setTunnelPorts. */
	setTunnelPorts(ports: readonly number[]): void {
		this.#list.setTunnelPorts(ports);
	}

	/** See WatchList.counters. */
	counters(): WatchedEndpoint[] {
		return this.#list.counters();
	}

	/** See WatchList.hostCounters. */
	hostCounters(): WatchedHost[] {
		return this.#list.hostCounters();
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
		this.#list.close();
		this.#object.close();
	}

	#attach(interfaceName: string): InterfaceState {
		try {
			const standing = this.#attachments.get(interfaceName);
			const attachment = standing ?? attach(this.#policy, this.#object, interfaceName, this.#handle);
			const times = (this.#times.get(interfaceName) ?? 0) + (standing ? 0 : 1);
			this.#attachments.set(interfaceName, attachment);
			this.#times.set(interfaceName, times);
			return { interfaceName, attached: true, method: attachment.method, times };
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
