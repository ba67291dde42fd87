/**
 * The vantage point on the table, in userspace: loads audit.bpf.c or adopts what an earlier agent left pinned, and
 * hands on who wrote which destination. Maps, links and the iterator are pinned, so that writes between two agents
 * are neither lost (they wait in the ring) nor forgotten (`writers` knows the last one). What a write means is the
 * judge's business.
 *
 * A pinned link goes on with the program it was made with, and in the network namespace it was made for; what
 * audit.bpf.c does may therefore only change together with EVENTS_VERSION.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type BpfMap, type BpfObject, Link } from '../addon/index.js';
import type { LastWrite } from '../decode/event.js';
import { decodeLastWrite, encodeDestinationKey } from '../decode/keys.js';
import type { ServiceAddress } from '../table/model.js';
import { explain, type Unavailable, unavailable } from './availability.js';
import { PinDirectory } from './pins.js';
import { loadObject, u32Constant } from './programs.js';
import { type EventSink, EventStream, type StreamLosses } from './stream.js';

/** 1 MiB holds 8,700 writes: a monitor that rewrites the largest table aimed at, half of it while no agent reads. */
const ringBytes = 1024 * 1024;

/** SEC functions of audit.bpf.c; each link is pinned under its program's name. */
const hooks = ['update_dest', 'delete_dest'] as const;
const iterator = 'show_writers';
const pinnedMaps = ['events', 'losses', 'writers'] as const;

export interface AuditOptions extends EventSink {
	/**
	 * A directory on bpffs, ours alone, and of one network namespace: a director in another one needs another. The
	 * give-back helper finds the iterator below it as v<EVENTS_VERSION>/show_writers.
	 */
	pinDirectory: string;
}

/** The inode number by which the kernel names our network namespace (struct ns_common.inum). */
function ownNetns(): number {
	return statSync('/proc/self/ns/net').ino;
}

/** PROC_PID_INIT_INO (include/linux/proc_ns.h). */
const initialPidNamespace = 0xeffffffc;

/** The hooks number processes as the initial namespace does; elsewhere our own writes would look like a stranger's. */
export function inInitialPidNamespace(): boolean {
	return statSync('/proc/self/ns/pid').ino === initialPidNamespace;
}

export const ownPidNamespace = unavailable(
	'PID_NAMESPACE',
	'ipvigil runs in a PID namespace of its own, so its own writes could not be told from those of others',
	"run it in the host's PID namespace (systemd unit, or container with the host's PIDs)",
);

/** Loads only what is not pinned yet. */
function load(pins: PinDirectory): BpfObject {
	return loadObject({
		object: 'audit',
		programs: [...hooks, iterator].filter((name) => !pins.has(name)),
		constants: { own_netns: u32Constant(ownNetns()) },
		maxEntries: { events: ringBytes },
		pins: Object.fromEntries(pinnedMaps.map((map) => [map, pins.path(map)])),
	});
}

/** The link of one program, made and pinned now or adopted. */
function linkFor(pins: PinDirectory, name: string, make: () => Link): Link {
	if (pins.has(name)) return Link.openPinned(pins.path(name));
	const link = make();
	link.pin(pins.path(name));
	return link;
}

export class AuditCapture {
	readonly available = true;
	/** True where every hook was already attached when we came: no write was missed in between. */
	readonly adopted: boolean;
	readonly #object: BpfObject;
	readonly #pins: PinDirectory;
	readonly #links: Link[];
	readonly #stream: EventStream;
	readonly #writers: BpfMap;

	constructor(object: BpfObject, pins: PinDirectory, sink: EventSink) {
		this.adopted = hooks.every((hook) => pins.has(hook));
		this.#object = object;
		this.#pins = pins;
		this.#writers = object.map('writers');
		this.#links = hooks.map((hook) => linkFor(pins, hook, () => object.attachTracing(hook)));
		this.#links.push(linkFor(pins, iterator, () => object.attachIterator(iterator, 'writers')));
		this.#stream = new EventStream(object.map('events'), object.map('losses'), sink);
	}

	/** The last write of one destination; undefined where nobody wrote it since the hooks were first attached. */
	lastWriter(service: ServiceAddress, destination: { address: string; port: number }): LastWrite | undefined {
		const key = encodeDestinationKey(service, destination);
		const value = this.#writers.get(key);
		const entry = value && decodeLastWrite(key, value);
		return entry === undefined || 'kind' in entry ? undefined : entry;
	}

	losses(): StreamLosses {
		return this.#stream.losses();
	}

	/** Delivers what is in the ring now, the writes of the time without an agent included; the number of records. */
	drain(): number {
		return this.#stream.drain();
	}

	/** Stops reading; the hooks stay attached and go on recording for the next agent. */
	close(): void {
		this.#stream.close();
		this.#writers.close();
		for (const link of this.#links.splice(0)) link.close();
		this.#object.close();
	}

	/** Detaches and forgets everything: ip_vs can be unloaded afterwards. */
	release(): void {
		this.close();
		this.#pins.removeAll();
	}
}

function start(pins: PinDirectory, sink: EventSink): AuditCapture {
	const object = load(pins);
	try {
		return new AuditCapture(object, pins, sink);
	} catch (error) {
		object.close();
		throw error;
	}
}

/** The audit, recording; or why it is not to be had. What an earlier agent pinned is left as it is in that case. */
export function openAudit(options: AuditOptions): AuditCapture | Unavailable {
	let undo = () => {};
	try {
		if (!inInitialPidNamespace()) return ownPidNamespace;
		// The pinned programs record the namespace they were made for: each namespace has a directory of its own.
		const pins = new PinDirectory(join(options.pinDirectory, `net-${ownNetns()}`));
		if (!hooks.some((hook) => pins.has(hook))) undo = () => pins.removeAll();
		const audit = start(pins, options);
		pins.removeStale();
		return audit;
	} catch (error) {
		undo();
		return explain('audit', error);
	}
}
