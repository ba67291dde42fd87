/**
 * The director's own links, joined from their sources: hooks in the kernel where they attach, rtnetlink's notices, and
 * looks at everything at an interval and whenever the book is in doubt. Out come changes, each once, and the answer
 * to "is the way to this host impaired?". It judges nothing; ways are refreshed here because they need the kernel.
 */
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { monotonicNs } from '../addon/index.js';
import { type LinkCapture, type LinkPart, linkParts, openLink } from '../capture/link.js';
import type { EventSink } from '../capture/stream.js';
import type { KernelEvent } from '../decode/event.js';
import { linkSentence } from '../evidence/link-words.js';
import { LinkBook, type LinkChange } from '../evidence/links.js';
import { type Impairment, WayBook } from '../evidence/ways.js';
import type { Link, RouteChange } from '../netlink/route.js';
import type { ChangeHandlers, RouteClient, RouteGroup } from '../netlink/route-client.js';
import type { WatchView } from '../report/view.js';
import type { Config } from './config.js';
import { Paced } from './paced.js';

/** Longer than a hook runs before what it tells of is done (evidence/facet.ts): a second look then settles a doubt. */
const lookAgainMs = 25;
/** Looking takes at most a tenth of the time, however the links flap. */
const restAfterLook = 10;
/** Links and addresses change in bursts; the ways are asked for after each. */
const settleMs = 200;
/** Routes can also change by themselves: with each poll so many ways are asked for again, 16,384 hosts in ten minutes. */
const waysPerPoll = 256;

export type LinkRoutes = Pick<RouteClient, 'links' | 'neighbours' | 'routeTo' | 'subscribe'>;
export type LinkHooks = Pick<LinkCapture, 'parts' | 'isAttached' | 'setHosts' | 'retry' | 'losses' | 'close'>;

export interface LinksOptions {
	config: Pick<Config, 'linkIntervalMs'>;
	routes: LinkRoutes;
	log: Logger;
	onChange: (change: LinkChange) => void;
	/** The ways to hosts were asked for anew; `moved`: one of them leads elsewhere than before. */
	onWays: (moved: boolean) => void;
	onBatch?: EventSink['onBatch'];
}

/** What a test puts in the place of the kernel. */
export interface LinkSources {
	open: (onEvents: (events: KernelEvent[]) => void) => LinkHooks | undefined;
	speedOf: (link: Link) => Promise<number | undefined>;
	nowUs: () => number;
}

/** Opens everything and looks once, so that what is amiss at start is known; that is no change. Never throws. */
export async function openLinks(options: LinksOptions, sources = kernelSources(options)): Promise<Links> {
	const links = new Links(options, sources);
	await links.begin();
	return links;
}

export class Links {
	readonly #book = new LinkBook();
	readonly #ways = new WayBook(this.#book);
	readonly #hooks: LinkHooks | undefined;
	readonly #speeds = new Map<number, number>();
	#hosts: ReadonlySet<string> = new Set();
	#gateways: ReadonlySet<string> = new Set();
	/** Hosts in the order in which their ways are asked for again. */
	#round: string[] = [];
	#looking = false;
	#again = false;
	#restUntilUs = 0;
	#closed = false;
	#timer: NodeJS.Timeout | undefined;
	#poll: NodeJS.Timeout | undefined;
	#rounds: Promise<void> = Promise.resolve();
	readonly #refresh = new Paced(() => this.#askWays([...this.#hosts]), settleMs);
	#unsubscribe: () => void = () => {};

	constructor(
		private readonly options: LinksOptions,
		private readonly sources: LinkSources,
	) {
		this.#hooks = sources.open((events) => this.#hear(events));
	}

	/** Listens before it looks: what changes in between is in one of the two. */
	async begin(): Promise<void> {
		// The hook tells of the few neighbours that count, rtnetlink of all that there are.
		const groups: RouteGroup[] = this.#hooks?.isAttached('neighbour')
			? ['link', 'ipv4Address', 'ipv6Address']
			: ['link', 'neighbour', 'ipv4Address', 'ipv6Address'];
		const handlers: ChangeHandlers = {
			onChange: (notice) => this.#notice(notice),
			onLost: () => this.#wantLook(0),
			onError: (error) =>
				this.options.log.error(
					{ err: error },
					'rtnetlink tells nothing of links any more: they are looked at every few seconds only',
				),
		};
		this.#unsubscribe = this.options.routes.subscribe(handlers, groups);
		await this.#look(true);
		this.#poll = setInterval(() => this.#onPoll(), this.options.config.linkIntervalMs);
	}

	/** The hooks' parts, attached or not, and what they lost; undefined where none could be opened. */
	get hooks(): LinkHooks | undefined {
		return this.#hooks;
	}

	/** Each part of the hooks, attached or not. Without the module bonding there is no bond to watch. */
	watching(): WatchView[] {
		const parts: readonly { part: LinkPart; attached: boolean; code?: string }[] =
			this.#hooks?.parts ?? linkParts.map((part) => ({ part, attached: false }));
		const wanted = parts.filter(({ code }) => code !== 'NO_BONDING');
		return wanted.map(({ part, attached }) => ({ vantage: 'link', hook: part, attached }));
	}

	/** The real servers' addresses; the ways to new ones are known when it resolves. */
	async setHosts(hosts: readonly string[]): Promise<void> {
		this.#hosts = new Set(hosts);
		this.#ways.retain(this.#hosts);
		await this.#askWays(hosts.filter((host) => !this.#ways.has(host)));
	}

	/** Undefined where the way is well, as far as can be known. */
	impairment(host: string): Impairment | undefined {
		return this.#ways.impairment(host);
	}

	/** Whether ways to hosts lead over it: the failure of any other neighbour impairs no way. */
	isGateway(address: string): boolean {
		return this.#gateways.has(address);
	}

	/** See WayBook.interfaces. */
	states(): { name: string; up: boolean }[] {
		return this.#ways.interfaces();
	}

	close(): void {
		this.#closed = true;
		clearInterval(this.#poll);
		clearTimeout(this.#timer);
		this.#refresh.close();
		this.#unsubscribe();
		this.#hooks?.close();
	}

	#hear(events: readonly KernelEvent[]): void {
		for (const event of events)
			if (event.kind === 'link' || event.kind === 'neighbour') this.#tell(this.#book.hearEvent(event));
		this.#settleDoubt();
	}

	#notice(notice: RouteChange): void {
		if (notice.kind === 'address') this.#refresh.want();
		this.#tell(this.#book.hearNotice(notice, this.sources.nowUs()));
		if (this.#book.takeDoubt()) this.#wantLook(0);
	}

	#settleDoubt(): void {
		if (this.#book.takeDoubt()) this.#wantLook(lookAgainMs);
	}

	#tell(changes: readonly LinkChange[]): void {
		for (const change of changes) {
			this.options.log.info(logFields(change), linkSentence(change));
			this.options.onChange(change);
		}
		if (changes.some(({ what }) => what !== 'neighbour' && what !== 'speed')) this.#refresh.want();
	}

	#onPoll(): void {
		if (this.#hooks?.retry()) this.options.log.info('bonding was loaded: its hooks are attached');
		void this.#look(true);
		if (this.#round.length === 0) this.#round = [...this.#hosts];
		void this.#askWays(this.#round.splice(0, waysPerPoll));
	}

	#wantLook(delayMs: number): void {
		if (this.#closed) return;
		if (this.#looking) {
			this.#again = true;
			return;
		}
		const restMs = (this.#restUntilUs - this.sources.nowUs()) / 1_000;
		this.#timer ??= setTimeout(
			() => {
				this.#timer = undefined;
				void this.#look(false);
			},
			Math.max(delayMs, restMs),
		);
	}

	/** One at a time. Neighbours can be many: they are asked for in each poll, and else only where no hook tells of them. */
	async #look(isPoll: boolean): Promise<void> {
		if (this.#looking || this.#closed) return;
		this.#looking = true;
		this.#again = false;
		const askedUs = this.sources.nowUs();
		try {
			await this.#see(isPoll, askedUs);
		} catch (error) {
			if (!this.#closed) this.options.log.error({ err: error }, 'the links could not be looked at; trying again');
		}
		this.#looking = false;
		const nowUs = this.sources.nowUs();
		this.#restUntilUs = nowUs + (nowUs - askedUs) * restAfterLook;
		if (this.#book.takeDoubt() || this.#again) this.#wantLook(lookAgainMs);
	}

	async #see(isPoll: boolean, askedUs: number): Promise<void> {
		const { routes } = this.options;
		const links = await routes.links();
		const wantsNeighbours = this.#hosts.size > 0 && (isPoll || !this.#hooks?.isAttached('neighbour'));
		const neighbours = wantsNeighbours ? await routes.neighbours() : undefined;
		const answeredUs = this.sources.nowUs();
		if (isPoll) await this.#readSpeeds(links);
		if (!this.#closed) this.#tell(this.#book.see({ askedUs, answeredUs, links, neighbours, speeds: this.#speeds }));
	}

	/** rtnetlink does not carry the speed. A veth's is made up, a VLAN's its parent's: hardware and bonds are asked. */
	async #readSpeeds(links: readonly Link[]): Promise<void> {
		this.#speeds.clear();
		for (const link of links) {
			if (link.kind !== '' && link.kind !== 'bond') continue;
			const speed = await this.sources.speedOf(link);
			if (speed !== undefined) this.#speeds.set(link.index, speed);
		}
	}

	/** One round after the other: new hosts, those whose turn it is and all of them are asked for by different people. */
	#askWays(hosts: readonly string[]): Promise<void> {
		this.#rounds = this.#rounds.then(() => this.#askRound(hosts));
		return this.#rounds;
	}

	async #askRound(hosts: readonly string[]): Promise<void> {
		let moved = false;
		try {
			for (const host of hosts) {
				const way = await this.options.routes.routeTo(host);
				if (this.#closed) return;
				if (this.#hosts.has(host) && this.#ways.setWay(host, way, this.sources.nowUs())) moved = true;
			}
		} catch (error) {
			if (this.#closed) return;
			this.options.log.error({ err: error }, 'the ways to the real servers are not known; trying again');
			return;
		}
		const nextHops = this.#ways.nextHops();
		this.#gateways = this.#ways.gateways();
		this.#book.watch(nextHops);
		const refused = this.#hooks?.setHosts(nextHops).refused ?? 0;
		if (refused > 0)
			this.options.log.error({ refused }, 'more neighbours than the kernel can watch: these are only polled');
		this.options.onWays(moved);
	}
}

function logFields({ interfaceName, what, address, from, to, times, by, atUs }: LinkChange): Record<string, unknown> {
	return { interface: interfaceName, what, address, from, to, times, by, atUs };
}

function kernelSources({ log, onBatch }: LinksOptions): LinkSources {
	return {
		open: (onEvents) => openHooks(log, onEvents, onBatch),
		speedOf: speedFromSysfs,
		nowUs: () => Number(monotonicNs() / 1_000n),
	};
}

/** A director without bonds lacks nothing where the hooks on bonds are missing. */
function openHooks(
	log: Logger,
	onEvents: (events: KernelEvent[]) => void,
	onBatch: EventSink['onBatch'],
): LinkHooks | undefined {
	const onError = (error: Error) => log.error({ err: error }, 'the link events could not be read');
	const hooks = openLink({ onEvents, onBatch, onError });
	if (!hooks.available) {
		const { reason, remedy } = hooks;
		log.warn({ reason, remedy }, 'links are heard of by rtnetlink only, which is later');
		return undefined;
	}
	for (const part of hooks.parts)
		if (!part.attached && part.code !== 'NO_BONDING')
			log.warn(
				{ part: part.part, reason: part.reason, remedy: part.remedy },
				'these changes are heard of by rtnetlink only, which is later',
			);
	return hooks;
}

/**
 * Mbit/s. /sys/class/net shows the network namespace of whoever mounted it: an interface of that name there may be
 * another one, which its index betrays. EINVAL while the link is down, -1 where the driver does not know
 * (net/core/net-sysfs.c).
 */
async function speedFromSysfs({ name, index }: Link): Promise<number | undefined> {
	try {
		const read = async (file: string) => Number(await readFile(`/sys/class/net/${name}/${file}`, 'utf8'));
		if ((await read('ifindex')) !== index) return undefined;
		const speed = await read('speed');
		return speed > 0 ? speed : undefined;
	} catch {
		return undefined;
	}
}
