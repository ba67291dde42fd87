/**
 * "Is the way to this host impaired?": from the book of links and the routes, whether a real server's silence may be
 * the director's own fault, and since when. The judge freezes by it; nothing here decides. PURE.
 */
import type { Route } from '../netlink/route-lookup.js';
import type { Facet } from './facet.js';
import type { BookedLink, LinkBook, LinkFacet } from './links.js';

/** How the kernel would reach a host. */
export type Way = Pick<Route, 'kind' | 'interfaceIndex' | 'gateway'>;

export type ImpairmentReason =
	| 'no-route'
	| 'interface-gone'
	| 'interface-down'
	| 'no-carrier'
	| 'no-active-slave'
	| 'partner-silent'
	| 'neighbour-failed';

export interface Impairment {
	reason: ImpairmentReason;
	/** The interface that is at fault, which may lie below the one that the route names; empty without a route. */
	interfaceName: string;
	/** The failed neighbour: the host itself, or the gateway to it. */
	address: string | undefined;
	/** CLOCK_MONOTONIC, microseconds; undefined where it was so when ipvigil first looked. */
	sinceUs: number | undefined;
}

/** A VLAN on a macvlan on a bond is three; a stack of more than this is not followed further down. */
const stackMax = 8;

/** Bonds in other modes send through every slave that is up, and never name one. */
const modesWithActiveSlave: ReadonlySet<string> = new Set(['active-backup', 'balance-tlb', 'balance-alb']);

export class WayBook {
	readonly #book: LinkBook;
	readonly #ways = new Map<string, { way: Way | undefined; sinceUs: number | undefined }>();

	constructor(book: LinkBook) {
		this.#book = book;
	}

	/** The hosts' next hops: whose neighbour entries to watch. */
	nextHops(): string[] {
		return [...new Set([...this.#ways].map(([host, { way }]) => way?.gateway ?? host))];
	}

	/** The routers among them. */
	gateways(): Set<string> {
		return new Set([...this.#ways.values()].flatMap(({ way }) => way?.gateway ?? []));
	}

	/** Forgets every other host. */
	retain(hosts: ReadonlySet<string>): void {
		for (const host of this.#ways.keys()) if (!hosts.has(host)) this.#ways.delete(host);
	}

	has(host: string): boolean {
		return this.#ways.has(host);
	}

	/**
	 * The kernel's answer for a host; undefined where there is no route. The route to a network of the director's own
	 * goes with its interface, and the default route takes its place, which leads nowhere: the way that was is kept as
	 * long as its interface is lost. True where the host was known, and is now reached another way.
	 */
	setWay(host: string, way: Way | undefined, atUs: number): boolean {
		const known = this.#ways.get(host);
		if (known?.way && known.way.gateway === undefined && (way === undefined || way.gateway !== undefined))
			if (this.#interfaceTrouble(known.way.interfaceIndex)) return false;
		const isNews = known !== undefined && known.way !== undefined && way === undefined;
		this.#ways.set(host, { way, sinceUs: isNews ? atUs : known?.sinceUs });
		return known !== undefined && !isSameWay(known.way, way);
	}

	/** Undefined where the way is well, as far as can be known; and of hosts that were never listed. */
	impairment(host: string): Impairment | undefined {
		const known = this.#ways.get(host);
		if (!known) return undefined;
		const { way, sinceUs } = known;
		if (way?.kind === 'local') return undefined;
		if (way?.kind !== 'unicast') return { reason: 'no-route', interfaceName: '', address: undefined, sinceUs };
		return this.#interfaceTrouble(way.interfaceIndex) ?? this.#neighbourTrouble(way, way.gateway ?? host);
	}

	/**
	 * The interfaces that ways lead over, what those sit on, and the ports of bonds among them: up where nothing is known
	 * that would impair a way. One that is gone is not up, as long as a way leads there and no other has its name.
	 */
	interfaces(): { name: string; up: boolean }[] {
		const wanted = this.#interfacesOfWays();
		const up = new Map([...wanted].flatMap((index) => this.#book.gone(index) ?? []).map(({ name }) => [name, false]));
		for (const { index, link } of this.#book.links())
			if (wanted.has(index) || wanted.has(link.masterIndex))
				up.set(link.name, this.#interfaceTrouble(index) === undefined);
		return Array.from(up, ([name, up]) => ({ name, up }));
	}

	#interfacesOfWays(): Set<number> {
		const wanted = new Set(
			[...this.#ways.values()].flatMap(({ way }) => (way?.kind === 'unicast' ? way.interfaceIndex : [])),
		);
		for (const index of wanted) {
			const { parentIndex } = this.#book.link(index)?.link ?? this.#book.gone(index) ?? { parentIndex: 0 };
			if (parentIndex !== 0) wanted.add(parentIndex);
		}
		return wanted;
	}

	#neighbourTrouble({ interfaceIndex }: Way, address: string): Impairment | undefined {
		const facet = this.#book.neighbour(interfaceIndex, address);
		if (facet?.value !== 'failed') return undefined;
		const interfaceName = this.#book.link(interfaceIndex)?.link.name ?? '';
		return { reason: 'neighbour-failed', interfaceName, address, sinceUs: facet.changedUs };
	}

	/** Of the interface, or of what it sits on: the carrier of a VLAN is lost a while after that of the interface below. */
	#interfaceTrouble(index: number, depth = 0): Impairment | undefined {
		const booked = this.#book.link(index);
		if (!booked) return this.#goneTrouble(index);
		const own = facetTrouble(booked) ?? this.#bondTrouble(booked);
		if (own) return own;
		const { parentIndex } = booked.link;
		return parentIndex === 0 || depth === stackMax ? undefined : this.#interfaceTrouble(parentIndex, depth + 1);
	}

	/** An interface that is not in the book and never was is too new to be judged. */
	#goneTrouble(index: number): Impairment | undefined {
		const gone = this.#book.gone(index);
		return gone && { reason: 'interface-gone', interfaceName: gone.name, address: undefined, sinceUs: gone.sinceUs };
	}

	/** A bond notices that its slaves are dead by polling them (miimon); here it is dead with the last of them. */
	#bondTrouble(booked: BookedLink): Impairment | undefined {
		const { mode } = booked.link.bond ?? {};
		if (mode === undefined) return undefined;
		const active = booked.facets.get('activeSlave');
		if (modesWithActiveSlave.has(mode) && active?.value === '0') return trouble(booked, 'no-active-slave', active);
		const partner = booked.facets.get('partner');
		if (isLost(partner)) return trouble(booked, 'partner-silent', partner);
		const slaves = [...this.#book.links()].filter(({ link }) => link.masterIndex === booked.index);
		const faults = slaves.flatMap((slave) => slaveFault(slave) ?? []);
		if (slaves.length === 0 || faults.length < slaves.length) return undefined;
		const isDark = faults.every(({ value }) => value === 'down');
		return { ...trouble(booked, isDark ? 'no-carrier' : 'partner-silent', undefined), sinceUs: latest(faults) };
	}
}

/** A bond that never had a partner may be meant so; one that lost it is cut off by most switches. */
function isLost(partner: Facet | undefined): boolean {
	return partner?.value === 'silent' && partner.changedUs !== undefined;
}

/** Why nothing gets through it; a slave hears no partner for three seconds before the bond gives that up. */
function slaveFault({ facets }: BookedLink): Facet | undefined {
	const [carrier, partner] = [facets.get('carrier'), facets.get('partner')];
	if (carrier?.value === 'down') return carrier;
	return isLost(partner) ? partner : undefined;
}

const facetReasons: [LinkFacet, ImpairmentReason][] = [
	['admin', 'interface-down'],
	['carrier', 'no-carrier'],
];

function isSameWay(one: Way | undefined, other: Way | undefined): boolean {
	return one?.kind === other?.kind && one?.interfaceIndex === other?.interfaceIndex && one?.gateway === other?.gateway;
}

function facetTrouble(booked: BookedLink): Impairment | undefined {
	for (const [what, reason] of facetReasons) {
		const facet = booked.facets.get(what);
		if (facet?.value === 'down') return trouble(booked, reason, facet);
	}
	return undefined;
}

function trouble(booked: BookedLink, reason: ImpairmentReason, facet: Facet | undefined): Impairment {
	return { reason, interfaceName: booked.link.name, address: undefined, sinceUs: facet?.changedUs };
}

/** A bond is dead since its last slave died; unknown where one was dead from the start and none died later. */
function latest(facets: (Facet | undefined)[]): number | undefined {
	const times = facets.flatMap((facet) => facet?.changedUs ?? []);
	return times.length === 0 ? undefined : Math.max(...times);
}
