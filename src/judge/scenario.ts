/**
 * The table of scenarios: everything that ipvigil can say, each with its name and its sentence. The journal, the
 * metric labels, notifications and `explain` all take their words from here. PURE.
 */
import type { JournalEntry } from './action.js';

type Facts = JournalEntry['facts'];
type Sentence = (who: string, facts: Facts) => string;

const times = (n: unknown, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`;

export const scenarios = {
	suspect: (who, f) =>
		`${who} refused ${f.client}: ${times(f.refusals, 'refusal')} from ${times(f.clientPrefixes, 'client network')}; asking the server itself.`,
	'cannot-confirm': (who, f) => `${who} refuses clients, but no probe can confirm it (${f.why}); it keeps its weight.`,
	acquitted: (who) => `${who} accepts our probe: it is refused for some clients only, and keeps its weight.`,
	'suspicion-over': (who) => `${who} refused nobody for a while: no longer suspect.`,
	failed: (who, f) => `${who} has failed: clients were refused and our probe was ${f.probe}.`,
	quiesced: (who, f) =>
		`${who}: weight ${f.owed} set to 0 under a lease of ${f.leaseSeconds} s, because it has failed.`,
	'quiesce-dry-run': (who, f) =>
		`${who}: would set weight ${f.owed} to 0 for ${f.leaseSeconds} s (dry run: nothing was written).`,
	'monitor-asked-dry-run': (who, f) =>
		`${who}: would ask the monitor to take it out for ${f.leaseSeconds} s (dry run).`,
	'monitor-asked': (who, f) => `${who}: the monitor was asked to take it out for ${f.leaseSeconds} s.`,
	'observed-only': (who) => `${who} has failed; mode observe, so nothing was done.`,
	overflow: (who, f) => `${who} has failed but stays in: ${f.why}.`,
	'write-failed': (who, f) => `${who}: the weight could not be written (${f.detail}); ${f.next}.`,
	recovering: (who) => `${who} accepts our probe again.`,
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
	resumed: (who, f) => `${who}: lease of an earlier ipvigil (pid ${f.pid}) resumed; asking the server.`,
	'resume-dropped': (who, f) => `${who}: lease of an earlier ipvigil dropped, because ${f.why}.`,
} satisfies Record<string, Sentence>;

export type ScenarioName = keyof typeof scenarios;

export function sentence(name: ScenarioName, who: string, facts: Facts): string {
	return scenarios[name](who, facts);
}
