/** `ipvigil release`: asks the ipvigil that runs here to end leases now. */
import { type Command, Option } from 'commander';
import type { ReleaseAnswer, ReleasedLease } from '../control.js';
import { spokenDuration } from '../duration.js';
import { answerOutputs, destinationHelp, makeScopeCommand, printAnswer, type ScopeOptions, scopeOf } from './scope.js';

export function makeReleaseCommand(): Command {
	return makeScopeCommand('release', 'every lease that stands')
		.description('end a lease now: give the weight back, or let the monitor judge alone')
		.option('-c, --config <file>', 'configuration (default: /etc/ipvigil/config.yaml where it exists)')
		.addOption(new Option('-o, --output <format>', 'for people or for programs').choices(answerOutputs).default('text'))
		.addHelpText('after', explanation)
		.action(release);
}

const explanation = `${destinationHelp}

A weight is given back only where nobody else has written since. What was released is not taken out
again before the hold-down of the policy has passed and there is new evidence; to keep it in for longer,
hold it first. A destination without a lease is no error: there is nothing to release.

JSON: { "format": 1, "destination", "leases": [ { "destination", "owed", "written", "state",
"rehearsed", "handsOffMs" } ] }. "written" is null where the monitor was asked and no weight was written;
"rehearsed" is a dry run's. It is answered before the weights are written: explain tells what came of it.`;

async function release(words: string[], options: ScopeOptions): Promise<void> {
	const destination = scopeOf(words, options);
	const { loadConfig } = await import('../config.js');
	const { runtimeDirectory } = loadConfig(options.config);
	const { command } = await import('../control-client.js');
	const answer = await command(runtimeDirectory, 'release', { destination });
	printAnswer(options.output, answer, sentencesOf(answer));
}

export function sentencesOf({ destination, leases }: ReleaseAnswer): string[] {
	if (leases.length === 0)
		return [
			destination === 'all' ? 'No lease stands.' : `${destination} is under no lease: there is nothing to release.`,
		];
	return [
		`${leases.length} ${leases.length === 1 ? 'lease is' : 'leases are'} being ended:`,
		...leases.map(
			(lease) => `  ${lease.destination}: ${endOf(lease)}; hands off for ${spokenDuration(lease.handsOffMs)}`,
		),
		'None of it is taken out again within that time, nor without new evidence.',
	];
}

/** The answer is made before anything is written. */
function endOf({ owed, written, state, rehearsed }: ReleasedLease): string {
	const will = rehearsed ? 'would' : 'will';
	if (written === null || state === 'with-monitor') return `the monitor ${will} judge alone again`;
	return `weight ${owed} ${will} be given back for ${written}`;
}
