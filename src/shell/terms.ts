/** The terms of each service, as the configuration sets them: what a service does not set for itself holds for all. */
import { overlay, type Terms, type TermsBook } from '../judge/terms.js';
import type { Config } from './config.js';

export function termsFrom({ mode, policy, actions, probe, services }: Config): TermsBook {
	const others: Terms = { mode, policy, actions, asking: probe };
	const named = Object.entries(services).map(([service, own]): [string, Terms] => [
		service,
		{
			mode: own.mode ?? mode,
			policy: overlay(policy, own.policy),
			actions: overlay(actions, own.actions),
			asking: own.probe ?? others.asking,
		},
	]);
	return { others, named: new Map(named) };
}
