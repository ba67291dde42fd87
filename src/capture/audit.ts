/**
 * The vantage point on the table, in userspace: loads audit.bpf.c or adopts what an earlier agent left pinned, and
 * hands on who wrote which service and destination. Maps, links and the iterator are pinned, so that writes between two
 * agents are neither lost (they wait in the ring) nor forgotten (`writers` knows the last one). What a write means is
 * the judge's business.
 *
 * A pinned link goes on with the program it was made with, and in the network namespace it was made for; what
 * audit.bpf.c does may therefore only change together with EVENTS_VERSION.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type BpfMap, Link } from '../addon/index.js';
import type { LastWrite } from '../decode/event.js';
import { decodeLastWrite, encodeDestinationKey } from '../decode/keys.js';
import type { ServiceAddress } from '../table/model.js';
import { explain, type HookState, type Unavailable, unavailable } from './availability.js';
import { PinDirectory } from './pins.js';
import { loadPartly, ownNetns, type PartlyLoaded, u32Constant } from './programs.js';
import { type EventSink, EventStream, type StreamLosses } from './stream.js';

/** 1 MiB holds 8,192 writes: a monitor that rewrites the largest table aimed at, half of it while no agent reads. */
const ringBytes = 1024 * 1024;

/** SEC functions of audit.bpf.c; each link is pinned under its program's name. Without these there is no audit. */
const coreHooks = ['update_dest', 'delete_dest'] as const;
/**
 * What each of these tells is missing where this kernel does not have it: refusals, services, and by which way the
 * writer spoke. All are pinned, so that a successor knows as much of the time in between. The end of a command is
 * attached before its beginning: no beginning is remembered whose end was missed.
 */
const optionalHooks = [
	'refuse_add',
	'refuse_edit',
	'refuse_delete',
	'end_netlink',
	'begin_netlink',
	'end_setsockopt',
	'begin_setsockopt',
	'name_parsed',
	'name_added',
	'name_edited',
	'name_deleted',
] as const;
/** All of them: what has to be told of as missing where nothing could be opened. */
export const auditHooks: readonly string[] = [...optionalHooks, ...coreHooks];
const iterator = 'show_writers';
const pinnedMaps = ['events', 'losses', 'writers', 'commands'] as const;

export interface AuditOptions extends EventSink {
	/**
	 * A directory on bpffs, ours alone, and of one network namespace: a director in another one needs another. The
	 * give-back helper finds the iterator below it as v<EVENTS_VERSION>/show_writers. Undefined: nothing is pinned and
	 * nothing adopted; all of it ends with this process, beside whatever audit another one has.
	 */
	pinDirectory: string | undefined;
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
function load(pins: PinDirectory | undefined): PartlyLoaded {
	const absent = (name: string) => !pins?.has(name);
	return loadPartly(
		{
			object: 'audit',
			programs: [...coreHooks, ...(pins ? [iterator] : [])].filter(absent),
			constants: { own_netns: u32Constant(ownNetns()) },
			maxEntries: { events: ringBytes },
			pins: pins ? Object.fromEntries(pinnedMaps.map((map) => [map, pins.path(map)])) : {},
		},
		optionalHooks.filter(absent),
	);
}

/** The link of one program, made and pinned now or adopted. */
function linkFor(pins: PinDirectory | undefined, name: string, make: () => Link): Link {
	if (pins?.has(name)) return Link.openPinned(pins.path(name));
	const link = make();
	if (pins) link.pin(pins.path(name));
	return link;
}

export class AuditCapture {
	readonly available = true;
	/** True where the hooks that see a weight written were already attached when we came: no write was missed in between. */
	readonly adopted: boolean;
	readonly hooks: readonly HookState[];
	readonly #loaded: PartlyLoaded;
	readonly #pins: PinDirectory | undefined;
	readonly #links: Link[] = [];
	readonly #stream: EventStream;
	readonly #writers: BpfMap;

	constructor(loaded: PartlyLoaded, pins: PinDirectory | undefined, sink: EventSink) {
		const { object } = loaded;
		this.adopted = coreHooks.every((hook) => pins?.has(hook));
		this.#loaded = loaded;
		this.#pins = pins;
		this.#writers = object.map('writers');
		const attach = (hook: string) => void this.#links.push(linkFor(pins, hook, () => object.attachTracing(hook)));
		this.hooks = [
			...optionalHooks.map((hook) => this.#tryHook(hook, attach)),
			...coreHooks.map((hook) => {
				attach(hook);
				return { hook, attached: true, reason: '' };
			}),
		];
		if (pins) this.#links.push(linkFor(pins, iterator, () => object.attachIterator(iterator, 'writers')));
		this.#stream = new EventStream(object.map('events'), object.map('losses'), sink);
	}

	/** A name in the types is no promise: the compiler may have kept a changed copy of the function only. */
	#tryHook(hook: string, attach: (hook: string) => void): HookState {
		const refused = this.#loaded.refused.get(hook);
		if (refused) return { hook, attached: false, reason: refused.reason };
		try {
			attach(hook);
			return { hook, attached: true, reason: '' };
		} catch (error) {
			return { hook, attached: false, reason: explain(hook, error).reason };
		}
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

	/** Stops reading; hooks that are pinned stay attached and go on recording for the next agent. */
	close(): void {
		this.#stream.close();
		this.#writers.close();
		for (const link of this.#links.splice(0)) link.close();
		this.#loaded.object.close();
	}

	/** Detaches and forgets everything: ip_vs can be unloaded afterwards. */
	release(): void {
		this.close();
		this.#pins?.removeAll();
	}
}

function start(pins: PinDirectory | undefined, sink: EventSink): AuditCapture {
	const loaded = load(pins);
	try {
		return new AuditCapture(loaded, pins, sink);
	} catch (error) {
		loaded.object.close();
		throw error;
	}
}

/** The pins of our network namespace: the programs record the one they were made for, so each has a directory of its own. */
function ownPins(root: string): PinDirectory {
	return new PinDirectory(join(root, `net-${ownNetns()}`));
}

/** Lets go of what an earlier agent left attached in our network namespace; false where there was nothing. */
export function releasePinned(pinDirectory: string): boolean {
	const root = join(pinDirectory, `net-${ownNetns()}`);
	if (!existsSync(root)) return false;
	const pins = new PinDirectory(root);
	pins.removeStale();
	pins.removeAll();
	return true;
}

/** The audit, recording; or why it is not to be had. What an earlier agent pinned is left as it is in that case. */
export function openAudit(options: AuditOptions): AuditCapture | Unavailable {
	let undo = () => {};
	try {
		if (!inInitialPidNamespace()) return ownPidNamespace;
		const pins = options.pinDirectory === undefined ? undefined : ownPins(options.pinDirectory);
		if (pins && !coreHooks.some((hook) => pins.has(hook))) undo = () => pins.removeAll();
		const audit = start(pins, options);
		pins?.removeStale();
		return audit;
	} catch (error) {
		undo();
		return explain('audit', error);
	}
}
