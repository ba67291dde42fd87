/** `ipvigil hold`: asks the ipvigil that runs here to keep its hands off a destination, or off all. */
import { type Command, Option } from 'commander';
import type { HoldAnswer } from '../control.js';
import { readDuration } from '../duration.js';
import {
	answerOutputs,
	destinationHelp,
	makeScopeCommand,
	printAnswer,
	type ScopeOptions,
	scopeOf,
	spokenScope,
} from './scope.js';

interface HoldOptions extends ScopeOptions {
	for?: number;
	reason?: string;
}

export function makeHoldCommand(): Command {
	return makeScopeCommand('hold', 'every destination, those included that come later')
		.description('keep hands off a destination, or off all: watch and tell, but do not take out')
		.option('--for <duration>', 'for how long, as in 30s, 10m or 2h (default: until resume)', readDuration)
		.option('--reason <text>', 'why, for the journal and for explain')
		.option('-c, --config <file>', 'configuration (default: /etc/ipvigil/config.yaml where it exists)')
		.addOption(new Option('-o, --output <format>', 'for people or for programs').choices(answerOutputs).default('text'))
		.addHelpText('after', explanation)
		.action(hold);
}

const explanation = `${destinationHelp}

While a destination is held, no weight of it is written and no monitor is asked to take it out; what
happens to it is observed, judged, journaled and told as always. A lease that stands already is not
ended by a hold: it is not renewed, and at its end, or when the server is back, its weight is given
back. To end it at once, release it.

A hold ends by "ipvigil resume", or when its time is over; a server that has failed meanwhile is then
decided on anew. It outlives a restart of ipvigil, not of the machine. A second hold of the same
destination takes the place of the first.

JSON: { "format": 1, "destination", "until", "reason", "leases": [ID], "remembered" }. "until" is null
where only resume ends it; "leases" are those that stand.`;

async function hold(words: string[], options: HoldOptions): Promise<void> {
	const destination = scopeOf(words, options);
	const { loadConfig } = await import('../config.js');
	const { runtimeDirectory } = loadConfig(options.config);
	const { command } = await import('../control-client.js');
	const { for: forMs, reason } = options;
	const answer = await command(runtimeDirectory, 'hold', { destination, forMs, reason });
	printAnswer(options.output, answer, sentencesOf(answer));
}

export function sentencesOf({ destination, until, leases, remembered }: HoldAnswer): string[] {
	const end = until === null ? 'until it is resumed' : `until ${until}`;
	const standing = [
		`${leases.length} ${leases.length === 1 ? 'lease stands' : 'leases stand'} and will not be renewed; to end ${leases.length === 1 ? 'it' : 'them'} at once: ipvigil release`,
		...leases.map((id) => `  ${id}`),
	];
	return [
		`${spokenScope(destination)} is held ${end}.`,
		...(leases.length === 0 ? [] : standing),
		...(remembered ? [] : ['It could not be written down, and ends with this ipvigil; see its log.']),
	];
}
