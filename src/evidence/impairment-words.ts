/** Why a host is not judged, as the end of a sentence: "the way to it leads over eth1, which has no carrier". PURE. */
import type { Impairment } from './ways.js';

/** "eth1 has no carrier": the same words for every host behind it. */
export function impairmentWords({ reason, interfaceName, address }: Impairment): string {
	switch (reason) {
		case 'no-route':
			return 'there is no route';
		case 'interface-gone':
			return `${interfaceName} is gone`;
		case 'interface-down':
			return `${interfaceName} is set down`;
		case 'no-carrier':
			return `${interfaceName} has no carrier`;
		case 'no-active-slave':
			return `${interfaceName} has no active slave`;
		case 'partner-silent':
			return `${interfaceName} has lost its LACP partner`;
		case 'neighbour-failed':
			return `${address} on ${interfaceName} answers no ARP or neighbour solicitation`;
	}
}
