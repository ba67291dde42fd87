/**
 * The vantage point on the director's own links, in userspace: loads link.bpf.c in three parts that do without each
 * other (carriers, bonds, neighbours) and hands their events on. A kernel may refuse one part and permit another, and
 * the module bonding may come later than ipvigil; so each part is an object of its own, with a ring of its own. What
 * the events come to, src/evidence/links.ts knows. Nothing is pinned: everything ends with close() or with the process.
 */
import { existsSync } from 'node:fs';
import type { BpfMap, BpfObject, Link } from '../addon/index.js';
import { encodeAddressKey } from '../decode/keys.js';
import { explain, missingModule, type Unavailable } from './availability.js';
import { loadObject, ownNetns, u32Constant, u64Constant } from './programs.js';
import { type EventSink, EventStream, type StreamLosses, sumLosses } from './stream.js';

/** 64 KiB hold 1,000 changes: the links of a whole rack, up and down, between two looks of ours. */
const ringBytes = 64 * 1024;

/** SEC functions of link.bpf.c by part. */
const programs = {
	carrier: ['carrier_off', 'carrier_on'],
	bond: ['active_slave', 'slave_state'],
	neighbour: ['neighbour_failed', 'neighbour_back'],
} as const;

export type LinkPart = keyof typeof programs;
export const linkParts = Object.keys(programs) as LinkPart[];

/** Whether a part is attached, or why it is not. */
export type LinkPartState =
	| { part: LinkPart; attached: true }
	| ({ part: LinkPart; attached: false } & Omit<Unavailable, 'available'>);

/** Of link.bpf.c's map; hosts beyond it are known by rtnetlink and the slow poll only. */
const hostsMax = 32_768;
const neverFailed = u64Constant(0);

class Part {
	readonly #object: BpfObject;
	readonly #links: Link[] = [];
	readonly #hosts: BpfMap;
	readonly #stream: EventStream;

	constructor(name: LinkPart, sink: EventSink) {
		this.#object = load(name);
		try {
			for (const program of programs[name]) this.#links.push(this.#object.attachTracing(program));
			this.#hosts = this.#object.map('hosts');
			this.#stream = new EventStream(this.#object.map('events'), this.#object.map('losses'), sink);
		} catch (error) {
			this.#detach();
			throw error;
		}
	}

	addHost(address: string): void {
		this.#hosts.set(encodeAddressKey(address), neverFailed);
	}

	removeHost(address: string): void {
		this.#hosts.delete(encodeAddressKey(address));
	}

	losses(): StreamLosses {
		return this.#stream.losses();
	}

	close(): void {
		this.#stream.close();
		this.#hosts.close();
		this.#detach();
	}

	#detach(): void {
		for (const link of this.#links.splice(0)) link.close();
		this.#object.close();
	}
}

function load(name: LinkPart): BpfObject {
	return loadObject({
		object: 'link',
		programs: programs[name],
		constants: { own_netns: u32Constant(ownNetns()) },
		// Only one part has a use for hosts; a map of no entries cannot be made.
		maxEntries: { events: ringBytes, hosts: name === 'neighbour' ? hostsMax : 1 },
	});
}

const bondingIsLoaded = () => existsSync('/sys/module/bonding');

function openPart(name: LinkPart, sink: EventSink): Part | Unavailable {
	if (name === 'bond' && !bondingIsLoaded()) return missingModule('bonding');
	try {
		return new Part(name, sink);
	} catch (error) {
		return explain(`link (${name})`, error);
	}
}

export class LinkCapture {
	readonly available = true;
	readonly #sink: EventSink;
	readonly #parts: Record<LinkPart, Part | Unavailable>;
	#hosts = new Set<string>();

	constructor(sink: EventSink) {
		this.#sink = sink;
		this.#parts = {
			carrier: openPart('carrier', sink),
			bond: openPart('bond', sink),
			neighbour: openPart('neighbour', sink),
		};
	}

	get parts(): LinkPartState[] {
		return linkParts.map((part) => {
			const found = this.#parts[part];
			if (found instanceof Part) return { part, attached: true };
			const { code, reason, remedy } = found;
			return { part, attached: false, code, reason, remedy };
		});
	}

	isAttached(part: LinkPart): boolean {
		return this.#parts[part] instanceof Part;
	}

	/** Real servers and gateways whose neighbour entry is to be watched; how many of them are more than fit. */
	setHosts(addresses: readonly string[]): { refused: number } {
		const wanted = new Set(addresses.slice(0, hostsMax));
		const { neighbour } = this.#parts;
		if (neighbour instanceof Part) {
			for (const address of this.#hosts) if (!wanted.has(address)) neighbour.removeHost(address);
			for (const address of wanted) if (!this.#hosts.has(address)) neighbour.addHost(address);
		}
		this.#hosts = wanted;
		return { refused: addresses.length - wanted.size };
	}

	/** The module bonding came: its hooks are attached now. True where they were not before. */
	retry(): boolean {
		if (this.isAttached('bond') || !bondingIsLoaded()) return false;
		this.#parts.bond = openPart('bond', this.#sink);
		return this.isAttached('bond');
	}

	/** Of all parts together. */
	losses(): StreamLosses {
		return sumLosses(this.#open().map((part) => part.losses()));
	}

	/** Detaches everything; bonding can be unloaded afterwards. */
	close(): void {
		for (const part of this.#open()) part.close();
	}

	#open(): Part[] {
		return Object.values(this.#parts).filter((part) => part instanceof Part);
	}
}

/** What can be attached here, attached; Unavailable where nothing can, for the reason that the carriers' part has. */
export function openLink(sink: EventSink): LinkCapture | Unavailable {
	const capture = new LinkCapture(sink);
	const [first] = capture.parts;
	if (capture.parts.some(({ attached }) => attached) || first === undefined || first.attached) return capture;
	const { code, reason, remedy } = first;
	return { available: false, code, reason, remedy };
}
