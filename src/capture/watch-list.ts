/**
 * Whom the wire watches: endpoints and their hosts, where the hosts' packets may come from, which addresses are the
 * director's own and where tunnels go. It carries lists into the maps of wire.bpf.c, one change at a time, and reads
 * the counters back; where the lists come from (table, routes, neighbours), the caller knows.
 */
import type { BpfMap, BpfObject } from '../addon/index.js';
import type { EndpointCounters, HostCounters } from '../decode/event.js';
import {
	decodeHostCounters,
	encodeAddressKey,
	encodeEndpointKey,
	encodeEndpointState,
	encodeHostSenders,
	encodeHostState,
	encodeIndex,
	encodePort,
	macsPerHostMax,
	sumEndpointCounters,
} from '../decode/keys.js';
import { endpointId } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';
import { Listed } from './listed.js';
import { type SlotChanges, type SlotKeeper, Slots } from './slots.js';

export interface WatchedEndpoint {
	endpoint: Endpoint;
	counters: EndpointCounters;
}

export interface WatchedHost {
	address: string;
	counters: HostCounters;
}

/** From which MAC addresses the packets of a host may come. */
export interface HostSenders {
	address: string;
	/** `02:00:00:00:00:11`. */
	macs: readonly string[];
}

const mapNames = ['endpoints', 'counters', 'hosts', 'senders', 'learned', 'local_addresses', 'tunnel_ports'] as const;
type Maps = Record<(typeof mapNames)[number], BpfMap>;

export class WatchList {
	readonly #maps: Maps;
	readonly #endpoints: Slots<Endpoint>;
	readonly #hosts: Slots<string>;
	readonly #local: Listed<string>;
	readonly #tunnelPorts: Listed<number>;
	/** By host: what stands in the map, as text. */
	readonly #senders = new Map<string, string>();

	constructor(object: BpfObject) {
		this.#maps = Object.fromEntries(mapNames.map((name) => [name, object.map(name)])) as Maps;
		this.#endpoints = new Slots(this.#maps.endpoints.maxEntries, endpointId);
		this.#hosts = new Slots(this.#maps.hosts.maxEntries, (address) => address);
		this.#local = new Listed(this.#maps.local_addresses, encodeAddressKey);
		this.#tunnelPorts = new Listed(this.#maps.tunnel_ports, encodePort);
	}

	/**
	 * The endpoints whose packets count from now on, and their hosts; `hosts` are those beside them of which no endpoint
	 * is known (firewall marks, port-0 services). Counters of what stays go on. An endpoint whose host finds no room is
	 * refused with it.
	 *
	 * @throws what the kernel said of one of them: the next call goes on from there.
	 */
	setEndpoints(endpoints: readonly Endpoint[], hosts: readonly string[]): SlotChanges<Endpoint> {
		// First those that go, so that none is left with the slot of a host that has become another's.
		const removed = this.#endpoints.retain(endpoints, this.#endpointKeeper);
		this.#hosts.replace([...endpoints.map(({ address }) => address), ...hosts], this.#hostKeeper);
		const housed = endpoints.filter(({ address }) => this.#hosts.slotOf(address) !== undefined);
		const homeless = endpoints.filter(({ address }) => this.#hosts.slotOf(address) === undefined);
		const changes = this.#endpoints.replace(housed, this.#endpointKeeper);
		return { added: changes.added, removed, refused: [...changes.refused, ...homeless] };
	}

	/**
	 * From where each host's packets may come. A host without a MAC address here (its neighbour entry has just expired)
	 * keeps those it had; one with more than can be listed is not checked at all, and is given back.
	 */
	setSenders(list: readonly HostSenders[]): HostSenders[] {
		const unchecked: HostSenders[] = [];
		for (const senders of list) {
			if (senders.macs.length > macsPerHostMax) unchecked.push(senders);
			const macs = senders.macs.length > macsPerHostMax ? [] : senders.macs;
			if (senders.macs.length > 0) this.#setSenders(senders.address, macs);
		}
		return unchecked;
	}

	/** The director's own addresses, VIPs included: what is sent to them is no testimony. Throws where they do not fit. */
	setLocalAddresses(addresses: readonly string[]): void {
		this.#local.replace(addresses);
	}

	/** UDP ports that IPVS tunnels to (GUE). Throws where they do not fit. */
	setTunnelPorts(ports: readonly number[]): void {
		this.#tunnelPorts.replace(ports);
	}

	/** Every watched endpoint with its counters, summed over the CPUs. */
	counters(): WatchedEndpoint[] {
		if (this.#endpoints.end === 0) return [];
		const { values, count } = this.#maps.counters.entries(this.#endpoints.end);
		const stride = values.length / count;
		return [...this.#endpoints.placed()].map(({ item, slot }) => ({
			endpoint: item,
			counters: sumEndpointCounters(values.subarray(slot * stride, (slot + 1) * stride)),
		}));
	}

	/** Every watched host with what ICMP errors said of it and of no watched endpoint. */
	hostCounters(): WatchedHost[] {
		return [...this.#hosts.placed()].flatMap(({ item: address }) => {
			const value = this.#maps.hosts.get(encodeAddressKey(address));
			return value === undefined ? [] : [{ address, counters: decodeHostCounters(value) }];
		});
	}

	close(): void {
		for (const map of Object.values(this.#maps)) map.close();
	}

	readonly #endpointKeeper: SlotKeeper<Endpoint> = {
		add: ({ item, slot }) => {
			// The slot may have been another endpoint's: its counters begin again before anything can count.
			this.#maps.counters.set(encodeIndex(slot), new Uint8Array(this.#maps.counters.valueStride));
			const hostSlot = this.#hosts.slotOf(item.address) ?? 0;
			this.#maps.endpoints.set(encodeEndpointKey(item), encodeEndpointState(slot, hostSlot));
		},
		remove: ({ item }) => this.#maps.endpoints.delete(encodeEndpointKey(item)),
	};

	readonly #hostKeeper: SlotKeeper<string> = {
		add: ({ item, slot }) => {
			for (const map of [this.#maps.senders, this.#maps.learned])
				map.set(encodeIndex(slot), new Uint8Array(map.valueStride));
			this.#maps.hosts.set(encodeAddressKey(item), encodeHostState(slot));
		},
		remove: ({ item }) => {
			this.#maps.hosts.delete(encodeAddressKey(item));
			this.#senders.delete(item);
		},
	};

	#setSenders(address: string, macs: readonly string[]): void {
		const slot = this.#hosts.slotOf(address);
		const text = macs.join();
		if (slot === undefined || this.#senders.get(address) === text) return;
		this.#maps.senders.set(encodeIndex(slot), encodeHostSenders(macs));
		this.#senders.set(address, text);
	}
}
