/**
 * The book of the director's own interfaces and neighbours. Several witnesses tell it of the same change: hooks in the
 * kernel (an instant), rtnetlink's notices, and looks at everything (a stretch of time, from the question to the
 * answer). Out comes each change once, with the time of whoever told it first. What a change means for a real server,
 * ways.ts says. PURE.
 *
 * Of two testimonies the later counts. Where two overlap in time and contradict each other, neither is believed:
 * the book is in doubt and wants another look. A carrier needs no such care, because the kernel numbers its changes
 * (IFLA_CARRIER_CHANGES). A notice of rtnetlink has neither number nor time for anything else; so what it says that
 * is not known yet only makes the book want a look.
 */
import type { LinkEvent, NeighbourEvent } from '../decode/event.js';
import type { Link, Neighbour, NeighbourState, RouteChange } from '../netlink/route.js';
import { slaveLinkName } from '../netlink/route-bond.js';
import { Facet, type Testimony } from './facet.js';

/** Every facet of an interface, and what it can be. */
export interface LinkFacts {
	name: string;
	admin: 'up' | 'down';
	carrier: 'up' | 'down';
	/** Of a bond: the active slave's index; a change tells its name, or "none". */
	activeSlave: string;
	/** Of a bond's port, as the bond sees it. */
	slave: 'up' | 'fail' | 'down' | 'back' | 'unknown';
	/** Of an LACP bond the number of the aggregator that it sends through, of its port the one that it is in. */
	aggregator: string;
	/** Of an LACP bond whether anybody speaks LACP to it, of its port whether the other end is ready. */
	partner: 'heard' | 'silent';
	/** Mbit/s. */
	speed: string;
}

export type LinkFacet = keyof LinkFacts;
export type NeighbourFact = 'unknown' | 'reachable' | 'failed';

/** One real change, told once. */
export interface LinkChange {
	/** CLOCK_MONOTONIC, microseconds: of the first testimony. */
	atUs: number;
	interfaceIndex: number;
	/** As it is called now. */
	interfaceName: string;
	/** `presence` is "here" or "gone"; `neighbour` is a NeighbourFact. */
	what: LinkFacet | 'presence' | 'neighbour';
	/** Of a neighbour. */
	address: string | undefined;
	from: string;
	/** The same as `from` where a carrier went and came back between two testimonies. */
	to: string;
	/** 1; of a carrier how often it changed between two testimonies. */
	times: number;
	by: Testimony['by'];
}

/** Everything, as it was asked for and answered in between (CLOCK_MONOTONIC, microseconds). */
export interface Look {
	askedUs: number;
	answeredUs: number;
	links: readonly Link[];
	/** Undefined where they were not asked for. */
	neighbours: readonly Neighbour[] | undefined;
	/** Mbit/s by interface index, where known. */
	speeds: ReadonlyMap<number, number>;
}

/** One interface as it is known. */
export interface BookedLink {
	readonly index: number;
	readonly link: Link;
	readonly facets: ReadonlyMap<LinkFacet, Facet>;
}

interface Entry extends BookedLink {
	link: Link;
	facets: Map<LinkFacet, Facet>;
}

/** An interface that vanished, and what it sat on. */
export type GoneLink = Pick<Link, 'name' | 'parentIndex'> & { sinceUs: number };

/** Interfaces that vanished, remembered for those whose way led there. A director that makes more in a day makes containers. */
const goneMax = 256;

const failedState = 0x20;
const valid: ReadonlySet<NeighbourState> = new Set(['reachable', 'stale', 'delay', 'probe', 'noarp', 'permanent']);
const noPartner = '00:00:00:00:00:00';

export class LinkBook {
	readonly #entries = new Map<number, Entry>();
	readonly #gone = new Map<number, GoneLink>();
	readonly #neighbours = new Map<string, Facet>();
	#watched: ReadonlySet<string> = new Set();
	#begun = false;
	#doubtful = false;

	/** True once after something was heard that only a look can settle. */
	takeDoubt(): boolean {
		const doubtful = this.#doubtful;
		this.#doubtful = false;
		return doubtful;
	}

	links(): Iterable<BookedLink> {
		return this.#entries.values();
	}

	link(index: number): BookedLink | undefined {
		return this.#entries.get(index);
	}

	gone(index: number): GoneLink | undefined {
		return this.#gone.get(index);
	}

	neighbour(interfaceIndex: number, address: string): Facet | undefined {
		return this.#neighbours.get(neighbourKey(interfaceIndex, address));
	}

	/** Real servers and gateways whose neighbour entry counts; what is known of others is forgotten. */
	watch(addresses: Iterable<string>): void {
		this.#watched = new Set(addresses);
		for (const key of this.#neighbours.keys()) if (!this.#watched.has(addressOf(key))) this.#neighbours.delete(key);
	}

	/** What a hook in the kernel saw. */
	hearEvent(event: LinkEvent | NeighbourEvent): LinkChange[] {
		const testimony: Testimony = { by: 'hook', sinceUs: event.atUs, untilUs: event.atUs };
		if (event.kind === 'neighbour') {
			const fact = event.state & failedState ? 'failed' : 'reachable';
			return this.#takeNeighbour(event.interfaceIndex, event.address, fact, testimony);
		}
		const entry = this.#entries.get(event.interfaceIndex);
		if (!entry) {
			// It is younger than the last look.
			this.#doubtful = true;
			return [];
		}
		if (event.change === 'carrier')
			return this.#takeFacet(entry, 'carrier', upOrDown(event.value === 1), { ...testimony, number: event.changes });
		if (event.change === 'slave') return this.#takeFacet(entry, 'slave', slaveLinkName(event.value), testimony);
		return this.#takeFacet(entry, 'activeSlave', String(event.value), testimony);
	}

	/** What rtnetlink said unasked, at the time when it was read. */
	hearNotice(notice: RouteChange, atUs: number): LinkChange[] {
		const testimony: Testimony = { by: 'notice', sinceUs: atUs, untilUs: atUs };
		if (notice.kind === 'neighbour') {
			const { interfaceIndex, address, state } = notice.neighbour;
			const fact = neighbourFact(state);
			const known = this.neighbour(interfaceIndex, address)?.value ?? 'unknown';
			this.#doubtful ||= this.#watched.has(address) && fact !== undefined && differs(known, fact);
			return [];
		}
		if (notice.kind !== 'link') return [];
		const entry = this.#entries.get(notice.link.index);
		const changes = entry && notice.change === 'set' ? this.#takeCarrier(entry, notice.link, testimony) : [];
		this.#doubtful ||= !entry || notice.change === 'removed' || !this.#agrees(entry, notice.link);
		return changes;
	}

	/** What there was to see. The first look only fills the book. */
	see(look: Look): LinkChange[] {
		const testimony: Testimony = { by: 'look', sinceUs: look.askedUs, untilUs: look.answeredUs };
		const here = new Map(look.links.map((link) => [link.index, link]));
		const changes: LinkChange[] = [];
		for (const entry of [...this.#entries.values()])
			if (!here.has(entry.index)) changes.push(...this.#remove(entry, look.askedUs));
		// All of them first: a bond names its slave.
		const before = new Set(this.#entries.keys());
		for (const link of look.links) changes.push(...this.#place(link, look, testimony));
		for (const link of look.links)
			if (before.has(link.index)) changes.push(...this.#compare(link, look.speeds.get(link.index), testimony));
			else this.#begin(link, look.speeds.get(link.index), testimony);
		for (const { interfaceIndex, address, state } of look.neighbours ?? []) {
			const fact = neighbourFact(state);
			if (fact) changes.push(...this.#takeNeighbour(interfaceIndex, address, fact, testimony));
		}
		this.#begun = true;
		return changes;
	}

	/** Makes room in the book for an interface that is not in it. */
	#place(link: Link, look: Look, { by }: Testimony): LinkChange[] {
		if (this.#entries.has(link.index)) return [];
		this.#gone.delete(link.index);
		const entry: Entry = { index: link.index, link, facets: new Map() };
		this.#entries.set(link.index, entry);
		return this.#begun ? [changeOf(entry, 'presence', { from: 'gone', to: 'here', atUs: look.askedUs, by })] : [];
	}

	#begin(link: Link, speed: number | undefined, testimony: Testimony): void {
		const entry = this.#entries.get(link.index);
		for (const [facet, value] of this.#factsOf(link, speed))
			entry?.facets.set(facet, new Facet(value, numbered(facet, link, testimony)));
	}

	#compare(link: Link, speed: number | undefined, testimony: Testimony): LinkChange[] {
		const entry = this.#entries.get(link.index);
		if (!entry) return [];
		const facts = this.#factsOf(link, speed);
		const changes = facts.flatMap(([facet, value]) =>
			this.#takeFacet(entry, facet, value, numbered(facet, link, testimony)),
		);
		// A port that left its bond is no slave any more; the speed of a link that is down is only not known.
		const kept = new Set<LinkFacet>(['speed', ...facts.map(([facet]) => facet)]);
		for (const facet of entry.facets.keys()) if (!kept.has(facet)) entry.facets.delete(facet);
		entry.link = link;
		return changes;
	}

	#remove(entry: Entry, atUs: number): LinkChange[] {
		this.#entries.delete(entry.index);
		const { name, parentIndex } = entry.link;
		this.#gone.set(entry.index, { name, parentIndex, sinceUs: atUs });
		const [oldest] = this.#gone.keys();
		if (this.#gone.size > goneMax && oldest !== undefined) this.#gone.delete(oldest);
		const gone = changeOf(entry, 'presence', { from: 'here', to: 'gone', atUs, by: 'look' });
		return [gone, ...this.#forgetNeighbours(entry, { by: 'look', sinceUs: atUs, untilUs: atUs })];
	}

	#takeCarrier(entry: Entry, link: Link, testimony: Testimony): LinkChange[] {
		const value = upOrDown(link.carrier !== false);
		return this.#takeFacet(entry, 'carrier', value, numbered('carrier', link, testimony));
	}

	#takeFacet(entry: Entry, what: LinkFacet, to: string, testimony: Testimony): LinkChange[] {
		const facet = entry.facets.get(what);
		if (!facet) {
			entry.facets.set(what, new Facet(to, testimony));
			return [];
		}
		const from = facet.value;
		const times = this.#take(facet, to, testimony);
		if (times === 0) return [];
		const shown = (value: string) => (what === 'activeSlave' ? this.#nameOf(Number(value)) : value);
		const words = { from: shown(from), to: shown(to) };
		const change = changeOf(entry, what, { ...words, atUs: testimony.sinceUs, by: testimony.by, times });
		const isLost = (what === 'carrier' || what === 'admin') && to === 'down';
		return [change, ...(isLost ? this.#forgetNeighbours(entry, testimony) : [])];
	}

	#takeNeighbour(interfaceIndex: number, address: string, to: NeighbourFact, testimony: Testimony): LinkChange[] {
		if (!this.#watched.has(address)) return [];
		const key = neighbourKey(interfaceIndex, address);
		const facet = this.#neighbours.get(key) ?? new Facet('unknown');
		this.#neighbours.set(key, facet);
		const from = facet.value;
		if (this.#take(facet, to, testimony) === 0 || !differs(from, to)) return [];
		const entry = this.#entries.get(interfaceIndex);
		const place = entry ?? { index: interfaceIndex, link: undefined };
		return [changeOf(place, 'neighbour', { address, from, to, atUs: testimony.sinceUs, by: testimony.by })];
	}

	/** The kernel forgets the neighbours of an interface that is lost (neigh_carrier_down): a failure there is over. */
	#forgetNeighbours(entry: Entry, testimony: Testimony): LinkChange[] {
		const keys = [...this.#neighbours.keys()].filter((key) => key.startsWith(`${entry.index} `));
		return keys.flatMap((key) => {
			const from = this.#neighbours.get(key)?.value;
			this.#neighbours.delete(key);
			if (from !== 'failed') return [];
			const { sinceUs: atUs, by } = testimony;
			return [changeOf(entry, 'neighbour', { address: addressOf(key), from, to: 'unknown', atUs, by })];
		});
	}

	/** How often the facet changed by this testimony. */
	#take(facet: Facet, to: string, testimony: Testimony): number {
		const verdict = facet.take(to, testimony);
		this.#doubtful ||= verdict === 'doubtful';
		return verdict === 'doubtful' ? 0 : verdict;
	}

	#agrees(entry: Entry, link: Link): boolean {
		return this.#factsOf(link, undefined).every(([facet, value]) => entry.facets.get(facet)?.value === value);
	}

	#factsOf(link: Link, speed: number | undefined): [LinkFacet, string][] {
		const { bond, slave } = link;
		const facts: Partial<LinkFacts> = {
			name: link.name,
			admin: upOrDown(link.up),
			carrier: upOrDown(link.carrier !== false),
			...(bond && { activeSlave: String(bond.activeSlaveIndex) }),
			...(slave && { slave: slave.link }),
			...(bond?.aggregator && {
				aggregator: String(bond.aggregator.id),
				partner: bond.aggregator.partnerAddress === noPartner ? 'silent' : 'heard',
			}),
			...(slave?.aggregatorId && {
				aggregator: String(slave.aggregatorId),
				partner: slave.partnerInSync ? 'heard' : 'silent',
			}),
			...(speed !== undefined && { speed: String(speed) }),
		};
		return Object.entries(facts) as [LinkFacet, string][];
	}

	#nameOf(index: number): string {
		return index === 0 ? 'none' : (this.#entries.get(index)?.link.name ?? String(index));
	}
}

const neighbourKey = (interfaceIndex: number, address: string) => `${interfaceIndex} ${address}`;
const addressOf = (key: string) => key.slice(key.indexOf(' ') + 1);
const upOrDown = (up: boolean) => (up ? 'up' : 'down');

/** A neighbour of which nothing was known and that answers is no news. */
function differs(from: string, to: NeighbourFact): boolean {
	return from !== to && !(from === 'unknown' && to === 'reachable');
}

/** Undefined for a state that says nothing new: one that is being asked, or has not been. */
function neighbourFact(state: NeighbourState): NeighbourFact | undefined {
	if (state === 'failed') return 'failed';
	return valid.has(state) ? 'reachable' : undefined;
}

function numbered(facet: LinkFacet, link: Link, testimony: Testimony): Testimony {
	return facet === 'carrier' ? { ...testimony, number: link.carrierChanges } : testimony;
}

type Particulars = Pick<LinkChange, 'from' | 'to' | 'atUs' | 'by'> & Partial<Pick<LinkChange, 'address' | 'times'>>;

function changeOf(
	entry: { index: number; link: Link | undefined },
	what: LinkChange['what'],
	{ address, times = 1, ...rest }: Particulars,
): LinkChange {
	const interfaceName = what === 'name' ? rest.to : (entry.link?.name ?? String(entry.index));
	return { interfaceIndex: entry.index, interfaceName, what, address, times, ...rest };
}
