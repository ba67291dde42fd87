/** What happened to the director's own links and neighbours, from the octets of one record of link.bpf.c. PURE. */
import { formatAddress } from '../table/address.js';
import type { LinkEvent, Malformed, NeighbourEvent } from './event.js';
import { malformed, namesOf, printable } from './keys.js';
import { linkChange, linkEvent, neighbourEvent } from './layout.generated.js';

const changeNames = namesOf<LinkEvent['change']>(linkChange);

export function decodeLink(view: DataView, base: number, atUs: number): LinkEvent | Malformed {
	const change = changeNames.get(linkEvent.change.read(view, base));
	if (change === undefined) return malformed('an unknown change of a link');
	return {
		kind: 'link',
		atUs,
		interfaceIndex: linkEvent.interfaceIndex.read(view, base),
		interfaceName: printable(linkEvent.name.read(view, base)),
		change,
		value: linkEvent.value.read(view, base),
		otherIndex: linkEvent.otherIndex.read(view, base),
		changes: linkEvent.changes.read(view, base),
	};
}

export function decodeNeighbour(view: DataView, base: number, atUs: number): NeighbourEvent {
	return {
		kind: 'neighbour',
		atUs,
		address: formatAddress(neighbourEvent.address.read(view, base)),
		interfaceIndex: neighbourEvent.interfaceIndex.read(view, base),
		state: neighbourEvent.state.read(view, base),
	};
}
