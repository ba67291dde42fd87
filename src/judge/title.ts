/**
 * The name of each scenario, for people: what `explain` heads its sentences with. A line of the journal carries the
 * scenario's id alone, which stays what it is when a name is put better. PURE.
 */
import type { ScenarioName } from './scenario.js';

export const titles = {
	suspect: 'Suspicion raised',
	'cannot-confirm': 'No probe can confirm it',
	acquitted: 'Acquitted by the probe',
	'suspicion-over': 'Suspicion over',
	failed: 'Found to have failed',
	'brown-out': 'Accepts and does not answer',
	'brown-out-over': 'Answers again',
	frozen: 'Frozen: most of a service failed together',
	thawed: 'Thawed',
	quiesced: 'Taken out under a lease',
	reduced: 'Weight reduced under a lease',
	'quiesce-dry-run': 'Would be taken out (dry run)',
	'monitor-asked-dry-run': 'The monitor would be asked (dry run)',
	'monitor-asked': 'The monitor was asked to act',
	'observed-only': 'Observed only',
	overflow: 'Kept in by a guard',
	'held-back': 'Kept in by a hold',
	'put-in': 'Put in by another',
	'write-failed': 'The weight could not be written',
	recovering: 'Back again',
	'step-up': 'A step of the weight given back',
	'given-back': 'Weight given back',
	'give-back-dry-run': 'Would be given back (dry run)',
	'returned-to-monitor': 'Returned to the monitor',
	'with-monitor': 'The monitor has taken it out',
	yielded: 'Yielded to another writer',
	gone: 'Gone from the table',
	renewed: 'Lease renewed',
	'cap-reached': 'Given back at the cap',
	'way-impaired': "A fault of the director's own",
	'way-restored': 'The way is well again',
	resumed: 'Lease resumed after a restart',
	'resume-dropped': 'Lease dropped at a restart',
	held: 'Held by the operator',
	'hold-over': 'Hold over',
} satisfies Record<ScenarioName, string>;

/** The name of a scenario; its id where another version of ipvigil has written what this one does not know. */
export function titleOf(scenario: string): string {
	return Object.hasOwn(titles, scenario) ? titles[scenario as ScenarioName] : scenario;
}
