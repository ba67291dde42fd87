/**
 * The table of scenarios: everything that ipvigil can say, each with its name and its sentence. The journal, the
 * metric labels, notifications and `explain` all take their words from here. PURE.
 */
import type { SignalName } from '../evidence/signal.js';
import type { JournalEntry } from './action.js';

type Facts = JournalEntry['facts'];
type Sentence = (who: string, facts: Facts) => string;

const times = (n: unknown, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`;

/** One signal in the words of each sentence that may speak of it. */
interface SignalWords {
	seen: (facts: Facts) => string;
	habit: string;
	innocent: string;
	over: string;
	happened: string;
}

const fromNetworks = (f: Facts) => `from ${times(f.clientPrefixes, 'client network')}`;

const signalWords: Record<SignalName, SignalWords> = {
	refusal: {
		seen: (f) => `refused ${f.client}: ${times(f.count, 'refusal')} ${fromNetworks(f)}`,
		habit: 'refuses clients',
		innocent: 'it is refused for some clients only',
		over: 'refused nobody',
		happened: 'clients were refused',
	},
	unreachable: {
		seen: (f) => `cannot be reached${f.client ? ` for ${f.client}` : ''}: ${f.detail}`,
		habit: 'cannot be reached',
		innocent: 'it cannot be reached for some packets only',
		over: 'was reported unreachable by nobody',
		happened: 'it was reported unreachable',
	},
	'syn-repeated': {
		seen: (f) => `does not answer ${f.client}: ${times(f.count, 'SYN')} sent again ${fromNetworks(f)}`,
		habit: 'does not answer clients',
		innocent: 'it does not answer some clients only',
		over: 'let nobody repeat a SYN',
		happened: 'clients were not answered',
	},
	overdue: {
		seen: (f) => `accepts nobody of late: ${f.detail}`,
		habit: 'accepts nobody',
		innocent: 'its clients are slow or gone',
		over: 'let nobody wait',
		happened: 'it accepted no client any more',
	},
	'data-repeated': {
		seen: (f) => `acknowledges nothing of ${f.client} any more: data sent again`,
		habit: 'acknowledges no data',
		innocent: 'some packets were lost',
		over: 'let nobody repeat data',
		happened: 'data of clients was not acknowledged',
	},
	'neighbour-failed': {
		seen: () => 'has vanished from its network: it answers no ARP or neighbour solicitation',
		habit: 'does not answer on its network',
		innocent: 'it was lost from the neighbour table for a moment only',
		over: 'was missed by no neighbour',
		happened: 'it vanished from its network',
	},
	outlier: {
		seen: (f) => `completes fewer handshakes than the others of its service: ${f.detail}`,
		habit: 'completes few handshakes',
		innocent: 'it fails some clients only',
		over: 'was no outlier',
		happened: 'it completed far fewer handshakes than the others',
	},
	'brown-out': {
		seen: (f) => `accepts and does not answer: ${f.detail}`,
		habit: 'leaves requests unanswered',
		innocent: 'it answers us',
		over: 'answered as before',
		happened: 'it left requests unanswered',
	},
};

/** The facts carry the signal's name; a lease of an earlier ipvigil may know none. */
function words({ signal }: Facts): SignalWords {
	return signalWords[signal as SignalName] ?? signalWords.refusal;
}

/** What a probe met, where its name is no participle that a sentence can end with. */
const probeWords: Record<string, string> = { hung: 'accepted and never answered' };

export const scenarios = {
	suspect: (who, f) =>
		`${who} ${words(f).seen(f)}; ${f.asked ? 'asking the server itself' : 'nobody can be asked over its protocol, so it is only told'}.`,
	'cannot-confirm': (who, f) =>
		`${who} ${words(f).habit}, but no probe can confirm it (${f.why}); it keeps its weight.`,
	acquitted: (who, f) => `${who} accepts our probe: ${words(f).innocent}, and keeps its weight.`,
	'suspicion-over': (who, f) => `${who} ${words(f).over} for a while: no longer suspect.`,
	failed: (who, f) =>
		f.by === 'evidence'
			? `${who} has failed: ${words(f).happened}, and that is proof enough: ${f.why}.`
			: `${who} has failed: ${words(f).happened} and our probe was ${probeWords[String(f.probe)] ?? f.probe}.`,
	'brown-out': (who, f) => `${who} accepts clients and does not answer them: ${f.detail}.`,
	'brown-out-over': (who) => `${who}: no more requests are seen to stay without an answer.`,
	frozen: (who, f) =>
		`${who}: ${f.failed} of ${f.destinations} destinations failed within ${f.windowSeconds} s. That may be the director's own fault, so nothing more of it is taken out.`,
	thawed: (who, f) =>
		`${who}: ${f.failed} of ${f.destinations} destinations are failed now; it is judged as before, after ${f.frozenSeconds} s.`,
	quiesced: (who, f) =>
		`${who}: weight ${f.owed} set to ${f.written} under a lease of ${f.leaseSeconds} s, because it has failed${f.caveat}.`,
	reduced: (who, f) =>
		`${who}: weight ${f.owed} reduced to ${f.written} under a lease of ${f.leaseSeconds} s, because it has failed${f.caveat}.`,
	'quiesce-dry-run': (who, f) =>
		`${who}: would set weight ${f.owed} to ${f.written} for ${f.leaseSeconds} s (dry run: nothing was written).`,
	'monitor-asked-dry-run': (who, f) =>
		`${who}: would ask the monitor to take it out for ${f.leaseSeconds} s (dry run).`,
	'monitor-asked': (who, f) => `${who}: the monitor was asked to take it out for ${f.leaseSeconds} s.`,
	'observed-only': (who, f) => `${who} has failed; nothing was done, because of ${f.because}.`,
	overflow: (who, f) => `${who} has failed but stays in: ${f.why}.`,
	'held-back': (who, f) => `${who} has failed but stays in: the operator holds it (${f.reason}).`,
	'put-in': (who, f) =>
		`${who}: ${f.by} gives it weight, which is newer than what spoke against it: it counts as serving.`,
	'write-failed': (who, f) => `${who}: the weight could not be written (${f.detail}); ${f.next}.`,
	recovering: (who) => `${who} accepts our probe again.`,
	'step-up': (who, f) => `${who}: weight ${f.written} of ${f.owed} given back (${f.why}).`,
	'given-back': (who, f) => `${who}: weight ${f.owed} given back after ${f.outageSeconds} s, because ${f.why}.`,
	'give-back-dry-run': (who, f) =>
		`${who}: would give weight ${f.owed} back, because ${f.why} (dry run: it stood all the time).`,
	'returned-to-monitor': (who, f) => `${who}: the monitor judges alone again, because ${f.why}.`,
	'with-monitor': (who, f) => `${who}: ${f.by} took it out, as we asked; the weight is the monitor's now.`,
	yielded: (who, f) =>
		`${who}: ${f.by} wrote it (${f.what}), so the lease is over and we keep our hands off for ${f.holdDownSeconds} s.`,
	gone: (who) => `${who} was removed from the table; the lease is over.`,
	renewed: (who, f) => `${who} still refuses our probe: lease renewed for ${f.leaseSeconds} s.`,
	'cap-reached': (who, f) =>
		`${who} has been out for ${f.outageSeconds} s, the most a lease may last: giving it back although it still refuses. The monitor must decide.`,
	'way-impaired': (_, f) =>
		`${times(f.hosts, 'host')} cannot be judged, because the fault is the director's own: ${f.why}.`,
	'way-restored': (_, f) =>
		`${times(f.hosts, 'host')} can be judged again: it is over that ${f.why}. Their silence counts once they have answered, or in ${f.graceSeconds} s.`,
	resumed: (who, f) => `${who}: lease of an earlier ipvigil (pid ${f.pid}) resumed; asking the server.`,
	'resume-dropped': (who, f) => `${who}: lease of an earlier ipvigil dropped, because ${f.why}.`,
	held: (who, f) =>
		`${who} is ${f.remembered ? 'still ' : ''}held ${f.holdSeconds === undefined ? 'until it is resumed' : `for ${f.holdSeconds} s`} (${f.reason}): only watched and told, not taken out.`,
	'hold-over': (who, f) => `${who} is no longer held: ${f.why}.`,
} satisfies Record<string, Sentence>;

export type ScenarioName = keyof typeof scenarios;

export function sentence(name: ScenarioName, who: string, facts: Facts): string {
	return scenarios[name](who, facts);
}
