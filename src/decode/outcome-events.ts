/** What became of connection attempts, from the octets of one record of outcome.bpf.c. PURE. */
import { formatAddress } from '../table/address.js';
import type { LearnedEvent, Malformed, Outcome, OutcomeCounters, OutcomeEvent } from './event.js';
import { malformed, namesOf, readDestinationKey, readEndpoint, readService } from './keys.js';
import {
	destinationKey,
	learnedEvent,
	outcomeCounters,
	outcomeEvent,
	outcome as outcomeNumbers,
} from './layout.generated.js';

const outcomeNames = namesOf<Outcome>(outcomeNumbers);

export function readOutcomeCounters(view: DataView, base: number): OutcomeCounters {
	return {
		scheduled: outcomeCounters.scheduled.read(view, base),
		accepted: outcomeCounters.accepted.read(view, base),
		asked: outcomeCounters.asked.read(view, base),
		answered: outcomeCounters.answered.read(view, base),
		refused: outcomeCounters.refused.read(view, base),
		synRepeated: outcomeCounters.synRepeated.read(view, base),
		unanswered: outcomeCounters.unanswered.read(view, base),
		dataRepeated: outcomeCounters.dataRepeated.read(view, base),
		resets: outcomeCounters.resets.read(view, base),
		gaveUp: outcomeCounters.gaveUp.read(view, base),
		withdrawn: outcomeCounters.withdrawn.read(view, base),
		lastAcceptedNs: outcomeCounters.lastAcceptedNs.read(view, base),
	};
}

export function decodeOutcome(view: DataView, base: number, atUs: number): OutcomeEvent | Malformed {
	const outcome = outcomeNames.get(outcomeEvent.outcome.read(view, base));
	const key = base + outcomeEvent.key.offset;
	const service = readService(view, key, destinationKey.fwmark.read(view, key));
	const destination = outcome === 'noDestination' ? undefined : readDestinationKey(view, key)?.destination;
	if (outcome === undefined || service === undefined) return malformed('an unknown outcome, or one of no service');
	return {
		kind: 'outcome',
		atUs,
		outcome,
		service,
		destination,
		client: formatAddress(outcomeEvent.client.read(view, base)),
		clientPort: outcomeEvent.clientPort.read(view, base),
		serverPort: outcomeEvent.serverPort.read(view, base),
		suppressed: outcomeEvent.suppressed.read(view, base),
		waiting: outcomeEvent.waiting.read(view, base),
		waitingUs: outcomeEvent.waitingUs.read(view, base),
		counters: readOutcomeCounters(view, base + outcomeEvent.counters.offset),
	};
}

export function decodeLearned(view: DataView, base: number, atUs: number): LearnedEvent | Malformed {
	const names = readDestinationKey(view, base + learnedEvent.key.offset);
	const endpoint = readEndpoint(view, base + learnedEvent.endpoint.offset);
	if (names === undefined || endpoint === undefined) return malformed('a learned endpoint of an unknown protocol');
	return { kind: 'learned', atUs, ...names, endpoint };
}
