/** A change of a link or a neighbour as a sentence, for the log and the journal. PURE. */
import type { LinkChange } from './links.js';

/** "carrier of eth1 went down", "neighbour 10.1.0.11 on eth1 failed". */
export function linkSentence(change: LinkChange): string {
	const { interfaceName: name, to } = change;
	switch (change.what) {
		case 'presence':
			return to === 'gone' ? `${name} is gone` : `${name} is there`;
		case 'name':
			return `${change.from} is now called ${to}`;
		case 'admin':
			return `${name} was set ${to}`;
		case 'carrier':
			return carrierSentence(change);
		case 'activeSlave':
			return to === 'none' ? `${name} has no active slave` : `${name} sends through ${to} and no longer ${change.from}`;
		case 'slave':
			return `${name}, a port of its bond, went from ${change.from} to ${to}`;
		case 'aggregator':
			return `${name} went from aggregator ${change.from} to ${to}`;
		case 'partner':
			return to === 'silent' ? `${name} has lost its LACP partner` : `${name} has an LACP partner again`;
		case 'speed':
			return `${name} went from ${change.from} to ${to} Mbit/s`;
		case 'neighbour':
			return neighbourSentence(change);
	}
}

function carrierSentence({ interfaceName, to, times }: LinkChange): string {
	const often = times > 1 ? ` after ${times} changes` : '';
	return to === 'down' ? `${interfaceName} lost its carrier${often}` : `${interfaceName} has its carrier again${often}`;
}

function neighbourSentence({ interfaceName, address, to }: LinkChange): string {
	if (to === 'failed') return `neighbour ${address} on ${interfaceName} has failed`;
	if (to === 'reachable') return `neighbour ${address} on ${interfaceName} is back`;
	return `neighbour ${address} on ${interfaceName} is not known any more`;
}
