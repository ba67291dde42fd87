/**
 * At which layer of stacked interfaces to look. A packet passes a bond's port and then the bond, a VLAN's parent and
 * then the VLAN: whoever watches both counts it twice. So of what is wanted, a VLAN gives way to its parent, which sees
 * the VLAN's packets and others, and a port to its bond, team or bridge, which other ports may join at any time.
 *
 * Native XDP runs in a driver, below all that: a VLAN or macvlan becomes its parent, and a bond its ports. On the bond
 * itself it would work in some modes only, and forbid the administrator to change the mode or to add a port without XDP
 * (drivers/net/bonding/bond_main.c, bond_xdp_set). It touches no interface; it is given links as rtnetlink shows them.
 */
import type { Link } from '../netlink/route.js';
import type { AttachPolicy } from './attach.js';

export type StackedLink = Pick<Link, 'index' | 'name' | 'kind' | 'masterIndex' | 'parentIndex'>;

/** Masters that their ports' packets pass under the master's name. A VRF only gives its ports another table. */
const aggregates = new Set(['bond', 'team', 'bridge']);

/** More layers than anybody stacks: a chain that comes back to itself while the list was read ends here. */
const layersMax = 8;

/** One reading of all links. */
class Stack {
	readonly #links: readonly StackedLink[];
	readonly #byIndex: ReadonlyMap<number, StackedLink>;

	constructor(links: readonly StackedLink[]) {
		this.#links = links;
		this.#byIndex = new Map(links.map((link) => [link.index, link]));
	}

	parentOf(link: StackedLink): StackedLink | undefined {
		return this.#byIndex.get(link.parentIndex);
	}

	aggregateOf(link: StackedLink): StackedLink | undefined {
		const master = this.#byIndex.get(link.masterIndex);
		return master && aggregates.has(master.kind) ? master : undefined;
	}

	portsOf(bond: StackedLink): StackedLink[] {
		return this.#links.filter(({ masterIndex }) => masterIndex === bond.index);
	}

	/** What has a driver beneath this link: under a VLAN its parent, under a bond its ports; else the link itself. */
	driversOf(link: StackedLink, depth = 0): StackedLink[] {
		const parent = this.parentOf(link);
		const below = parent ? [parent] : link.kind === 'bond' ? this.portsOf(link) : [];
		if (below.length === 0 || depth === layersMax) return [link];
		return below.flatMap((lower) => this.driversOf(lower, depth + 1));
	}

	/** The links that one comes to by taking the same step again and again. */
	*along(link: StackedLink, step: (from: StackedLink) => StackedLink | undefined): Generator<StackedLink> {
		let next = step(link);
		for (let depth = 0; next !== undefined && depth < layersMax; depth++) {
			yield next;
			next = step(next);
		}
	}

	/** Whether what this link receives passes one of `chosen` as well. */
	passes(link: StackedLink, chosen: ReadonlySet<number>): boolean {
		const others = [
			...this.along(link, (from) => this.parentOf(from)),
			...this.along(link, (from) => this.aggregateOf(from)),
		];
		return others.some(({ index }) => index !== link.index && chosen.has(index));
	}
}

/**
 * The interfaces to attach to so that the packets of `names` are seen once each. A name that is no interface (yet)
 * stays, so that it can be told of.
 */
export function attachable(names: readonly string[], links: readonly StackedLink[], policy: AttachPolicy): string[] {
	const stack = new Stack(links);
	const byName = new Map(links.map((link) => [link.name, link]));
	const wanted = names.flatMap((name) => byName.get(name) ?? []);
	const chosen = policy === 'xdp' ? wanted.flatMap((link) => stack.driversOf(link)) : wanted;
	const indexes = new Set(chosen.map(({ index }) => index));
	const once = chosen.filter((link) => !stack.passes(link, indexes)).map(({ name }) => name);
	return [...new Set([...once, ...names.filter((name) => !byName.has(name))])];
}
