/**
 * Brings the director's own links before the judge: which hosts cannot be reached through a fault of the director's
 * own (nobody there is blamed), and which neighbour has failed by itself (that speaks against it). It decides nothing.
 */
import { impairmentWords } from '../evidence/impairment-words.js';
import type { LinkChange } from '../evidence/links.js';
import type { Impairment } from '../evidence/ways.js';
import type { Snapshot } from '../table/model.js';
import { type LinkSources, type Links, type LinksOptions, openLinks } from './links.js';
import type { Message } from './loop.js';

export interface WaysOptions extends Omit<LinksOptions, 'onChange' | 'onWays'> {
	/** Where what the judge has to hear goes. */
	feed: (message: Message) => void;
	/** A host is reached over another interface or router than before: who watches the way has to look again. */
	onMoved: () => void;
	/** A real server's entry in the neighbour table has failed. */
	onNeighbourFailed: (address: string) => void;
}

export class Ways {
	/** Opens the links and looks once. Never throws. */
	static async open(options: WaysOptions, sources?: LinkSources): Promise<Ways> {
		const ways = new Ways(options);
		const { config, routes, log, onBatch } = options;
		const onChange = (change: LinkChange) => ways.#changed(change);
		const onWays = (moved: boolean) => ways.#asked(moved);
		ways.#links = await openLinks({ config, routes, log, onChange, onWays, onBatch }, sources);
		return ways;
	}

	readonly #options: WaysOptions;
	#links: Links | undefined;
	#hosts: ReadonlySet<string> = new Set();
	/** As text, to see at once whether they are others. */
	#hostsText = '';
	#impaired: ReadonlyMap<string, string> = new Map();

	private constructor(options: WaysOptions) {
		this.#options = options;
	}

	/** Undefined until they are opened. */
	get links(): Links | undefined {
		return this.#links;
	}

	/** Knows the ways to the table's hosts when it resolves. */
	async follow({ services }: Snapshot): Promise<void> {
		const hosts = new Set(services.flatMap(({ destinations }) => destinations.map(({ address }) => address)));
		const text = [...hosts].join();
		if (text === this.#hostsText) return;
		this.#hostsText = text;
		this.#hosts = hosts;
		await this.#links?.setHosts([...hosts]);
	}

	close(): void {
		this.#links?.close();
	}

	/**
	 * The impairment first: a neighbour that fails because our link is down must not be blamed in between. Servers fail by
	 * the thousand where a switch dies, which is no reason to look at every way for each.
	 */
	#changed({ what, to, address }: LinkChange): void {
		const isServer = what === 'neighbour' && address !== undefined && !this.#links?.isGateway(address);
		if (!isServer) this.#compare();
		const failed = what === 'neighbour' && to === 'failed' && address !== undefined;
		if (failed && this.#hosts.has(address)) this.#options.onNeighbourFailed(address);
	}

	#asked(moved: boolean): void {
		this.#compare();
		if (moved) this.#options.onMoved();
	}

	#compare(): void {
		const impaired = new Map<string, string>();
		for (const host of this.#hosts) {
			const impairment = this.#links?.impairment(host);
			if (impairment && isOurs(impairment, host)) impaired.set(host, impairmentWords(impairment));
		}
		if (sameEntries(impaired, this.#impaired)) return;
		this.#impaired = impaired;
		this.#options.feed({ kind: 'ways', impaired });
	}
}

/** A server that has vanished is its own fault; a gateway that has is the director's, for all that it knows. */
function isOurs({ reason, address }: Impairment, host: string): boolean {
	return reason !== 'neighbour-failed' || address !== host;
}

function sameEntries(these: ReadonlyMap<string, string>, those: ReadonlyMap<string, string>): boolean {
	return these.size === those.size && [...these].every(([key, value]) => those.get(key) === value);
}
