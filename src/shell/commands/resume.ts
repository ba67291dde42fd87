/** `ipvigil resume`: ends holds. */
import { type Command, Option } from 'commander';
import type { ResumeAnswer } from '../control.js';
import {
	answerOutputs,
	destinationHelp,
	makeScopeCommand,
	printAnswer,
	type ScopeOptions,
	scopeOf,
	spokenScope,
} from './scope.js';

export function makeResumeCommand(): Command {
	return makeScopeCommand('resume', 'every hold, those of single destinations included')
		.description('end a hold: what has failed meanwhile may be taken out again')
		.option('-c, --config <file>', 'configuration (default: /etc/ipvigil/config.yaml where it exists)')
		.addOption(new Option('-o, --output <format>', 'for people or for programs').choices(answerOutputs).default('text'))
		.addHelpText('after', explanation)
		.action(resume);
}

const explanation = `${destinationHelp}

While all destinations are held, resuming one of them changes nothing for it: "ipvigil resume --all"
ends that hold, and every other. Resuming what is not held is no error.

JSON: { "format": 1, "destination", "ended": [ID or "all"], "stillHeld", "remembered" }.`;

async function resume(words: string[], options: ScopeOptions): Promise<void> {
	const destination = scopeOf(words, options);
	const { loadConfig } = await import('../config.js');
	const { runtimeDirectory } = loadConfig(options.config);
	const { command } = await import('../control-client.js');
	const answer = await command(runtimeDirectory, 'resume', { destination });
	printAnswer(options.output, answer, sentencesOf(answer));
}

export function sentencesOf({ destination, ended, stillHeld, remembered }: ResumeAnswer): string[] {
	const none = destination === 'all' ? 'Nothing was held.' : `${destination} was not held by a hold of its own.`;
	return [
		...(ended.length === 0 ? [none] : ended.map((scope) => `${spokenScope(scope)} is no longer held.`)),
		...(stillHeld ? ['It is still held together with all others: ipvigil resume --all'] : []),
		...(remembered ? [] : ['It could not be written down: after a restart of ipvigil it is held again; see its log.']),
	];
}
