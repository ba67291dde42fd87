/**
 * Whom a command is about: one destination or `--all`. What `release`, `hold` and `resume` share; the words of a
 * destination may be quoted or not, and a shell may have eaten the `>` between service and server.
 */
import { Command } from 'commander';
import { OperatorError } from '../errors.js';

export interface ScopeOptions {
	all?: true;
	config?: string;
	output: 'text' | 'json';
}

export const answerOutputs = ['text', 'json'] as const;

export const destinationHelp = `
DESTINATION is its id, as in "tcp 10.0.0.100:80 > 10.1.0.11:8080", or a part that only one has:
10.1.0.11:8080, or 10.1.0.11. An address counts whole.`;

/** A command about one destination, or about all. */
export function makeScopeCommand(verb: string, all: string): Command {
	return new Command(verb).argument('[destination...]', 'its id or a part of it, see below').option('--all', all);
}

/** @throws OperatorError where neither, or both, are named. */
export function scopeOf(words: string[], { all }: ScopeOptions): string {
	const named = words.join(' ').trim();
	if (all === true ? named === '' : named !== '') return all === true ? 'all' : named;
	throw new OperatorError(
		'usage',
		all === true ? 'Both a destination and --all are named.' : 'No destination is named.',
		'Name one destination, or --all.',
	);
}

/** `every destination`, or its id. */
export function spokenScope(scope: string): string {
	return scope === 'all' ? 'every destination' : scope;
}

export function printAnswer(output: ScopeOptions['output'], answer: object, sentences: string[]): void {
	process.stdout.write(output === 'json' ? `${JSON.stringify(answer)}\n` : `${sentences.join('\n')}\n`);
}
