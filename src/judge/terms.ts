/**
 * The terms on which each service is judged: its mode, its policy, what each rule may lead to and how its servers are
 * asked. Services that the configuration does not name share the same ones. PURE.
 */
import type { DestinationId, ServiceId } from '../table/identity.js';
import { type Asking, defaultAsking } from './asking.js';
import {
	type Actions,
	defaultActions,
	defaultPolicy,
	type Mode,
	type Policy,
	type RuleAction,
	ruleActions,
} from './policy.js';
import type { DestinationState, ListenerState, State } from './state.js';

export interface Terms {
	mode: Mode;
	policy: Policy;
	actions: Actions;
	asking: Asking;
}

export interface TermsBook {
	/** Of the services that have none of their own, and of the director as a whole. */
	others: Terms;
	named: ReadonlyMap<ServiceId, Terms>;
}

/** What `own` leaves out is as in `base`. */
export function overlay<T extends object>(base: T, own: { [K in keyof T]?: T[K] | undefined } = {}): T {
	const said = Object.entries(own).filter(([, value]) => value !== undefined);
	return { ...base, ...Object.fromEntries(said) };
}

/** One and the same for all services; what is left out is the default. */
export function termsForAll({
	mode = 'observe',
	policy = defaultPolicy,
	actions = defaultActions,
	asking = defaultAsking,
}: Partial<Terms>): TermsBook {
	return { others: { mode, policy, actions, asking }, named: new Map() };
}

export function termsOf({ terms }: Pick<State, 'terms'>, service: ServiceId): Terms {
	return terms.named.get(service) ?? terms.others;
}

/** A listener that several services share is asked on the terms of the one that stood on it first. */
export function policyOn(state: State, { destinations }: Pick<ListenerState, 'destinations'>): Policy {
	if (state.terms.named.size === 0) return state.terms.others.policy;
	return termsOf(state, state.destinations.get(first(destinations))?.serviceId ?? '').policy;
}

function first(ids: Set<DestinationId>): DestinationId {
	for (const id of ids) return id;
	return '';
}

/** What each mode allows at most. */
const modeLimit: Record<Mode, RuleAction> = { observe: 'observe', notify: 'notify', assist: 'quiesce' };

/** What its failure may lead to: the least of what the mode, the rule of its signal and, for UDP, the rule of that allow. */
export function actionOn(state: State, destination: DestinationState): { action: RuleAction; because: string } {
	const { mode, actions } = termsOf(state, destination.serviceId);
	const { signal } = destination;
	const limits: [RuleAction, string][] = [
		[modeLimit[mode], `mode ${mode}`],
		[actions[signal], `the rule for ${signal}: ${actions[signal]}`],
		...(isUdp(state, destination) ? [[actions.udp, `the rule for UDP: ${actions.udp}`] as [RuleAction, string]] : []),
	];
	const [action, because] = limits.reduce((least, one) => (strength(one[0]) < strength(least[0]) ? one : least));
	return { action, because };
}

/** How much an action does, for comparing two of them. */
export function strength(action: RuleAction): number {
	return ruleActions.indexOf(action);
}

/** A firewall mark names no protocol; what listens behind it does. */
export function isUdp({ listeners }: State, { service, listener }: DestinationState): boolean {
	if (service.kind === 'address') return service.protocol === 'udp';
	return listeners.get(listener ?? '')?.endpoint.protocol === 'udp';
}
